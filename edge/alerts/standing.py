"""From what the ledger keeps of a stream to the state that subscribers get."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from time import time as wall_clock
from typing import Any, Literal

from edge.alerts.attention import Attention, Snooze
from edge.wire.events import event_from_dict
from edge.wire.state import MOST_LISTED, EpisodeNow, OpenEpisode, Snoozed, StreamState, listed

Judged = Literal["OFF", "commissioning", "unknown"]
"""What a stream is while no episode is open."""


def open_episodes(open_: Mapping[str, Mapping[str, Any]], attention: Attention) -> list[OpenEpisode]:
    """The episodes that a stream's ledger keeps as open; not those that a planned exception keeps back."""
    told = ((key, part) for key, part in open_.items() if part.get("shelved") or not part.get("held"))
    return [_opened(part, attention, attention.snoozed.get(key)) for key, part in told]


def _opened(part: Mapping[str, Any], attention: Attention, snooze: Snooze | None) -> OpenEpisode:
    event = event_from_dict(dict(part["event"]))
    channel = event.contributors[0].channel if event.contributors else None
    mark = attention.acknowledged.get(event.id)
    group = part.get("group")
    return OpenEpisode(
        id=event.id,
        kind=event.kind,
        severity=event.severity,
        start_time=event.start_time,
        top_score=event.top_score,
        channel=channel if event.rule is None else event.rule.channel,
        rule=None if event.rule is None else event.rule.name,
        calming=bool(part.get("calm")),
        acknowledged=mark is not None,
        acknowledged_at=None if mark is None else mark.at,
        acknowledged_by=(mark.by or None) if mark else None,
        snoozed_until=None if snooze is None else snooze.until,
        group=str(group[0]) if group else None,
        occurrences=event.occurrences,
    )


def snoozes(attention: Attention) -> tuple[Snoozed, ...]:
    """What a state lists as snoozed, the first to end first."""
    ordered = sorted(attention.snoozed.values(), key=lambda one: (one.until, one.event_id))
    return tuple(
        Snoozed(one.event_id, one.kind, one.until, one.rule, one.channel, one.at, one.by or None, one.flaps)
        for one in ordered[:MOST_LISTED]
    )


@dataclass
class Standing:
    """How one stream stands: what its last row gave, and which episodes are open."""

    judged: Judged = "unknown"
    score: float = math.nan
    time: float = math.nan
    """Of the last row, Unix seconds; NaN before the first."""
    planned: str | None = None
    now: Mapping[str, EpisodeNow] = field(default_factory=dict)
    """How open episodes stand since they were told of."""
    open_: list[OpenEpisode] = field(default_factory=list)
    snoozed: tuple[Snoozed, ...] = ()

    since: float = field(default_factory=wall_clock)
    """When `judged` became what it is, Unix seconds."""

    def judge(self, judged: Judged) -> None:
        """What the stream is from now on."""
        if judged != self.judged:
            self.judged, self.since = judged, wall_clock()

    def state(self, wall: float) -> StreamState:
        """What to say at wall-clock time `wall`, Unix seconds."""
        open_, more = listed(self.open_)
        return StreamState(
            anomaly="ON" if open_ else self.judged,
            score=None if math.isnan(self.score) else round(self.score, 4),
            time=self.time if math.isfinite(self.time) else wall,
            open=tuple(map(self._as_it_stands, open_)),
            more=more,
            snoozed=self.snoozed,
            planned=self.planned,
        )

    def _as_it_stands(self, one: OpenEpisode) -> OpenEpisode:
        now = self.now.get(one.id)
        if now is None:
            return one
        top = one.top_score if now.top_score is None else now.top_score
        return replace(one, top_score=top, calming=now.calming, occurrences=now.occurrences)
