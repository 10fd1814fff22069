"""How many rows a window has where nobody says."""

from collections.abc import Sequence

from edge.detector.members.tuning import DEFAULT
from train.read.dataset import Run

USUAL = 30
"""Rows."""
_LEAST = 10
"""Fewer show no shape that a row by itself does not."""
FILLING = 3
"""Windows of each run that limits do not rest on, or not in full: two at its beginning, and some rows more."""


def usual_window(runs: Sequence[Run]) -> int:
    """30 rows, or fewer where the runs are too short for that: as many as leave enough stretches for a limit.

    >>> usual_window([])
    10
    """
    used = [run.rows for run in runs if run.rows]
    return max(_LEAST, min(USUAL, sum(used) // (round(DEFAULT.stretches) + FILLING * len(used))))
