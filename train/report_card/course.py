"""What the course of a column shows: holes, and a trend that is longer than the recording."""

import numpy as np

from train.console.words import duration, number, percent
from train.report_card.series import Series, longest, middle
from train.report_card.values import FEWEST_VALUES

_HOLES = 0.01
"""Part of the rows from which a column has holes; fewer are lost messages."""
_PARTS = 5
_BACK = 0.1
"""Part of the whole way that the median of a fifth may go back: noise does, a wave goes back further."""
_LEAST_ROWS = 50
"""Readings below which fifths say nothing."""


def holes(series: Series, period_s: float) -> str | None:
    """How much of a column is missing on the grid, and for how long at most."""
    missing = [np.isnan(piece) for piece in series.pieces]
    rows = sum(map(len, missing))
    part = sum(int(one.sum()) for one in missing) / rows if rows else 0.0
    if part < _HOLES:
        return None
    most = max(longest(one) for one in missing)
    return f"missing in {percent(part)} of the rows, for {duration(most * period_s)} at the longest"


def trend(series: Series) -> str | None:
    """That a column moved one way all along, and further than it varies within a fifth of the rows."""
    if len(series.known) < _LEAST_ROWS or len(series.values) < FEWEST_VALUES:
        return None
    fifths = np.array_split(series.known, _PARTS)
    medians = [float(np.median(part)) for part in fifths]
    moved = medians[-1] - medians[0]
    back = (np.diff(medians) * np.sign(moved)).min()
    if abs(moved) <= max(middle(fifths[0]), middle(fifths[-1])) or back < -_BACK * abs(moved):
        return None
    return (
        f"moves from {number(medians[0])} in the first fifth of the rows to {number(medians[-1])} in the last: "
        "what is normal may go on moving"
    )
