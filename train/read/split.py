"""Which rows train the network, which stop its training and which calibrate it: split by time, never shuffled."""

from collections.abc import Sequence
from dataclasses import dataclass

from train.console.errors import TooFewRowsError
from train.read.dataset import Run

MANY_RUNS = 4
"""From so many runs on, whole runs calibrate: how a new machine differs from the known ones then shows."""
HELD_OUT_PART = 0.15
"""Of the rows to fit: the tail of each run, whose loss stops training."""
_LARGEST_CALIBRATION_PART = 0.5


@dataclass(frozen=True)
class Split:
    """Runs for each purpose; no row is in two of them."""

    fit: tuple[Run, ...]
    """Rows that the weights are fitted on."""
    held_out: tuple[Run, ...]
    """Later rows of the same runs: their loss decides when to stop."""
    calibrate: tuple[Run, ...]
    """Rows that training never sees: level, tail and parity come from them."""

    @property
    def every(self) -> tuple[Run, ...]:
        """All parts."""
        return (*self.fit, *self.held_out, *self.calibrate)


def split_runs(runs: Sequence[Run], calibration_part: float, window: int) -> Split:
    """The last `calibration_part` of the rows to calibrate, the rest to fit.

    With `MANY_RUNS` or more the last runs as a whole, else the tail of each run.

    Raises:
        TooFewRowsError: a part has no complete window.
    """
    fit, calibrate = _whole_runs(runs, calibration_part) or _tails(runs, calibration_part)
    fit, held_out = _tails(fit, HELD_OUT_PART)
    for part, purpose in ((fit, "fit"), (held_out, "stop training by"), (calibrate, "calibrate on")):
        if not any(_holds(run, window) for run in part):
            rows = sum(run.rows for run in runs)
            raise TooFewRowsError(
                f"{rows} grid rows in {len(runs)} runs leave no complete window of {window} rows to {purpose}",
                f"give at least {20 * window} rows without a gap, or a smaller --window",
            )
    return Split(tuple(fit), tuple(held_out), tuple(calibrate))


def split_again(runs: Sequence[Run], split: Split, rows: int, window: int) -> Split | None:
    """For another network than `split` is for: about the first `rows` to calibrate, what follows to fit.

    The first rows of each run, or of `runs` by time where `split` has whole ones to calibrate on;
    half of them at most, and none that `split` calibrates on. None where a part has no complete window.
    """
    first, later = [], []
    rows = min(rows, sum(run.rows for run in runs) // 2)
    if {run.name for run in split.fit} & {run.name for run in split.calibrate}:
        part = rows / sum(run.rows for run in runs)
        kept = {run.name: run.rows for run in split.calibrate}
        cuts = [cut_run(run, min(round(part * run.rows), run.rows - kept.get(run.name, 0))) for run in runs if run.rows]
        first, later = [before for before, _ in cuts], [after for _, after in cuts]
    else:
        fitted = {run.name for run in split.fit}
        for run in sorted((run for run in runs if run.rows), key=lambda run: float(run.segments[0].times[0])):
            early = run.name in fitted and sum(one.rows for one in first) < rows
            (first if early else later).append(run)
    fit, held_out = _tails(later, HELD_OUT_PART)
    if not all(any(_holds(run, window) for run in part) for part in (fit, held_out, first)):
        return None
    return Split(tuple(fit), tuple(held_out), tuple(first))


def _holds(run: Run, window: int) -> bool:
    return any(len(segment) >= window for segment in run.segments)


def cut_run(run: Run, rows: int) -> tuple[Run, Run]:
    """The first `rows` grid rows of a run, and what follows them."""
    before, after = [], []
    for segment in run.segments:
        here = min(max(rows, 0), len(segment))
        if here:
            before.append(segment.part(0, here))
        if here < len(segment):
            after.append(segment.part(here))
        rows -= len(segment)
    return Run(run.name, tuple(before)), Run(run.name, tuple(after))


def _whole_runs(runs: Sequence[Run], part: float) -> tuple[list[Run], list[Run]] | None:
    """The last runs by time, enough to hold `part` of all rows; None with few runs, or where one run outweighs all."""
    if len(runs) < MANY_RUNS:
        return None
    by_time = sorted(runs, key=lambda run: float(run.segments[0].times[0]))
    total = sum(run.rows for run in runs)
    last: list[Run] = []
    while sum(run.rows for run in last) < part * total:
        last.insert(0, by_time.pop())
    too_many = sum(run.rows for run in last) > _LARGEST_CALIBRATION_PART * total
    return None if too_many else (by_time, last)


def _tails(runs: Sequence[Run], part: float) -> tuple[list[Run], list[Run]]:
    cuts = [cut_run(run, run.rows - round(part * run.rows)) for run in runs]
    return [before for before, _ in cuts], [after for _, after in cuts]
