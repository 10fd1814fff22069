"""What was found in the files, in a few lines before training starts: most wrong models begin with wrong rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from train.console.terminal import echo
from train.console.times import format_time
from train.read.dataset import Run, Selection, selected
from train.read.tables import RawTable

_LEAST_MISSING = 0.0005
"""Part of the rows that is told: less reads as 0.0 %, as the first row of a rate does."""


@dataclass(frozen=True)
class DataReport:
    """Counts of one file."""

    name: str
    rows_read: int
    rows_used: int
    """After --rows, --until, --exclude and labels."""
    without_time: int
    repeated_times: int
    out_of_order: int
    """Rows stamped earlier than the row above them."""
    text_cells: int
    ragged: int
    missing: dict[str, float]
    """Part of the grid rows in which a channel has no value, 0 to 1; only channels that miss some."""
    constant: tuple[str, ...]
    """Channels that never change."""
    gaps: int
    grid_rows: int
    start: float
    """Unix seconds of the first grid row; NaN without any."""
    end: float


def describe(table: RawTable, run: Run, selection: Selection) -> DataReport:
    """Counts of one file and of the run made of it."""
    used = selected(table, selection)
    times = table.times[used]
    values = np.concatenate([segment.values for segment in run.segments]) if run.rows else np.empty((0, 0))
    missing = (
        {
            name: float(part)
            for name, part in zip(table.channels, np.isnan(values).mean(axis=0), strict=True)
            if part > 0
        }
        if run.rows
        else {}
    )
    still = [name for name, column in zip(table.channels, values.T, strict=False) if len(set(_known(column))) == 1]
    return DataReport(
        name=table.name,
        rows_read=len(table.times),
        rows_used=int(used.sum()),
        without_time=int(np.isnan(table.times).sum()),
        repeated_times=len(times) - len(np.unique(times)),
        out_of_order=int((np.diff(times) < 0).sum()),
        text_cells=table.text_cells,
        ragged=table.ragged,
        missing=missing,
        constant=tuple(still),
        gaps=max(0, len(run.segments) - 1),
        grid_rows=run.rows,
        start=float(run.segments[0].times[0]) if run.rows else np.nan,
        end=float(run.segments[-1].times[-1]) if run.rows else np.nan,
    )


def _known(column: np.ndarray) -> list[float]:
    return column[~np.isnan(column)].tolist()


def print_report(reports: Sequence[DataReport], timezone: str, console: Console) -> None:
    """A table with a line a file, and a line of its own for whatever is odd."""
    table = Table(title="Readings", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("file", "rows", "used", "grid rows", "gaps", "from", "to"):
        table.add_column(name, justify="left" if name in ("file", "from", "to") else "right", no_wrap=name != "file")
    for report in reports:
        counts = (report.rows_read, report.rows_used, report.grid_rows, report.gaps)
        span = [format_time(time, timezone) for time in (report.start, report.end)] if report.grid_rows else ["-", "-"]
        table.add_row(report.name, *(str(count) for count in counts), *span)
    console.print(table)
    for report in reports:
        for line in oddities(report):
            echo(console, f"{report.name}: {line}")


def oddities(report: DataReport) -> list[str]:
    """A line for each thing that a user should know about the file."""
    lines = []
    if report.without_time:
        lines.append(f"{report.without_time} rows without a readable time: not used")
    if report.repeated_times:
        lines.append(f"{report.repeated_times} rows repeat a time: the first one counts")
    if report.out_of_order:
        lines.append(f"{report.out_of_order} rows lie before the row above them: sorted by time")
    if report.ragged:
        lines.append(f"{report.ragged} lines with more or fewer cells than the header")
    if report.text_cells:
        lines.append(f"{report.text_cells} cells hold text where a number was wanted: missing")
    worst = sorted((one for one in report.missing.items() if one[1] >= _LEAST_MISSING), key=lambda item: -item[1])
    if worst:
        lines.append("missing on the grid: " + ", ".join(f"{name} {part:.1%}" for name, part in worst[:8]))
    if report.constant:
        lines.append(f"never changes: {', '.join(report.constant)}")
    return lines
