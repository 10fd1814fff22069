"""What a row gives."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from edge.detector.score.explanation import Explanation
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
    planned: str | None = None
    """Name of the planned exception that the row lies in."""
    values: np.ndarray | None = field(default=None, repr=False, compare=False)
    """(channels,): the row, in the channels' units; NaN where missing."""
    explanation: Explanation | None = field(default=None, repr=False, compare=False)
    """What was unusual about each channel of this row; None where the row was not scored itself."""

    @property
    def shares(self) -> dict[str, float]:
        """Channel to its part in the score, in sum 1, or all 0 where the score is; empty where it was not scored."""
        return {} if self.explanation is None else self.explanation.shares

    @property
    def expected(self) -> dict[str, float]:
        """Channel to the value that was expected of it, in its unit; empty where the row was not scored."""
        return {} if self.explanation is None else self.explanation.expected

    @property
    def tolerance(self) -> dict[str, float]:
        """Channel to how far normal rows stay from what is expected, in its unit; empty like that."""
        return {} if self.explanation is None else self.explanation.tolerance
