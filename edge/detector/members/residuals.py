"""What the network leaves over of a window: its mean, its mean square, and that of its last rows.

Source: Malhotra et al. 2016, the reconstruction error of an LSTM encoder-decoder; Roberts 1959, the EWMA chart.
"""

import numpy as np

from edge.detector.members.member import Measured, Member
from edge.detector.members.tuning import Tuning

_RECENT = 1 / 3
"""The last rows of a window that count as recent, as a part of it."""


def _charted(window: int, tuning: Tuning) -> float:
    return 2 * tuning.error_windows * window


def _recent_squares(rows: Measured) -> np.ndarray:
    recent = max(1, round(rows.squares.shape[1] * _RECENT))
    return rows.squares[:, -recent:].sum(axis=1) / recent


BIAS = Member(
    "bias", "relation", network=True, floor=1e-3, span_rows=_charted, parts=lambda rows: rows.bias, squared=False
)
ENERGY = Member("energy", "noise", network=True, floor=1e-3, span_rows=_charted, parts=lambda rows: rows.energy)
RECENT = Member(
    "recent",
    "pattern",
    network=True,
    floor=0.3,
    span_rows=lambda window, _: max(1.0, window * _RECENT),
    parts=_recent_squares,
    value=lambda _, parts: parts.sum(axis=1) / parts.shape[1],
)
