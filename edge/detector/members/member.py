"""What a member is: a statistic of a row with a name, one number and each channel's part in it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge.detector.members.tuning import Tuning
from edge.wire.events import Reason


@dataclass(frozen=True)
class Measured:
    """What n rows that completed a window left for the members to judge."""

    level: np.ndarray
    """(n, channels): EWMA of distances from the baseline, z-units, signed."""
    rest: np.ndarray
    """(n, channels): EWMA of the squared parts of rows outside the principal components, squared z-units."""
    bias: np.ndarray
    """(n, channels): EWMA of the windows' mean residuals, residual scales, not signed."""
    energy: np.ndarray
    """(n, channels): EWMA of the windows' mean squared residuals, squared residual scales."""
    squares: np.ndarray
    """(n, window, channels): squared residuals, squared residual scales; 0 where a reading is missing."""
    away: np.ndarray
    """(n,): mean distance of windows from the nearest remembered ones; NaN where nothing is remembered."""
    from_nearest: np.ndarray
    """(n, channels): the parts of it."""


@dataclass(frozen=True)
class Member:
    """A statistic: how it is computed, and what there is to know of it without that."""

    name: str
    reason: Reason
    """What a channel's part in it says of the channel."""
    network: bool
    """Whether it judges what the network makes of a window; then rows that the network was fitted on say nothing."""
    floor: float
    """Least limit: rows that never differ have none of their own. In the member's own unit."""
    span_rows: Callable[[int, Tuning], float]
    """Rows that it averages over, for a window of so many. An EWMA with time constant t does over 2 t of them."""
    parts: Callable[[Measured], np.ndarray]
    """(n, channels): how much of it comes from each channel, not negative."""
    value: Callable[[Measured, np.ndarray], np.ndarray] | None = None
    """(n,): the number, of what was measured and of the parts; None where it is the loudest channel's part, relative to
    the channel's usual size."""
    squared: bool = True
    """Whether parts are squares; those that are not are squared before channels are compared."""

    @property
    def by_channel(self) -> bool:
        """Whether its number is the loudest channel's."""
        return self.value is None
