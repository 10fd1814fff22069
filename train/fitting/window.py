"""How many rows a window has where nobody says, and how many rows would do where there are too few."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from edge.detector.learn.runs import Run as Piece
from edge.detector.members.registry import NAMES, wanted_rows
from edge.detector.members.tuning import DEFAULT
from edge.detector.rows.season import Calendar
from train.console.errors import FitError, TooFewRowsError
from train.console.words import plural
from train.fitting.second import second_split
from train.network.streams import in_pieces
from train.read.dataset import Run, Segment
from train.read.split import split_runs

USUAL = 30
"""Rows."""
_LEAST = 10
"""Fewer show no shape that a row by itself does not."""
FILLING = 3
"""Windows of each run that limits do not rest on, or not in full: two at its beginning, and some rows more."""
_LONGER = 1.02
"""Times the rows that are tried next."""
_MOST_TRIED = 220
"""Rows that are tried: 1.02 ** 220 times as many as there are, some eighty times."""


def usual_window(runs: Sequence[Run]) -> int:
    """30 rows, or fewer where the runs are too short for that: as many as leave enough stretches for a limit.

    >>> usual_window([])
    10
    """
    used = [run.rows for run in runs if run.rows]
    return max(_LEAST, min(USUAL, sum(used) // (round(DEFAULT.stretches) + FILLING * len(used))))


@contextmanager
def telling_how_many(runs: Sequence[Run], window: int, calibration_part: float) -> Iterator[None]:
    """Where rows are too few, says how many do: of recordings and gaps as they are, and of one recording without a gap.

    Raises:
        FitError: in place of `TooFewRowsError`.
    """
    try:
        yield
    except TooFewRowsError as few:
        asked = window != usual_window(runs)
        alike, one = (_enough(lengths, window, asked, calibration_part) for lengths in (_lengths(runs), [[window]]))
        stretches = sum(len(run.segments) for run in runs)
        wanted = [] if alike is None else [f"{alike} and more in {stretches} stretches as these are"]
        if one is not None:
            wanted = [*(wanted if stretches > 1 else []), f"{one} and more without a gap"]
        told = f"give {', or '.join(wanted)}" if wanted else "give another --calibration-part"
        text = f"{few.found} ({plural(stretches, 'stretch', 'stretches')} without a gap); {told}"
        raise FitError(f"{text}, or a smaller --window than {window}") from few


def _lengths(runs: Sequence[Run]) -> list[list[int]]:
    """Rows of each segment of each run, in the order of time."""
    by_time = sorted((run for run in runs if run.rows), key=lambda run: float(run.segments[0].times[0]))
    return [[len(segment) for segment in run.segments] for run in by_time]


def _enough(lengths: Sequence[Sequence[int]], window: int, asked: bool, calibration_part: float) -> int | None:
    """Rows from which on stretches of these lengths, all longer by as much, do; None where none are found.

    They do for this window and, unless it was `asked` for, for the one that so many rows will have.
    """
    found: int | None = None
    for power in range(_MOST_TRIED):
        longer = [[int(np.ceil(rows * _LONGER**power)) for rows in run] for run in lengths]
        runs = _made(longer)
        does = all(_does(runs, one, calibration_part) for one in {window, window if asked else usual_window(runs)})
        if does and found is None:
            found = sum(map(sum, longer))
        elif not does:
            found = None
        if found is not None and (asked or usual_window(runs) == USUAL):
            break
    return found


def _does(runs: Sequence[Run], window: int, calibration_part: float) -> bool:
    """Whether a statistic would take part that rests on these rows."""
    try:
        split = split_runs(runs, calibration_part, window)
    except TooFewRowsError:
        return False
    pieces = in_pieces(split, window, Calendar(None, "UTC"), second_split(runs, split, window))
    wanted = min(wanted_rows(name, window, DEFAULT) for name in NAMES)
    return sum(_judged(piece, window) for piece in pieces) >= wanted


def _judged(piece: Piece, window: int) -> int:
    """Rows of a piece that limits rest on: behind its first window, and held for as long as an alarm has to be."""
    return max(0, len(piece.times) - max(piece.lead, window - 1) - (DEFAULT.min_windows - 1))


def _made(lengths: Sequence[Sequence[int]]) -> list[Run]:
    """Runs without values, a row a second, whose segments have so many rows."""
    runs, start = [], 0.0
    for number, run in enumerate(lengths):
        segments = []
        for rows in run:
            segments.append(Segment(start + np.arange(rows, dtype=float), np.zeros((rows, 1))))
            start += 10.0 * rows + 1000.0
        runs.append(Run(str(number), tuple(segments)))
    return runs
