"""Streams that share a bundle: rows in, scores and events out."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from edge.detector.bundle.calibration import Calibration
from edge.detector.bundle.files import Bundle, Variant
from edge.detector.events.alarm import EpisodeDetector
from edge.detector.events.called_normal import CalledNormal
from edge.detector.events.episode import Look, random_id
from edge.detector.events.settings import StreamSettings
from edge.detector.events.stream import StreamEvents
from edge.detector.learn.commissioning import Commissioning, bundle_calibration, shape_of
from edge.detector.members.tuning import DEFAULT, Tuning
from edge.detector.outcome import Anomaly, Outcome
from edge.detector.rows.row import Row
from edge.detector.rows.season import Calendar, time_zone
from edge.detector.score.engine import Engine
from edge.detector.score.explanation import Explanation, Step
from edge.detector.score.runtime import Network
from edge.detector.state import StreamState, state_from_dict
from edge.wire.events import Event, ModelRef
from edge.wire.state import EpisodeNow

__all__ = ["Anomaly", "Outcome", "StreamGroup", "StreamSettings"]

_AT_BOUND = 1 - 1e-9
"""Part of its bound at which a baseline stands still."""
_LEAST_SHARES = 1e-12


class StreamGroup:
    """State and scoring of the streams that share one bundle and variant; arrays have the stream as first axis."""

    def __init__(
        self,
        bundle: Bundle,
        variant: Variant,
        network: Network,
        streams: Sequence[StreamSettings],
        new_id: Callable[[float], str] = random_id,
        tuning: Tuning = DEFAULT,
        stepwise: bool = False,
    ) -> None:
        """With `stepwise` the owner calls `go_on` while commissioning is under way, and holds the stream's rows."""
        self.bundle, self._stepwise = bundle, stepwise
        self.streams = tuple(streams)
        self._network, self._new_id, self._tuning = network, new_id, tuning
        self._calendar = Calendar(bundle.season, bundle.timezone)
        self.channels = [(channel.name, channel.unit) for channel in bundle.channels]
        self._model = ModelRef(bundle.name, bundle.sha256)
        count = len(streams)
        self._engine = Engine(network, shape_of(bundle, self._calendar), count, tuning)
        needed = np.array([tuning.min_windows if one.min_windows is None else one.min_windows for one in streams])
        self._detector = EpisodeDetector(count, bundle.window // bundle.stride or 1, tuning, needed)
        self._calibrations: list[Calibration | None] = [None] * count
        self.normal = CalledNormal(count, bundle.window, self._engine.look_columns, tuning)
        self._levels: np.ndarray = np.array([one.level for one in streams], float)
        self._collected = [Commissioning(bundle, network, one.calibrate_rows, tuning) for one in streams]
        self._events = [self._stream_events(one) for one in streams]
        self._score: np.ndarray = np.full(count, np.nan)
        self._top: np.ndarray = np.zeros(count, np.intp)  # channel with the largest share in that score
        self._rising: np.ndarray = np.full(count, np.nan)  # time since which the score is not low
        self._start_over: np.ndarray = np.zeros(count, bool)  # whether the next row begins a new window
        self._bundle_calibration = (
            None if all(one.calibrate_rows for one in streams) else bundle_calibration(bundle, variant)
        )
        for stream in range(count):
            self._commission(stream, self._first_calibration(stream))

    def process(self, batch: Sequence[tuple[int, Row]]) -> list[Outcome]:
        """Score one row each of different streams, in one call of the network.

        Rows of a stream that is still commissioning are collected; its rules alarm.
        """
        ready = [(stream, row) for stream, row in batch if self._calibrations[stream] is not None]
        # First, since it may fail: when the rows come again one by one, rules must not have seen them.
        step = self._step(ready) if ready else None
        events = {stream: [*self._clock_set_back(stream, row), *self._events[stream].row(row)] for stream, row in batch}
        for stream, row in batch:
            if self._calibrations[stream] is None:
                self._collected[stream].add(row)
                if not self._stepwise:
                    while self.commissioning_under_way(stream):
                        self.go_on(stream)
        if step is not None:
            self._score_rows(step, events)
        scored = {} if step is None else self._explanations(step)
        return [self._outcome(stream, row, events[stream], scored.get(stream)) for stream, row in batch]

    def idle(self, stream: int, time: float) -> tuple[Event, ...]:
        """No row came and the stream's time is now `time`: the events of silence rules."""
        return tuple(self._events[stream].idle(time))

    def close(self, stream: int, time: float) -> tuple[Event, ...]:
        """The stream ends at `time`: the `end` of whatever is open."""
        self._detector.force(stream, False)
        return tuple(self._events[stream].end_all(time))

    def keep_looks(self) -> None:
        """From now on episodes can be called normal; that takes a second ring of rows for each stream."""
        self._engine.keeps_looks = True

    def call_normal(self, stream: int, event_id: str, by: str) -> tuple[Event, ...]:
        """An anomaly of the stream was called normal: what looks like it alarms no more. The `end` where it is open.

        Raises:
            FeedbackError: it cannot be.
        """
        if not self.normal.add(stream, event_id, by, (told := self._events[stream]).open_kinds):
            return ()
        self._detector.force(stream, False)
        return tuple(told.end_anomaly(told.last_time))

    def open_now(self, stream: int) -> dict[str, EpisodeNow]:
        """How the stream's open episodes stand, by their ids."""
        return self._events[stream].open_now

    def knows(self, stream: int, event_id: str) -> bool:
        """Whether an episode of the stream is open, or could be called normal, or was."""
        return event_id in self._events[stream].open_now or self.normal.knows(stream, event_id)

    def commissioning_under_way(self, stream: int) -> bool:
        """Whether the stream's calibration is being made of the rows that were collected."""
        return self._collected[stream].under_way

    def go_on(self, stream: int) -> None:
        """One step of that, at most one call of the network long."""
        commissioned = self._collected[stream].go_on()
        if commissioned is not None:
            calibration, engine = commissioned
            self._commission(stream, calibration)
            self._engine.take_over(stream, engine)
            self._start_over[stream] = False

    def collected(self, stream: int) -> Sequence[Row]:
        """The rows that the stream has for its commissioning so far."""
        return self._collected[stream].rows

    def collect(self, stream: int, rows: Sequence[Row]) -> None:
        """Go on with rows collected before a restart, where the stream has not commissioned itself since."""
        if self._calibrations[stream] is None:
            self._collected[stream].begin(rows)

    def calibration(self, stream: int) -> Calibration | None:
        """What the stream is scored with; None while it is commissioning."""
        return self._calibrations[stream]

    def snapshot(self, stream: int) -> dict[str, Any]:
        """Plain JSON of what must survive a restart: commissioning, baselines, open episodes."""
        own = self._calibrations[stream] if self.streams[stream].calibrate_rows else None
        charts = self._engine.charts
        baseline, learned = charts.baseline[stream], bool(charts.learned[stream])
        open_, normal = self._events[stream].snapshot(), self.normal.snapshot(stream)
        return StreamState(self.bundle.sha256, own, baseline, learned, open_, normal).to_dict()

    def restore(self, stream: int, body: Mapping[str, Any]) -> None:
        """Go on from a snapshot of the same bundle; what it does not hold begins anew.

        Raises:
            ValueError: another version or bundle, or a malformed state; nothing is changed then.
        """
        baseline = self._engine.charts.baseline[stream]
        events = self._stream_events(self.streams[stream])
        try:
            state = state_from_dict(body, self.bundle.sha256, baseline.shape)
            events.restore(state.open_episodes)
            normal = self.normal.read(state.normal)
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"it is malformed ({type(error).__name__} {error})") from error
        own = bool(self.streams[stream].calibrate_rows)
        self._commission(stream, state.calibration if own else self._first_calibration(stream))
        # A baseline is told relative to the calibration that it was learned with.
        same = own == (state.calibration is not None)
        self._engine.charts.restore(stream, state.baseline if same else np.zeros_like(baseline), same and state.learned)
        self._events[stream] = events
        self.normal.restore(stream, normal)
        self._detector.force(stream, events.in_alarm)
        self._collected[stream].begin(())
        self._score[stream] = self._rising[stream] = np.nan
        self._start_over[stream] = True

    def take_over(self, stream: int, other: "StreamGroup", theirs: int) -> None:
        """Go on with the window and charts of a stream of another group of the same bundle, on top of its snapshot."""
        if self._calibrations[stream] is not None and other._calibrations[theirs] is not None:
            self._engine.take_over(stream, other._engine, theirs)
            self._start_over[stream] = other._start_over[theirs]

    def _stream_events(self, settings: StreamSettings) -> StreamEvents:
        quiet_s = self._tuning.error_windows * self.bundle.window * self.bundle.period_s
        zone = partial(time_zone, self.bundle.timezone)
        return StreamEvents(settings, self.channels, self.bundle.window, self._model, self._new_id, quiet_s, zone)

    def _first_calibration(self, stream: int) -> Calibration | None:
        return None if self.streams[stream].calibrate_rows else self._bundle_calibration

    def _commission(self, stream: int, calibration: Calibration | None) -> None:
        self._calibrations[stream] = calibration
        if calibration is not None:
            settings = self.streams[stream]
            self._engine.commission(stream, calibration)
            if settings.max_drift_sd is not None:
                self._engine.bound_drift(stream, settings.max_drift_sd)
            self._levels[stream] = calibration.level * settings.level

    def _clock_set_back(self, stream: int, row: Row) -> Sequence[Event]:
        """When time runs backwards an open episode ends where the old clock stood: it must not end before it began."""
        last_time = self._events[stream].last_time
        if row.time > last_time:
            return ()
        ends = self.close(stream, last_time)
        self._events[stream] = self._stream_events(self.streams[stream])
        return ends

    def _step(self, ready: Sequence[tuple[int, Row]]) -> Step:
        streams = np.array([stream for stream, _ in ready])
        times = np.array([row.time for _, row in ready])
        values = np.stack([row.values for _, row in ready])
        restart = np.array([row.restart for _, row in ready]) | self._start_over[streams]
        gap_rows = (times - np.array([self._events[stream].last_time for stream, _ in ready])) / self.bundle.period_s
        slots, alarm = self._calendar.slots_of(times), self._detector.on[streams] | self.normal.seen[streams]
        scored = self._engine.step(streams, values, slots, restart, np.maximum(gap_rows, 0.0), alarm)
        self._start_over[streams] = False
        return Step(streams, times, values, slots, restart, scored)

    def _score_rows(self, step: Step, events: Mapping[int, list[Event]]) -> None:
        streams, times, values, _, restart, scored = step
        scores, blank = scored.statistic / self._levels[streams], np.isnan(values).all(axis=1)
        scores[blank] = np.nan  # such a row says nothing, neither good nor bad
        self._score[streams[restart | blank]] = np.nan
        self._rising[streams[restart]] = np.nan
        raw = scores
        if self._engine.keeps_looks:
            scores = self.normal.judge(streams, scores, self._detector.on[streams], self._engine.looks)
        self._remember(streams, times, scores, scored.shares)
        changes = self._detector.update(streams, scores)
        told = ~np.isnan(scores) & (changes.closed | self._detector.on[streams])
        for n in np.flatnonzero(told):
            stream = int(streams[n])
            look = self._look(stream, float(scores[n]), step, int(n))
            if changes.opened[n]:
                events[stream] += self._events[stream].open_anomaly(look, float(self._rising[stream]))
            else:
                events[stream] += self._events[stream].follow_anomaly(look, bool(changes.closed[n]))
        if self._engine.keeps_looks:
            open_ = {stream: self._events[stream].anomaly_id for stream in streams.tolist()}
            self.normal.follow(streams, times, raw, self._detector.on[streams], open_, self._engine.looks)
        self._follow_drift(streams, events)

    def _follow_drift(self, streams: np.ndarray, events: Mapping[int, list[Event]]) -> None:
        """Tell of the baselines that are at their bound, or were."""
        reach = self._engine.reach(streams)
        for n, stream in enumerate(streams.tolist()):
            told = self._events[stream]
            if (most := float(reach[n].max())) >= _AT_BOUND or told.drifting:
                squares = reach[n] ** 2
                now, commissioned = self._engine.normal_now(stream)
                look = told.look(min(most, 1.0), None, squares / max(squares.sum(), _LEAST_SHARES), now, commissioned)
                events[stream] += told.drift(look, 1.0 if most >= _AT_BOUND else most)

    def _remember(self, streams: np.ndarray, times: np.ndarray, scores: np.ndarray, shares: np.ndarray) -> None:
        ran = ~np.isnan(scores)
        due = streams[ran]
        self._score[due] = scores[ran]
        self._top[due] = shares[ran].argmax(axis=1)
        rising = self._rising[due]
        since = np.where(np.isnan(rising), times[ran], rising)
        self._rising[due] = np.where(scores[ran] < self._tuning.close, np.nan, since)

    def _look(self, stream: int, score: float, step: Step, n: int) -> Look:
        found = self._explanation(stream, step, n)
        tail = found.calibration.tail
        rare_s = None if tail is None else tail.return_period_s(score * float(self._levels[stream]))
        reasons, expected, tolerance = found.explained()
        parts = (step.scored.shares[n], step.values[n], expected, tolerance, reasons)
        return self._events[stream].look(score, rare_s, *parts)

    def _explanation(self, stream: int, step: Step, n: int) -> Explanation:
        calibration = self._calibrations[stream]
        assert calibration is not None, "only such streams are scored"
        return Explanation(self.channels, step, n, calibration)

    def _explanations(self, step: Step) -> dict[int, Explanation]:
        """Of the streams that have a score of this very row."""
        due = np.isfinite(step.scored.statistic) & ~np.isnan(self._score[step.streams])
        streams = step.streams.tolist()
        return {streams[n]: self._explanation(streams[n], step, n) for n in np.flatnonzero(due).tolist()}

    def _outcome(self, stream: int, row: Row, events: Sequence[Event], explanation: Explanation | None) -> Outcome:
        score = float(self._score[stream])
        episode = self._events[stream].published_id
        commissioning = self._calibrations[stream] is None
        anomaly: Anomaly = "commissioning" if commissioning else "OFF" if episode is None else "ON"
        top = None if np.isnan(score) else self.channels[self._top[stream]][0]
        alarm, planned = bool(self._detector.on[stream]), self._events[stream].planned
        said = tuple(events), planned, row.values, explanation
        return Outcome(stream, row.time, score, alarm, anomaly, episode, top, *said)
