"""From what the ledger keeps of a stream to the state that subscribers get."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from edge.wire.events import event_from_dict
from edge.wire.state import OpenEpisode, StreamState, listed

Judged = Literal["OFF", "commissioning", "unknown"]
"""What a stream is while no episode is open."""


def open_episodes(open_: Mapping[str, Mapping[str, Any]]) -> list[OpenEpisode]:
    """The episodes that a stream's ledger keeps as open; not those that a planned exception keeps back."""
    return [_opened(part) for part in open_.values() if not part.get("held")]


def _opened(part: Mapping[str, Any]) -> OpenEpisode:
    event = event_from_dict(dict(part["event"]))
    channel = event.contributors[0].channel if event.contributors else None
    return OpenEpisode(
        id=event.id,
        kind=event.kind,
        severity=event.severity,
        start_time=event.start_time,
        top_score=event.top_score,
        channel=channel if event.rule is None else event.rule.channel,
        rule=None if event.rule is None else event.rule.name,
        calming=bool(part.get("calm")),
    )


@dataclass
class Standing:
    """How one stream stands: what its last row gave, and which episodes are open."""

    judged: Judged = "unknown"
    score: float = math.nan
    time: float = math.nan
    """Of the last row, Unix seconds; NaN before the first."""
    planned: str | None = None
    tops: Mapping[str, float | None] = field(default_factory=dict)
    """Highest scores of open episodes that have risen since they were told."""
    open_: list[OpenEpisode] = field(default_factory=list)

    def state(self, wall: float) -> StreamState:
        """What to say at wall-clock time `wall`, Unix seconds."""
        open_, more = listed(self.open_)
        return StreamState(
            anomaly="ON" if open_ else self.judged,
            score=None if math.isnan(self.score) else round(self.score, 4),
            time=self.time if math.isfinite(self.time) else wall,
            open=tuple(self._risen(one) for one in open_),
            more=more,
            planned=self.planned,
        )

    def _risen(self, one: OpenEpisode) -> OpenEpisode:
        top = self.tops.get(one.id)
        return one if top is None else replace(one, top_score=top)
