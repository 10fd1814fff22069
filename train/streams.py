"""Runs as the streams that `edge.detector` takes: cut into pieces that are replayed side by side."""

from collections.abc import Sequence

import numpy as np

from edge.detector.rows import Row
from edge.detector.runs import Run as StreamRun
from edge.detector.season import Calendar
from train.dataset import Run, Segment

_PIECES = 16
"""Pieces at most: streams side by side cost little more than one, so a replay takes a fraction of the time."""
_LEAST_WINDOWS = 20
"""Windows in a piece at least: each starts with charts and baseline at rest, as a device does."""


def as_stream(run: Run, calendar: Calendar) -> StreamRun:
    """A run as one stream; each segment but the first begins with a restart."""
    times = np.concatenate([segment.times for segment in run.segments])
    restart = np.zeros(len(times), bool)
    restart[np.cumsum([0, *(len(segment) for segment in run.segments[:-1])])] = True
    return StreamRun(
        times, np.concatenate([segment.values for segment in run.segments]), calendar.slots_of(times), restart
    )


def in_pieces(runs: Sequence[Run], window: int) -> list[Run]:
    """The runs, with long segments cut so that about `_PIECES` pieces of like length can be replayed side by side."""
    total = sum(run.rows for run in runs)
    length = max(total // _PIECES, _LEAST_WINDOWS * window)
    pieces: list[Run] = []
    for run in runs:
        for segment in run.segments:
            count = max(1, round(len(segment) / length))
            pieces.extend(_piece(run.name, segment, part, count) for part in range(count))
    return pieces


def _piece(name: str, segment: Segment, part: int, count: int) -> Run:
    edges = np.linspace(0, len(segment), count + 1).astype(int)
    return Run(name, (segment.part(edges[part], edges[part + 1]),))


def rows_of(run: Run) -> list[Row]:
    """The run's grid rows, as the aligner gave them."""
    return [
        Row(float(time), values, restart=number == 0)
        for segment in run.segments
        for number, (time, values) in enumerate(zip(segment.times, segment.values, strict=True))
    ]
