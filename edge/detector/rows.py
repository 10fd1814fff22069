"""A row: all channels of one stream at one instant of the grid."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Row:
    """One grid instant of a stream."""

    time: float
    """Grid instant, Unix seconds: a multiple of the period."""
    values: np.ndarray
    """(channels,) float64 in the channels' units; NaN where nothing is known."""
    restart: bool = False
    """A gap longer than `max_gap_s` lies before this row: windows start over."""
