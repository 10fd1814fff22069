"""Runs as the streams that `edge.detector` takes: cut into pieces that are replayed side by side."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from edge.detector.learn.commissioning import part_of
from edge.detector.learn.prepare import FOLDS
from edge.detector.learn.runs import Run as StreamRun
from edge.detector.rows.row import Row
from edge.detector.rows.season import Calendar
from train.read.dataset import Run, Segment
from train.read.split import Split

_PIECES = 16
"""Pieces at most: streams side by side cost little more than one, so a replay takes a fraction of the time."""
_LEAST_ROWS = 20
"""Rows in a piece at least, where that makes enough of them to try each on what the others teach."""


def as_stream(run: Run, calendar: Calendar, lead: int = 0) -> StreamRun:
    """A run as one stream; each segment but the first begins with a restart."""
    times = np.concatenate([segment.times for segment in run.segments])
    restart = np.zeros(len(times), bool)
    restart[np.cumsum([0, *(len(segment) for segment in run.segments[:-1])])] = True
    return StreamRun(
        times, np.concatenate([segment.values for segment in run.segments]), calendar.slots_of(times), restart, lead
    )


def in_pieces(split: Split, window: int, calendar: Calendar, second: Split | None = None) -> list[StreamRun]:
    """All normal rows as streams: segments cut so that about `_PIECES` of like length can be replayed side by side.

    At least `FOLDS` where the rows suffice. No piece holds rows that the network was
    fitted on beside others that it was not; each has the rows before it as its lead.
    What only the network of the split `second` has not seen, that one judges.
    """
    first_unseen = starts(split.calibrate)
    first_second = {} if second is None else starts((*second.fit, *second.held_out))
    of_second = {} if second is None else starts(second.calibrate)
    total = sum(run.rows for run in split.every)
    length = max(total // _PIECES, min(FOLDS * window, total // (2 * FOLDS)), _LEAST_ROWS)
    pieces: list[StreamRun] = []
    for run in whole_runs(split):
        for segment in run.segments:
            stream = as_stream(Run(run.name, (segment,)), calendar)
            cut = int(np.searchsorted(segment.times, first_unseen.get(run.name, np.inf)))
            half = int(np.searchsorted(segment.times, first_second.get(run.name, np.inf)))
            half = min(half, cut) if run.name in of_second else 0
            for start, end, unseen, by_second in (
                (0, half, True, True),
                (half, cut, False, False),
                (cut, len(segment), True, False),
            ):
                edges = np.linspace(start, end, max(1, round((end - start) / length)) + 1).astype(int)
                pieces += [
                    replace(part_of(stream, a, b, window), unseen=unseen, by_second=by_second)
                    for a, b in pairwise(edges.tolist())
                    if b > a
                ]
    return pieces


def starts(runs: Sequence[Run]) -> dict[str, float]:
    """Name of each run to the time of its first row in any of these parts."""
    first: dict[str, float] = {}
    for run in (run for run in runs if run.rows):
        start = float(run.segments[0].times[0])
        first[run.name] = min(start, first.get(run.name, start))
    return first


def whole_runs(split: Split) -> list[Run]:
    """The runs as they were before they were split."""
    names = list(dict.fromkeys(run.name for run in split.every if run.rows))
    parts = {name: [run for run in split.every if run.name == name and run.rows] for name in names}
    return [
        Run(name, tuple(_rejoined([segment for run in of for segment in run.segments]))) for name, of in parts.items()
    ]


def _rejoined(segments: Sequence[Segment]) -> list[Segment]:
    """Segments of one run, with those that a split cut in two as one again."""
    joined: list[Segment] = []
    for segment in sorted(segments, key=lambda one: float(one.times[0])):
        step = float(np.median(np.diff(segment.times))) if len(segment) > 1 else 0.0
        if joined and segment.times[0] - joined[-1].times[-1] <= 1.5 * step:
            last = joined.pop()
            segment = Segment(
                np.concatenate([last.times, segment.times]), np.concatenate([last.values, segment.values])
            )
        joined.append(segment)
    return joined


def rows_of(run: Run) -> list[Row]:
    """The run's grid rows, as the aligner gave them."""
    return [
        Row(float(time), values, restart=number == 0)
        for segment in run.segments
        for number, (time, values) in enumerate(zip(segment.times, segment.values, strict=True))
    ]
