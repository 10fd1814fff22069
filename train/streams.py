"""Runs as the streams that `edge.detector` takes: cut into pieces that are replayed side by side."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from edge.detector.rows import Row
from edge.detector.runs import Run as StreamRun
from edge.detector.season import Calendar
from train.dataset import Run

_PIECES = 16
"""Pieces at most: streams side by side cost little more than one, so a replay takes a fraction of the time."""
_LEAST_WINDOWS = 20
"""Windows in a piece at least."""
_LEAD_WINDOWS = 40
"""Windows before a piece that bring charts and baseline to where they would be: twice the baseline's time constant."""


def as_stream(run: Run, calendar: Calendar, lead: int = 0) -> StreamRun:
    """A run as one stream; each segment but the first begins with a restart."""
    times = np.concatenate([segment.times for segment in run.segments])
    restart = np.zeros(len(times), bool)
    restart[np.cumsum([0, *(len(segment) for segment in run.segments[:-1])])] = True
    return StreamRun(
        times, np.concatenate([segment.values for segment in run.segments]), calendar.slots_of(times), restart, lead
    )


def in_pieces(runs: Sequence[Run], window: int, calendar: Calendar) -> list[StreamRun]:
    """The runs as streams, long segments cut so that about `_PIECES` of like length can be replayed side by side.

    All but the first piece of a segment begin with a lead: the start of a segment is how
    a device begins, with its baseline at rest, and that is not to be seen sixteen times.
    """
    total = sum(run.rows for run in runs)
    length = max(total // _PIECES, _LEAST_WINDOWS * window)
    pieces: list[StreamRun] = []
    for run in runs:
        for segment in run.segments:
            edges = np.linspace(0, len(segment), max(1, round(len(segment) / length)) + 1).astype(int)
            for start, end in pairwise(edges.tolist()):
                first = max(0, start - _LEAD_WINDOWS * window)
                piece = Run(run.name, (segment.part(first, end),))
                pieces.append(as_stream(piece, calendar, lead=start - first))
    return pieces


def rows_of(run: Run) -> list[Row]:
    """The run's grid rows, as the aligner gave them."""
    return [
        Row(float(time), values, restart=number == 0)
        for segment in run.segments
        for number, (time, values) in enumerate(zip(segment.times, segment.values, strict=True))
    ]
