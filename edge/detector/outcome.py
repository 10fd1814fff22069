"""What a row gives."""

from dataclasses import dataclass
from typing import Literal

from edge.wire.events import Event

Anomaly = Literal["ON", "OFF", "commissioning"]


@dataclass(frozen=True)
class Outcome:
    """What one row gave."""

    stream: int
    time: float
    score: float
    """1.0 is the alarm level; NaN while there is none. Between two inferences that of the last one."""
    alarm: bool
    """Whether the score is in alarm at this row."""
    anomaly: Anomaly
    """`ON` from an episode's `new` to its `end`, which is told when the alarm has been off for a while."""
    event_id: str | None
    """Of the episode that is not ended."""
    top_channel: str | None
    """The channel with the largest share in the score, None while there is no score."""
    events: tuple[Event, ...]
