"""Streams that share a bundle: rows in, scores and events out."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from edge.detector.announcer import (
    Episode,
    Look,
    contributors_of,
    episode_from_dict,
    new_event,
)
from edge.detector.bundle import Bundle, Variant
from edge.detector.calibrate import CalibrationError
from edge.detector.calibration import Calibration, calibration_from_dict
from edge.detector.commissioning import bundle_calibration, commission, shape_of
from edge.detector.engine import Engine, Scored
from edge.detector.episodes import EpisodeDetector
from edge.detector.ids import episode_id
from edge.detector.rows import Row
from edge.detector.rules import ChannelRules, RuleBook, kind_of
from edge.detector.runtime import Network
from edge.detector.season import Calendar
from edge.detector.tuning import DEFAULT, Tuning
from edge.detector.window_times import WindowTimes
from edge.wire.events import Event, ModelRef, RuleHit

STATE_VERSION = 1
Anomaly = Literal["ON", "OFF", "commissioning"]


@dataclass(frozen=True)
class StreamSettings:
    """What a user sets for one stream."""

    id: str
    level: float = 1.0
    """Multiplies the calibrated alarm level: 1.2 alarms less, 0.8 more."""
    min_windows: int | None = None
    """Scores above the level, one after another, that open an episode; None takes the default."""
    update_every_s: float = 60.0
    """An open episode is told again this often, seconds."""
    rules: Mapping[str, ChannelRules] = field(default_factory=dict)
    """Channel to its rules."""
    calibrate_rows: int = 0
    """The stream's own first rows that commission it; 0 takes the bundle's calibration."""


@dataclass(frozen=True)
class Outcome:
    """What one row gave."""

    stream: int
    time: float
    score: float
    """1.0 is the alarm level; NaN while there is none."""
    anomaly: Anomaly
    event_id: str | None
    top_channel: str | None
    """The channel with the largest share in the score, None while there is no score."""
    events: tuple[Event, ...]


def _random_id(time: float) -> str:
    return episode_id(time, os.urandom(10))


class StreamGroup:
    """State and scoring of the streams that share one bundle and variant."""

    def __init__(
        self,
        bundle: Bundle,
        variant: Variant,
        network: Network,
        streams: Sequence[StreamSettings],
        new_id: Callable[[float], str] = _random_id,
        tuning: Tuning = DEFAULT,
    ) -> None:
        self.bundle = bundle
        self.streams = tuple(streams)
        self._network = network
        self._new_id = new_id
        self._tuning = tuning
        self._calendar = Calendar(bundle.season, bundle.timezone)
        self._shape = shape_of(bundle, self._calendar)
        self._channels = [(channel.name, channel.unit) for channel in bundle.channels]
        self._model = ModelRef(bundle.name, bundle.sha256)
        count = len(streams)
        self._engine = Engine(network, self._shape, count, tuning)
        needed = np.array([tuning.min_windows if one.min_windows is None else one.min_windows for one in streams])
        self._detector = EpisodeDetector(count, bundle.window // bundle.stride or 1, tuning, needed)
        self._calibrations: list[Calibration | None] = [None] * count
        self._collected: list[list[Row]] = [[] for _ in streams]
        self._rules = [RuleBook(bundle.channel_names, one.rules) for one in streams]
        self._open: list[dict[str, Episode]] = [{} for _ in streams]  # "" is the anomaly, else rule:channel
        self._score: np.ndarray = np.full(count, np.nan)
        self._top: list[str | None] = [None] * count
        self._rising: list[float | None] = [None] * count  # time since which the score is at least half the level
        self._recent: list[WindowTimes] = [WindowTimes(bundle.window) for _ in streams]
        for index, one in enumerate(streams):
            if one.calibrate_rows == 0:
                self._commission(index, bundle_calibration(bundle, variant))

    def process(self, batch: Sequence[tuple[int, Row]]) -> list[Outcome]:
        """Score one row each of different streams, in one call of the network.

        Rows of a stream that is still commissioning are collected; its rules alarm.
        """
        events: dict[int, list[Event]] = {index: self._check_rules(index, row) for index, row in batch}
        ready = [(index, row) for index, row in batch if self._calibrations[index] is not None]
        for index, row in batch:
            self._recent[index].add(row)
            if self._calibrations[index] is None:
                self._collect(index, row)
        if ready:
            self._score_rows(ready, events)
        return [self._outcome(index, row, events[index]) for index, row in batch]

    def idle(self, stream: int, time: float) -> tuple[Event, ...]:
        """No row came and the stream's time is now `time`: the events of silence rules."""
        hits = self._rules[stream].silence(time)
        return tuple(self._follow_rules(stream, time, hits, only_silence=True))

    def close(self, stream: int, time: float) -> tuple[Event, ...]:
        """The stream ends at `time`: the `end` of whatever is open."""
        ends = tuple(episode.end(Look(time, episode.last.score)) for episode in self._open[stream].values())
        self._open[stream].clear()
        self._detector.force(stream, False)
        return ends

    def calibration(self, stream: int) -> Calibration | None:
        """What the stream is scored with; None while it is commissioning."""
        return self._calibrations[stream]

    def snapshot(self, stream: int) -> dict[str, Any]:
        """Plain JSON of what must survive a restart: commissioning, baselines, open episodes."""
        calibration = self._calibrations[stream]
        own = calibration is not None and self.streams[stream].calibrate_rows > 0
        return {
            "version": STATE_VERSION,
            "bundle": self.bundle.sha256,
            "calibration": calibration.to_dict() if own and calibration is not None else None,
            "baseline": np.round(self._engine.charts.baseline[stream], 6).tolist(),
            "open": {key: episode.to_dict() for key, episode in self._open[stream].items()},
        }

    def restore(self, stream: int, state: Mapping[str, Any]) -> None:
        """Go on from a snapshot of the same bundle.

        Raises:
            ValueError: another version or bundle, or a malformed state; nothing is changed then.
        """
        try:
            if state["version"] != STATE_VERSION or state["bundle"] != self.bundle.sha256:
                raise ValueError("it was written by another version or for another bundle")
            baseline = np.asarray(state["baseline"], np.float64)
            if baseline.shape != self._engine.charts.baseline[stream].shape or not np.isfinite(baseline).all():
                raise ValueError("its baseline has another shape")
            own = state["calibration"]
            calibration = None if own is None else calibration_from_dict(own, self._shape.channels)
            update_every_s = self.streams[stream].update_every_s
            open_ = {str(key): episode_from_dict(body, update_every_s) for key, body in state["open"].items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it is malformed ({type(error).__name__} {error})") from error
        if calibration is not None and self.streams[stream].calibrate_rows > 0:
            self._commission(stream, calibration)
        self._engine.charts.baseline[stream] = baseline
        self._open[stream] = open_
        self._detector.force(stream, "" in open_)

    def _commission(self, stream: int, calibration: Calibration) -> None:
        self._calibrations[stream] = calibration
        self._engine.commission(stream, calibration)

    def _collect(self, stream: int, row: Row) -> None:
        """Keep a row for commissioning; with the last one the stream's own calibration is made."""
        rows = self._collected[stream]
        rows.append(row)
        if len(rows) < self.streams[stream].calibrate_rows:
            return
        try:
            calibration, engine = commission(self.bundle, self._network, rows, self._tuning)
        except CalibrationError:
            del rows[: len(rows) // 2]  # too many gaps or a dead channel: go on collecting
            return
        rows.clear()
        self._commission(stream, calibration)
        self._engine.adopt(stream, engine)

    def _score_rows(self, ready: Sequence[tuple[int, Row]], events: Mapping[int, list[Event]]) -> None:
        streams = np.array([index for index, _ in ready])
        times = np.array([row.time for _, row in ready])
        values = np.stack([row.values for _, row in ready])
        restart = np.array([row.restart for _, row in ready])
        slots = self._calendar.slots_of(times)
        scored = self._engine.step(streams, values, slots, restart)
        levels = np.array([self._level(index) for index in streams])
        scores = scored.statistic / levels
        self._score[streams[restart]] = np.nan
        self._score[streams[scored.ran]] = scores[scored.ran]
        changes = self._detector.update(streams, scores)
        for n in np.flatnonzero(scored.ran):
            index = int(streams[n])
            self._remember(index, times[n], scores[n], scored.shares[n])
            if changes.opened[n] or changes.closed[n] or self._detector.on[index]:
                look = self._look(index, times[n], scores[n], scored, int(n), values[n])
                events[index].extend(self._speak(index, look, changes.opened[n], changes.closed[n]))

    def _level(self, stream: int) -> float:
        calibration = self._calibrations[stream]
        return (1.0 if calibration is None else calibration.level) * self.streams[stream].level

    def _remember(self, stream: int, time: float, score: float, shares: np.ndarray) -> None:
        self._top[stream] = self._channels[int(np.argmax(shares))][0]
        if score < 0.5:
            self._rising[stream] = None
        elif self._rising[stream] is None:
            self._rising[stream] = time

    def _look(self, stream: int, time: float, score: float, scored: Scored, n: int, values: np.ndarray) -> Look:
        calibration = self._calibrations[stream]
        tail = None if calibration is None else calibration.tail
        window = self._recent[stream].span()
        return Look(
            time=float(time),
            score=round(float(score), 4),
            return_period_s=None if tail is None else tail.return_period_s(score * self._level(stream)),
            contributors=contributors_of(self._channels, scored.shares[n], values, scored.expected[n]),
            window=window,
        )

    def _speak(self, stream: int, look: Look, opened: bool, closed: bool) -> list[Event]:
        episodes = self._open[stream]
        if opened:
            event = new_event(
                look,
                self._new_id(look.time),
                self.streams[stream].id,
                "anomaly",
                self._onset(stream, look),
                self._model,
            )
            episodes[""] = Episode(event, self.streams[stream].update_every_s)
            return [event]
        if closed:
            return [episodes.pop("").end(look)] if "" in episodes else []
        return episodes[""].update(look) if "" in episodes else []

    def _onset(self, stream: int, look: Look) -> float:
        """When the score began to rise, but not before the window that opened the episode."""
        rising = self._rising[stream]
        start = look.time if rising is None else rising
        return start if look.window is None else max(start, look.window.start)

    def _check_rules(self, stream: int, row: Row) -> list[Event]:
        if not self._rules[stream]:
            return []
        return self._follow_rules(stream, row.time, self._rules[stream].check(row.time, row.values))

    def _follow_rules(
        self, stream: int, time: float, hits: Sequence[RuleHit], only_silence: bool = False
    ) -> list[Event]:
        """Open what is newly broken, end what no longer is."""
        episodes = self._open[stream]
        broken = {f"{hit.name}:{hit.channel}": hit for hit in hits}
        events = []
        for key in [key for key in episodes if key and key not in broken]:
            if not only_silence:
                events.append(episodes.pop(key).end(Look(time, None)))
        for key, hit in broken.items():
            if key in episodes:
                events += episodes[key].update(Look(time, None))
            else:
                event = new_event(
                    Look(time, None), self._new_id(time), self.streams[stream].id, kind_of(hit.name), time, None, hit
                )
                episodes[key] = Episode(event, self.streams[stream].update_every_s)
                events.append(event)
        return events

    def _outcome(self, stream: int, row: Row, events: Sequence[Event]) -> Outcome:
        episode = self._open[stream].get("")
        score = float(self._score[stream])
        commissioning = self._calibrations[stream] is None
        anomaly: Anomaly = "commissioning" if commissioning else "ON" if episode is not None else "OFF"
        top = None if np.isnan(score) else self._top[stream]
        return Outcome(stream, row.time, score, anomaly, episode.last.id if episode else None, top, tuple(events))
