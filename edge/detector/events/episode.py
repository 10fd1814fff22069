"""Which events an open episode makes, and when: `new`, not too many `update`s, `end`."""

import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from edge.wire.events import (
    Contributor,
    Event,
    Kind,
    ModelRef,
    Peak,
    RuleHit,
    Severity,
    WindowSpan,
    event_from_dict,
    event_to_dict,
)


def episode_id(time: float, entropy: bytes) -> str:
    """A version 7 UUID of a time in Unix seconds and 10 random bytes (RFC 9562, section 5.7)."""
    milliseconds = max(0, int(time * 1000)) & (2**48 - 1)
    number = milliseconds << 80 | int.from_bytes(entropy[:10], "big")
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0b11 << 62) | 0b10 << 62
    return str(uuid.UUID(int=number))


def random_id(time: float) -> str:
    """An id that nobody else has."""
    return episode_id(time, os.urandom(10))


LEAST_UPDATE_S = 5.0
"""Updates of one episode are never closer than this, seconds of stream time."""
FIRST_UPDATE_S = 60.0
"""And an episode that only goes on is told after this long, seconds, then after twice as long, and so on."""
LEVEL = 1.0
"""Score of the alarm level, and the part of its bound at which a baseline is a drift."""
_LEAD_FACTOR = 12
"""Each further channel that leads waits so many times longer: 5 s, a minute, 12 minutes, then as all else."""
_LED_KEPT = 100
"""Channels that have led, as the state file keeps them; of so many, another one is no news."""
_TOP_CHANNEL_LEAD = 0.1
"""A channel must lead by this much share before it counts as the new top channel, or two equals would take turns."""
CRITICAL = 2.0
"""Score from which an anomaly may be critical. What is just over the alarm level is already rarer than a calibration of
hours can tell, so rarity alone would call nearly all anomalies critical. Half of it is the alarm level, which all
reach; twice of it many faults never do."""
CRITICAL_PERIOD_S = 30 * 86_400.0
"""And how rare its score must be on normal rows, seconds, so that a false alert is critical once a month at the most.
Only a tail of three days or more tells so long a period; twice of it takes six, half of it one and a half."""
_SEVERITIES: tuple[Severity, ...] = get_args(Severity)  # the worst last


@dataclass(frozen=True)
class Look:
    """An episode as one row shows it."""

    time: float
    score: float | None
    return_period_s: float | None = None
    contributors: tuple[Contributor, ...] = ()
    window: WindowSpan | None = None
    rule: RuleHit | None = None


class Episode:
    """One open episode of one stream; it remembers what was last said of it.

    News is told at once: that it became worse, that another channel leads than any that was told. Else it is told
    after `first_s` seconds, then after twice that and so on, at last every `update_every_s`: an episode is a few
    messages however long it lasts. One that has come back is told first after `update_every_s`, then every second
    time: it is no news. A row under the alarm level is not told, it would read as if all were well.
    """

    def __init__(
        self, event: Event, update_every_s: float, first_s: float = FIRST_UPDATE_S, led: Sequence[str] = ()
    ) -> None:
        """`led`: channels that were told as leading when it came before."""
        self.last = event if event.score != event.top_score else replace(event, peak=event.peak or _peak(event))
        """As it was said last; only its top score and its peak are those of all rows since."""
        self._update_every_s, self._first_s = max(update_every_s, LEAST_UPDATE_S), first_s
        if event.occurrences > 1:
            self._first_s, self._update_every_s = self._update_every_s, 2 * self._update_every_s
        self._said_at = event.time
        self._updates = 0
        leads = [part.channel for part in event.contributors[:1]]
        self._led = [*(name for name in led if name not in leads), *leads]  # told as leading
        self.has_calmed = event.occurrences > 1
        """Whether it was told once that it calms, or that it is known to come and go."""

    def update(self, look: Look, must: bool = False) -> list[Event]:
        """The `update` that this row is worth, if any; one that `must` be told is, unless the row is a calm one."""
        event = _next(self.last, look)
        due_s = look.time - self._said_at
        worse = _severity_rose(self.last, event)
        if look.score is not None and look.score < LEVEL:
            # What became worse just before is told as it was at its worst.
            if worse and due_s >= LEAST_UPDATE_S:
                return self._say(_at_peak(event))
            return self._pass_over(event)
        news = worse or self._leads_anew(event, due_s)
        if must or due_s >= self._wait_s(self._first_s, 2, self._updates) or (news and due_s >= LEAST_UPDATE_S):
            return self._say(event)
        return self._pass_over(event)

    @property
    def led(self) -> tuple[str, ...]:
        """Channels that were told as leading."""
        return tuple(self._led)

    def recur(self, occurrences: int) -> None:
        """It was quiet for a while, and is in alarm again, so many times by now."""
        self.last = replace(self.last, occurrences=occurrences)

    def calm(self, look: Look) -> list[Event]:
        """The alarm is off since this row: the last `update` for as long as it stays so.

        Of a fault that comes and goes it is told at once the first time, then as rarely as anything else.
        """
        due_s = look.time - self._said_at
        wait_s = self._wait_s(self._first_s, 2, self._updates) if self.has_calmed else LEAST_UPDATE_S
        if self.last.calming or due_s < wait_s:
            return []
        self.has_calmed = True
        event = replace(_next(self.last, look), calming=True, contributors=self.last.contributors)
        return self._say(event)

    def _wait_s(self, first_s: float, factor: int, times: int) -> float:
        return min(first_s * factor ** min(times, 20), self._update_every_s)

    def _leads_anew(self, event: Event, due_s: float) -> bool:
        """Whether a channel leads that was not told yet; each further one waits longer, or many would take turns."""
        if not _top_changed(self.last, event) or event.contributors[0].channel in self._led:
            return False
        return due_s >= self._wait_s(LEAST_UPDATE_S, _LEAD_FACTOR, len(self._led) - 1)

    def _say(self, event: Event) -> list[Event]:
        self.last, self._said_at = event, event.time
        self._updates += 1
        leader = next((part.channel for part in event.contributors), None)
        if leader is not None and leader not in self._led:
            self._led.append(leader)
        return [event]

    def _pass_over(self, event: Event) -> list[Event]:
        self.last = replace(self.last, top_score=event.top_score, peak=event.peak)
        return []

    def end(self, look: Look, end_time: float | None = None) -> Event:
        """The `end`, at `end_time` where that lies before this row.

        Its contributors and rule are those last said, since the row that ends it shows none.
        """
        event = _next(self.last, look)
        over = look.time if end_time is None else end_time
        return replace(
            event,
            event_type="end",
            end_time=max(over, event.start_time),
            contributors=self.last.contributors or event.contributors,
            rule=self.last.rule,
        )

    def cut(self, time: float) -> Event:
        """The `end` because nothing more will come: all as it was said last."""
        return self.end(Look(max(time, self.last.time), self.last.score, self.last.return_period_s))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, for the state file."""
        return {
            "event": event_to_dict(self.last),
            "said_at": self._said_at,
            "updates": self._updates,
            "led": self._led[:_LED_KEPT],
            "calmed": self.has_calmed,
        }


def episode_from_dict(body: Mapping[str, Any], update_every_s: float, first_s: float = FIRST_UPDATE_S) -> Episode:
    """The episode that `to_dict` wrote, or wrote in an older version.

    Raises:
        KeyError, TypeError, ValueError: it is malformed.
    """
    event = event_from_dict(dict(body["event"]))
    if event.event_type == "end":
        raise ValueError(f"episode {event.id} is over")
    episode = Episode(event, update_every_s, first_s)
    episode._said_at = float(body["said_at"])
    episode._updates = max(0, int(body.get("updates", 0)))
    episode._led = [str(name) for name in body.get("led", episode._led)][:_LED_KEPT]
    episode.has_calmed = bool(body.get("calmed"))
    return episode


def new_event(look: Look, id_: str, stream: str, kind: Kind, start_time: float, model: ModelRef | None = None) -> Event:
    """The first event of an episode."""
    return Event(
        event_type="new",
        id=id_,
        stream=stream,
        kind=kind,
        start_time=start_time,
        end_time=None,
        time=look.time,
        score=look.score,
        top_score=look.score,
        severity=severity_of(kind, look.score, look.return_period_s),
        return_period_s=look.return_period_s,
        contributors=look.contributors,
        rule=look.rule,
        window=look.window,
        model=model,
        peak=_peak(look),
    )


def severity_of(kind: Kind, score: float | None, return_period_s: float | None) -> Severity:
    """How bad a row is: an anomaly is critical where its score is at least `CRITICAL` and so rare on normal rows that
    it comes once in `CRITICAL_PERIOD_S` or less often; all else is a warning.

    None is the rarest class: rarer than the tail can tell. Where there is no tail it is None as well, since nothing
    is known of rarity, and the score alone decides.

    >>> [severity_of("anomaly", 2.5, period_s) for period_s in (86_400.0, 2_592_000.0, None)]
    ['warning', 'critical', 'critical']
    >>> severity_of("anomaly", 1.9, None)
    'warning'
    """
    rare = return_period_s is None or return_period_s >= CRITICAL_PERIOD_S
    loud = score is not None and score >= CRITICAL
    return "critical" if kind == "anomaly" and rare and loud else "warning"


def _peak(row: Look | Event) -> Peak | None:
    return None if row.score is None else Peak(row.time, row.score, row.return_period_s, row.contributors)


def _at_peak(event: Event) -> Event:
    """The event as its loudest row shows it."""
    peak = event.peak
    if peak is None:
        return event
    contributors = peak.contributors or event.contributors
    return replace(event, score=peak.score, return_period_s=peak.return_period_s, contributors=contributors)


def _next(last: Event, look: Look) -> Event:
    louder = look.score is not None and (last.top_score is None or look.score > last.top_score)
    top, peak = (look.score, _peak(look)) if louder else (last.top_score, last.peak)
    # Of a peak that an older version did not keep, only the score is known.
    severity = severity_of(last.kind, top, None if peak is None else peak.return_period_s)
    return replace(
        last,
        event_type="update",
        time=look.time,
        score=look.score,
        top_score=top,
        severity=_worse(last.severity, severity),
        return_period_s=look.return_period_s,
        contributors=look.contributors or last.contributors,
        window=look.window or last.window,
        rule=look.rule or last.rule,
        peak=peak,
        calming=False,
    )


def _worse(one: Severity, other: Severity) -> Severity:
    return max(one, other, key=_SEVERITIES.index)


def _severity_rose(before: Event, after: Event) -> bool:
    return _SEVERITIES.index(after.severity) > _SEVERITIES.index(before.severity)


def _top_changed(before: Event, after: Event) -> bool:
    if not before.contributors or not after.contributors:
        return False
    old, new = before.contributors[0].channel, after.contributors[0]
    share = next((part.share for part in after.contributors if part.channel == old), 0.0)
    return new.channel != old and new.share > share + _TOP_CHANNEL_LEAD
