"""Which events an open episode makes, and when: `new`, not too many `update`s, `end`."""

import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np

from edge.wire.events import (
    Contributor,
    Direction,
    Event,
    Kind,
    ModelRef,
    Peak,
    Reason,
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
    """One open episode of one stream; it remembers what was last said of it."""

    def __init__(self, event: Event, update_every_s: float) -> None:
        self.last = event if event.score != event.top_score else replace(event, peak=event.peak or _peak(event))
        """As it was said last; only its top score and its peak are those of all rows since."""
        self._update_every_s = max(update_every_s, LEAST_UPDATE_S)
        self._said_at = event.time

    def update(self, look: Look, again: bool = False) -> list[Event]:
        """The `update` that this row is worth, if any; its alarm came back `again` after it had gone off."""
        event = _next(self.last, look)
        due_s = look.time - self._said_at
        news = again or _severity_rose(self.last, event) or _top_changed(self.last, event)
        if due_s >= self._update_every_s or (news and due_s >= LEAST_UPDATE_S):
            self.last, self._said_at = event, look.time
            return [event]
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
        return {"event": event_to_dict(self.last), "said_at": self._said_at}


def episode_from_dict(body: Mapping[str, Any], update_every_s: float) -> Episode:
    """The episode that `to_dict` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is malformed.
    """
    event = event_from_dict(dict(body["event"]))
    if event.event_type == "end":
        raise ValueError(f"episode {event.id} is over")
    episode = Episode(event, update_every_s)
    episode._said_at = float(body["said_at"])
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


def contributors_of(
    channels: Sequence[tuple[str, str]],
    shares: np.ndarray,
    values: np.ndarray,
    expected: np.ndarray,
    most: int = 3,
    tolerance: np.ndarray | None = None,
    reasons: Sequence[Reason | None] | None = None,
) -> tuple[Contributor, ...]:
    """The `most` largest shares; all arrays (channels,) in the channels' units, NaN where not known.

    `channels` are names and units, `tolerance` how far from `expected` normal rows stay.
    """

    def part(i: int) -> Contributor:
        name, unit = channels[i]
        value, usual = _number(values[i]), _number(expected[i])
        reach = None if tolerance is None else _number(tolerance[i])
        reason = None if reasons is None else reasons[i]
        side = _direction(value, usual, reach, reason)
        return Contributor(name, round(float(shares[i]), 4), value, usual, unit, reach, side, reason)

    order = np.argsort(-shares, kind="stable")[:most].tolist()
    return tuple(part(i) for i in order if shares[i] > 0)


def _direction(
    value: float | None, expected: float | None, tolerance: float | None, reason: Reason | None
) -> Direction | None:
    """On which side the value is; None where that says nothing: noise and patterns are as often on the other one."""
    if value is None or expected is None or value == expected:
        return None
    if reason in ("noise", "pattern") and tolerance is not None and abs(value - expected) <= tolerance:
        return None
    return "above" if value > expected else "below"


def _number(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None


def _peak(row: Look | Event) -> Peak | None:
    return None if row.score is None else Peak(row.time, row.score, row.return_period_s, row.contributors)


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
