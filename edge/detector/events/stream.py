"""What is said of one stream: the episodes of its anomaly, of its drift and of its rules."""

import datetime
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from edge.detector.bundle.rules import RuleBook
from edge.detector.events.contributors import contributors_of
from edge.detector.events.drift import UPDATE_S, DriftEpisode
from edge.detector.events.episode import (
    FIRST_UPDATE_S,
    Episode,
    Look,
    episode_from_dict,
    new_event,
)
from edge.detector.events.planned import Silence
from edge.detector.events.recurring import Recurring, recurring_from_dict
from edge.detector.events.rule_episodes import RuleEpisodes
from edge.detector.events.settings import StreamSettings
from edge.detector.rows.row import Row
from edge.wire.events import Event, Kind, ModelRef, Reason, WindowSpan
from edge.wire.state import EpisodeNow


class WindowTimes:
    """Times of the last rows of a stream, for the window that an event tells."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._times: list[float] = []

    def add(self, row: Row) -> None:
        """Take the next row."""
        if row.restart:
            self._times.clear()
        self._times.append(row.time)
        if len(self._times) > 2 * self._length:
            del self._times[: self._length]

    def span(self) -> WindowSpan | None:
        """The last window; None before any row."""
        times = self._times[-self._length :]
        return WindowSpan(times[0], times[-1], len(times)) if times else None


_ANOMALY, _DRIFT = "", "drift"
"""Where a snapshot keeps the anomaly's episode and the drift's; the others are under their rules' keys."""

_KINDS = {_ANOMALY: "anomaly", _DRIFT: "drift"}

_OF_CALM = ("time", "score", "return_period_s")
"""What a snapshot keeps of the row that closed the anomaly; the rest of its `end` is as it was said last."""


class StreamEvents:
    """Makes the events of one stream; `channels` are names with units."""

    def __init__(
        self,
        settings: StreamSettings,
        channels: Sequence[tuple[str, str]],
        window: int,
        model: ModelRef,
        new_id: Callable[[float], str],
        quiet_s: float,
        zone: Callable[[], datetime.tzinfo] = lambda: datetime.UTC,
    ) -> None:
        """An anomaly that stays quiet for `quiet_s` seconds is over, or for longer where it came back before: one fault
        that comes and goes is one alert."""
        self._settings, self._channels, self._model, self._new_id = settings, channels, model, new_id
        self._quiet_s = quiet_s
        self._anomaly: Episode | None = None
        self._calm: Look | None = None  # the row that closed the anomaly, while its `end` is not told yet
        self._recurring = Recurring()
        book = RuleBook([name for name, _ in channels], settings.rules)
        self._silence = Silence(settings.id, settings.planned, zone)
        self._rules = RuleEpisodes(settings.id, book, settings.update_every_s, new_id, self._silence.is_due)
        self._drift = DriftEpisode(settings.id, settings.update_every_s, model, new_id)
        self._window = WindowTimes(window)
        self.last_time = -math.inf
        """Of the last row, Unix seconds; -inf before the first."""

    @property
    def anomaly_id(self) -> str | None:
        """Id of the open anomaly episode."""
        return None if self._anomaly is None else self._anomaly.last.id

    @property
    def published_id(self) -> str | None:
        """The same, None while nothing was said of it."""
        return None if self.anomaly_id in self._silence.held else self.anomaly_id

    @property
    def in_alarm(self) -> bool:
        """Whether an anomaly is open and has not fallen quiet."""
        return self._anomaly is not None and self._calm is None

    @property
    def open_now(self) -> dict[str, EpisodeNow]:
        """How the open episodes stand, by their ids."""
        own = [(self._anomaly, self._calm is not None), (self._drift.open, False)]
        rules = [(episode, self._rules.calm_since(key) is not None) for key, episode in self._rules.open.items()]
        return {
            episode.last.id: EpisodeNow(episode.last.top_score, calming, episode.last.occurrences)
            for episode, calming in own + rules
            if episode is not None
        }

    @property
    def planned(self) -> str | None:
        """What is planned at the last row."""
        return self._silence.plan(self.last_time) if math.isfinite(self.last_time) else None

    @property
    def drifting(self) -> bool:
        """Whether a drift's episode is open."""
        return self._drift.open is not None

    @property
    def open_kinds(self) -> dict[str, Kind]:
        """Kinds of the open episodes by their ids."""
        every = (self._anomaly, self._drift.open, *self._rules.open.values())
        return {episode.last.id: episode.last.kind for episode in every if episode is not None}

    def row(self, row: Row) -> list[Event]:
        """The next row, before it is scored: what the rules say."""
        self.last_time = row.time
        self._window.add(row)
        return self._silence.passed(self._quiet(row.time) + self._rules.row(row))

    def idle(self, time: float) -> list[Event]:
        """No row came, and it is `time` now: what the rules of silence say."""
        return self._silence.passed(self._quiet(time) + self._rules.idle(time))

    def look(
        self,
        score: float,
        return_period_s: float | None,
        shares: np.ndarray,
        values: np.ndarray,
        expected: np.ndarray,
        tolerance: np.ndarray | None = None,
        reasons: Sequence[Reason | None] | None = None,
    ) -> Look:
        """The last row as an event shows it; arrays (channels,) in the channels' units."""
        return Look(
            time=self.last_time,
            score=round(score, 4),
            return_period_s=return_period_s,
            contributors=contributors_of(
                self._channels, shares, values, expected, tolerance=tolerance, reasons=reasons
            ),
            window=self._window.span(),
        )

    def open_anomaly(self, look: Look, rising: float) -> list[Event]:
        """The score has opened an episode; it is `rising` since then, NaN where that is not known.

        A fault that comes and goes is one episode: it goes on where its `end` is not told yet.
        """
        ends: list[Event] = []
        if self._anomaly is not None:
            if self._comes_back(self._anomaly, look):
                return self._follow_anomaly(self._anomaly, look)
            ends = self._published_end(math.inf)
        # The onset cannot lie before the window that opened the episode.
        earliest = look.time if look.window is None else look.window.start
        onset = look.time if math.isnan(rising) else max(rising, earliest)
        event = new_event(look, self._new_id(look.time), self._settings.id, "anomaly", onset, self._model)
        event = replace(event, occurrences=self._recurring.begin(look.time, look.contributors))
        self._anomaly = Episode(event, self._settings.update_every_s, led=self._recurring.led)
        self._calm = None
        return self._silence.passed([*ends, event])

    def _comes_back(self, anomaly: Episode, look: Look) -> bool:
        """Whether the open anomaly goes on with this row, which may follow on a quiet while; else it is another one."""
        if self._calm is None or look.time - self._calm.time < self._quiet_s:
            self._calm = None
            return True
        if not self._recurring.is_again(look.time, look.contributors):
            return False
        self._calm = None
        anomaly.recur(self._recurring.begin(look.time, look.contributors))
        return True

    def follow_anomaly(self, look: Look, closed: bool) -> list[Event]:
        """The next score of an open episode, or its last one; the `end` is told when it stayed quiet for a while."""
        if self._anomaly is None:
            return []
        if not closed:
            return self._follow_anomaly(self._anomaly, look)
        self._calm = look
        self._recurring.quiet(look.time, self._anomaly.led)
        return self._silence.passed(self._anomaly.calm(look))

    def _follow_anomaly(self, anomaly: Episode, look: Look) -> list[Event]:
        self._recurring.show(look.contributors)
        must = self._silence.is_due(anomaly.last.id, look.time)
        return self._silence.passed(anomaly.update(look, must))

    def drift(self, look: Look, reach: float) -> list[Event]:
        """A row on which a baseline is at its bound, or was; `reach` is the largest part of a bound that is used."""
        must = self._drift.open is not None and self._silence.is_due(self._drift.open.last.id, look.time)
        return self._silence.passed(self._drift.follow(look, reach, self._anomaly is not None, must))

    def end_all(self, time: float) -> list[Event]:
        """The `end` of whatever is open."""
        ends = self._end_anomaly(time)
        return self._silence.passed(ends + self._drift.end(time) + self._rules.end(time))

    def end_anomaly(self, time: float) -> list[Event]:
        """The `end` of the open anomaly, which was called normal."""
        return self._silence.passed(self._end_anomaly(time))

    def _end_anomaly(self, time: float) -> list[Event]:
        ends = self._published_end(math.inf) if self._calm is not None else []
        anomaly, self._anomaly = self._anomaly, None
        if anomaly is not None:
            ends.append(anomaly.cut(time))
        return ends

    def _quiet(self, time: float) -> list[Event]:
        """What is told at `time` of an anomaly that has fallen quiet: that it calms, and its end."""
        if self._anomaly is None or self._calm is None:
            return []
        if self._anomaly.has_calmed:
            return self._published_end(time)
        now = min(time, max(self.last_time, self._calm.time))
        return self._published_end(time) or self._anomaly.calm(replace(self._calm, time=now))

    def _published_end(self, time: float) -> list[Event]:
        """The `end` of an anomaly that has been quiet long enough at `time`; it ended when it fell quiet."""
        if self._anomaly is None or self._calm is None:
            return []
        calm, anomaly = self._calm, self._anomaly
        if time - calm.time < max(self._quiet_s, self._recurring.wait_s):
            return []
        self._calm = self._anomaly = None
        now = min(time, max(self.last_time, calm.time))
        return [anomaly.end(replace(calm, time=now), end_time=calm.time)]

    def snapshot(self) -> dict[str, Any]:
        """Plain JSON of the open episodes."""
        own = {_ANOMALY: self._anomaly, _DRIFT: self._drift.open, **self._rules.open}
        body = {key: episode.to_dict() for key, episode in own.items() if episode is not None}
        if self._anomaly is not None and self._calm is not None:
            body[_ANOMALY]["calm"] = {name: getattr(self._calm, name) for name in _OF_CALM}
        if self._anomaly is not None:
            body[_ANOMALY]["recurring"] = self._recurring.to_dict()
        for key in self._rules.open:
            body[key] |= self._rules.more(key)
        for part in body.values():
            if part["event"]["id"] in self._silence.held:
                part["held"] = True
        return body

    def restore(self, body: Mapping[str, Any]) -> None:
        """Go on with the episodes of a snapshot.

        Raises:
            KeyError, TypeError, ValueError: it is malformed.
        """
        drift, own = (self._drift.every_s, UPDATE_S), (self._settings.update_every_s, FIRST_UPDATE_S)
        episodes = {str(key): episode_from_dict(part, *(drift if key == _DRIFT else own)) for key, part in body.items()}
        for key, episode in episodes.items():
            if _KINDS.get(key, "rule") != ("rule" if episode.last.rule else episode.last.kind):
                raise ValueError(f"episode {episode.last.id} is not one of {key or 'the score'}")
        self.last_time = max((episode.last.time for episode in episodes.values()), default=-math.inf)
        own_part = body.get(_ANOMALY, {})
        calm, recurring = own_part.get("calm"), own_part.get("recurring")
        if recurring is not None:
            self._recurring = recurring_from_dict(recurring)
        self._calm = None if calm is None else _calm_from_dict(calm)
        if self._calm is not None:
            self.last_time = max(self.last_time, self._calm.time)
        self._silence.held = {episodes[key].last.id for key, part in body.items() if part.get("held")}
        self._anomaly, self._drift.open = episodes.pop(_ANOMALY, None), episodes.pop(_DRIFT, None)
        self._rules.restore(episodes, body)


def _calm_from_dict(body: Mapping[str, Any]) -> Look:
    time, score, rare_s = (None if body[name] is None else float(body[name]) for name in _OF_CALM)
    if time is None or not all(math.isfinite(number) for number in (time, score or 0.0, rare_s or 0.0)):
        raise ValueError("the row that closed an episode wants finite numbers")
    return Look(time, score, rare_s)
