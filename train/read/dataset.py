"""From tables to runs on a grid: the same rows that the device's aligner makes of them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from edge.detector.rows.aligner import Aligner, AlignerSettings
from edge.detector.rows.row import Row
from train.console.errors import DatasetError
from train.console.words import duration
from train.read.tables import RawTable


@dataclass(frozen=True)
class Selection:
    """Which rows of each file are used."""

    rows: slice = field(default_factory=lambda: slice(None))
    """File rows, counted from 0 below the header."""
    until: float | None = None
    """Unix seconds; rows at this time and later are not used."""
    exclude: tuple[tuple[float, float], ...] = ()
    """Stretches (from, to) in Unix seconds that are not used; `to` itself is."""


@dataclass(frozen=True)
class Segment:
    """Grid rows without a gap between them: windows may lie anywhere inside."""

    times: np.ndarray
    """(n,) Unix seconds, multiples of the period."""
    values: np.ndarray
    """(n, channels), NaN where missing."""

    def __len__(self) -> int:
        return len(self.times)

    def part(self, start: int, stop: int | None = None) -> "Segment":
        """The rows from `start` up to `stop`."""
        return Segment(self.times[start:stop], self.values[start:stop])


@dataclass(frozen=True)
class Run:
    """One recording of one machine, cut where it has gaps or excluded stretches."""

    name: str
    segments: tuple[Segment, ...]

    @property
    def rows(self) -> int:
        """Grid rows in all segments."""
        return sum(len(segment) for segment in self.segments)


def usual_period(tables: Sequence[RawTable]) -> float:
    """The median step between the rows of all files, rounded to a sensible grid, seconds.

    Raises:
        DatasetError: no two rows with different times.
    """
    steps = np.concatenate([step for table in tables for step in _steps(table)])
    if not len(steps):
        raise DatasetError(f"{tables[0].name}: no two rows with different times, so no period; give --period")
    return sensible_period(statistics.median(steps.tolist()))


def _steps(table: RawTable) -> list[np.ndarray]:
    """Steps between the times of the rows; of a file with a row a value, between those of each channel."""
    if table.layout is None or table.layout.long is None:
        return [np.diff(np.unique(table.times[np.isfinite(table.times)]))]
    known = np.isfinite(table.values) & np.isfinite(table.times)[:, None]
    steps = [np.diff(np.unique(table.times[column])) for column in known.T]
    middle = [np.median(one) for one in steps if len(one)]
    return [np.array([min(middle)])] if middle else [np.empty(0)]


def two_steps(table: RawTable) -> str | None:
    """What to know of a file whose rows come at one step in one part and at another in the next; None of most."""
    steps = np.diff(np.unique(table.times[np.isfinite(table.times)]))
    if len(steps) < 20:
        return None
    known, counts = np.unique(np.round(steps, 3), return_counts=True)
    parts = known * counts / steps.sum()
    often = [float(step) for step, part, count in zip(known, parts, counts, strict=True) if part > 0.2 and count > 9]
    if len(often) < 2 or often[-1] < 3 * often[0]:
        return None
    return (
        f"rows come every {often[0]:g} s in one part and every {often[-1]:g} s in another: --period {often[-1]:g} "
        "reads both alike"
    )


def refuse_irregular(tables: Sequence[RawTable], period_s: float) -> None:
    """Refuse files whose readings come when something changes, unless the user says how long a value stands.

    Raises:
        DatasetError: in more than a hundredth of the steps, and for most of the time, nothing comes for five periods.
    """
    for table in tables:
        steps = np.diff(np.unique(table.times[np.isfinite(table.times)]))
        gaps = steps[steps > 5 * period_s * (1 + 1e-9)]
        if len(steps) >= 20 and len(gaps) > max(5, 0.05 * len(steps)) and gaps.sum() > 0.5 * steps.sum():
            low, high = duration(float(steps.min())), duration(float(steps.max()))
            hold = float(np.ceil(steps.max() / 60) * 60)
            raise DatasetError(
                f"{table.name}: rows come at irregular times, {low} to {high} apart, and {len(gaps)} of {len(steps)} "
                f"steps are longer than five periods of {period_s:g} s; if a value stands until the next one, --hold "
                f"{hold:g} with a --period; if the machine is seldom recorded, --max-gap SECONDS"
            )


def sensible_period(step: float) -> float:
    """A step measured by a jittering clock as the period it was meant to be, seconds.

    >>> sensible_period(0.9997), sensible_period(0.03334), sensible_period(1800.0)
    (1.0, 0.03333333333333333, 1800.0)
    """
    meant = round(step) if step >= 1 else 1 / round(1 / step)
    return float(meant) if abs(meant / step - 1) < 0.02 else float(f"{step:.3g}")


def align(table: RawTable, selection: Selection, settings: AlignerSettings) -> Run:
    """The selected rows on the grid, through the aligner of the device.

    A file's rows go in by time: order in a file is an accident, on a link it is what there is.
    """
    segments: list[Segment] = []
    for part in used_rows(table, selection):
        segments.extend(_segments(_grid_rows(table, part, settings)))
    return Run(table.name, tuple(segments))


def sliding_windows(rows: np.ndarray, length: int, stride: int) -> np.ndarray:
    """All windows (n, length, channels) of rows (m, channels), one every `stride` rows; a view, not a copy.

    The same windows, in the same order, as the device's ring buffer hands to the network.
    """
    if len(rows) < length:
        return np.empty((0, length, rows.shape[1]), rows.dtype)
    return np.lib.stride_tricks.sliding_window_view(rows, length, axis=0).transpose(0, 2, 1)[::stride]


def selected(table: RawTable, selection: Selection) -> np.ndarray:
    """(n,) bool: the rows with a time that the selection leaves, labelled anomalies left out."""
    used = np.zeros(len(table.times), bool)
    used[selection.rows] = True
    used &= np.isfinite(table.times)
    if table.labels is not None:
        used &= ~table.labels
    if table.unjudged is not None:
        used &= ~table.unjudged
    if selection.until is not None:
        used &= table.times < selection.until
    for start, end in selection.exclude:
        used &= ~((table.times >= start) & (table.times < end))
    return used


def used_rows(table: RawTable, selection: Selection) -> list[np.ndarray]:
    """Numbers of the selected rows by time, cut wherever something between them was left out."""
    order = np.argsort(table.times, kind="stable")
    order = order[np.isfinite(table.times[order])]
    used = selected(table, selection)[order]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], used, [False]])))
    parts = [order[start:stop] for start, stop in zip(edges[::2], edges[1::2], strict=True)]
    return [piece for part in parts for piece in _cut(part, table.times, selection.exclude)]


def _cut(part: np.ndarray, times: np.ndarray, stretches: Sequence[tuple[float, float]]) -> list[np.ndarray]:
    """Cuts also where a stretch fell between two rows and so left none of them out."""
    starts = sorted({int(np.searchsorted(times[part], start)) for start, _ in stretches} - {0, len(part)})
    return np.split(part, starts)


def _grid_rows(table: RawTable, part: np.ndarray, settings: AlignerSettings) -> list[Row]:
    aligner = Aligner(table.channels, settings)
    rows: list[Row] = []
    for time, values in zip(table.times[part].tolist(), table.values[part].tolist(), strict=True):
        present = {name: value for name, value in zip(table.channels, values, strict=True) if value == value}
        rows.extend(aligner.add(time, present))
    return rows + aligner.flush()


def _segments(rows: Sequence[Row]) -> list[Segment]:
    if not rows:
        return []
    times = np.array([row.time for row in rows])
    values = np.array([row.values for row in rows])
    starts = [number for number, row in enumerate(rows) if row.restart and number]
    return [Segment(*piece) for piece in zip(np.split(times, starts), np.split(values, starts), strict=True)]
