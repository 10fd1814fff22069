"""A row: all channels of one stream at one instant of the grid."""

from typing import NamedTuple

import numpy as np


class Row(NamedTuple):
    """One grid instant of a stream."""

    # Not a frozen dataclass: those set each field through object.__setattr__, which takes three times as long.
    time: float
    """Grid instant, Unix seconds: a multiple of the period."""
    values: np.ndarray
    """(channels,) float64 in the channels' units; NaN where nothing is known."""
    restart: bool = False
    """A gap longer than `max_gap_s` lies before this row: windows start over."""
    held: tuple[int, ...] = ()
    """Positions in `values` that hold an older row's value for want of a reading."""
