"""Which events an open episode makes, and when: `new`, not too many `update`s, `end`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edge.wire.events import (
    Contributor,
    Event,
    Kind,
    ModelRef,
    RuleHit,
    Severity,
    WindowSpan,
    event_from_dict,
    event_to_dict,
)

LEAST_UPDATE_S = 5.0
"""Updates of one episode are never closer than this, seconds of stream time."""
_TOP_CHANNEL_LEAD = 0.1
"""A channel must lead by this much share before it counts as the new top channel, or two equals would take turns."""
CRITICAL = 2.0
"""Score from which an episode is critical."""


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
        self.last = event
        """As it was said last; only its top score is that of all rows since."""
        self._update_every_s = max(update_every_s, LEAST_UPDATE_S)
        self._said_at = event.time

    def update(self, look: Look) -> list[Event]:
        """The `update` that this row is worth, if any."""
        event = _next(self.last, look)
        due_s = look.time - self._said_at
        news = _severity_rose(self.last, event) or _top_changed(self.last, event)
        if due_s >= self._update_every_s or (news and due_s >= LEAST_UPDATE_S):
            self.last, self._said_at = event, look.time
            return [event]
        self.last = replace(self.last, top_score=event.top_score)
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
        severity=_severity(kind, look.score),
        return_period_s=look.return_period_s,
        contributors=look.contributors,
        rule=look.rule,
        window=look.window,
        model=model,
    )


def contributors_of(
    channels: Sequence[tuple[str, str]], shares: np.ndarray, values: np.ndarray, expected: np.ndarray, most: int = 3
) -> tuple[Contributor, ...]:
    """The `most` largest shares with value and expected value; all arrays (channels,), `channels` name and unit."""
    order = np.argsort(-shares, kind="stable")[:most]
    return tuple(
        Contributor(
            channels[i][0], round(float(shares[i]), 4), _number(values[i]), _number(expected[i]), channels[i][1]
        )
        for i in order
        if shares[i] > 0
    )


def _number(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None


def _next(last: Event, look: Look) -> Event:
    top = look.score if last.top_score is None else max(last.top_score, look.score or 0.0)
    severity = _severity(last.kind, top)
    return replace(
        last,
        event_type="update",
        time=look.time,
        score=look.score,
        top_score=top,
        severity=severity,
        return_period_s=look.return_period_s,
        contributors=look.contributors or last.contributors,
        window=look.window or last.window,
        rule=look.rule or last.rule,
    )


def _severity(kind: Kind, score: float | None) -> Severity:
    if kind == "anomaly" and score is not None and score >= CRITICAL:
        return "critical"
    return "warning"


def _severity_rose(before: Event, after: Event) -> bool:
    return before.severity != "critical" and after.severity == "critical"


def _top_changed(before: Event, after: Event) -> bool:
    if not before.contributors or not after.contributors:
        return False
    old, new = before.contributors[0].channel, after.contributors[0]
    share = next((part.share for part in after.contributors if part.channel == old), 0.0)
    return new.channel != old and new.share > share + _TOP_CHANNEL_LEAD
