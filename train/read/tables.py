"""Files as tables: every row of a file in its order, as numbers; nothing dropped, nothing aligned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from edge.readings.labels import label_of, outliers_are_minus_one
from edge.readings.layout import Column, Layout
from edge.readings.options import FileError
from edge.readings.reader import ReadRow, read_rows
from edge.readings.understand import understand
from train.console.errors import DatasetError
from train.read.columns import LeftOut, ReadOptions, choose, left_out, remedy
from train.read.csv_file import Source, open_source

__all__ = ["RawTable", "ReadOptions", "read_table", "read_tables"]

_AS_FOUND = ReadOptions()


@dataclass(frozen=True)
class RawTable:
    """A file's rows in their order, nothing aligned and nothing dropped: one line of output for each of them."""

    name: str
    time_text: np.ndarray
    """(n,) the time cells as written."""
    times: np.ndarray
    """(n,) Unix seconds; NaN where the cell is no time."""
    channels: tuple[str, ...]
    values: np.ndarray
    """(n, channels) float64; NaN where missing."""
    labels: np.ndarray | None
    """(n,) bool, True where the label column says anomaly; None without one."""
    text_cells: int
    """Cells of the channels that hold text instead of a number."""
    ragged: int
    """Lines with more or fewer cells than the header."""
    left_out: tuple[LeftOut, ...] = ()
    """Columns of the file that are no channels, for the user."""
    unjudged: np.ndarray | None = None
    """(n,) bool, True where the label says that nobody judged the row; None where all are."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Channel to its unit, where the file gives it."""
    layout: Layout | None = None
    """How the file was understood."""
    notes: tuple[str, ...] = ()
    """What the user should know, beside the layout's own."""

    def only(self, channels: Sequence[str]) -> "RawTable":
        """The table with these of its channels."""
        kept = [self.channels.index(name) for name in channels]
        return replace(self, channels=tuple(channels), values=self.values[:, kept])

    def part(self, rows: slice) -> "RawTable":
        """These rows of the file, as if it held no others; what is counted over the file stays.

        Raises:
            DatasetError: none of them is in the file.
        """
        if not len(self.times[rows]):
            raise DatasetError(
                f"{self.name}: it has {len(self.times)} rows, none of --rows {rows.start or 0}:{rows.stop or ''}"
            )
        return replace(
            self,
            time_text=self.time_text[rows],
            times=self.times[rows],
            values=self.values[rows],
            labels=None if self.labels is None else self.labels[rows],
            unjudged=None if self.unjudged is None else self.unjudged[rows],
        )


def read_table(path: str | Path, options: ReadOptions = _AS_FOUND) -> RawTable:
    """Read one file; what `options` leave open is found out.

    Raises:
        DatasetError: it cannot be read, lacks a named column, or has no row with a time and a value.
    """
    path = Path(path)
    source = open_source(path)
    try:
        layout = understood(path, source, options)
        _refuse_boards(layout, options)
        chosen = choose(layout, options)
        label = options.label_column or next((one.name for one in layout.columns if one.meaning == "label"), None)
        rows = list(read_rows(layout, chosen, source.lines(), None if layout.long else label))
    except FileError as error:
        raise DatasetError(str(error)) from error
    good = [row for row in rows if isinstance(row, ReadRow)]
    lost = [row for row in rows if isinstance(row, FileError)]
    if lost and len(lost) > 0.5 * len(rows):
        raise DatasetError(f"{path}: no usable rows: {lost[0]}")
    labels = [row.label for row in good]
    others = left_out(layout, chosen, options, (label, [] if layout.long else labels))
    if not chosen:
        raise DatasetError(f"{path}: no channel with numbers beside {layout.time_names}; {remedy(layout, others)}")
    return _table(path, layout, chosen, good, lost, options, others)


def understood(path: Path, source: Source, options: ReadOptions) -> Layout:
    """How a file is understood.

    Raises:
        FileError: it is not.
    """
    layout = understand(source.lines, options.file, str(path), whole=True)
    return replace(layout, packing=source.packing, encoding=source.encoding)


def _table(
    path: Path,
    layout: Layout,
    chosen: Sequence[Column],
    rows: Sequence[ReadRow],
    lost: Sequence[FileError],
    options: ReadOptions,
    others: Sequence[LeftOut],
) -> RawTable:
    names = tuple(one.channel for one in chosen)
    times = np.array([row.time for row in rows], float)
    values = np.full((len(rows), len(names)), np.nan)
    places = {name: place for place, name in enumerate(names)}
    for number, row in enumerate(rows):
        for name, value in row.values.items():
            values[number, places[name]] = value
    if not (np.isfinite(times) & np.isfinite(values).any(axis=1)).any():
        raise DatasetError(
            f"{path}: no usable rows: of {len(times)} none has both a time in {layout.time_names!r} "
            f"and a number in {', '.join(names)}"
        )
    labels, unjudged, notes = _labels([row.label for row in rows], options.label_column)
    if lost:
        notes += (f"{len(lost)} {'lines are' if len(lost) > 1 else 'line is'} left out, the first: {lost[0]}",)
    return RawTable(
        name=Path(path.stem).stem if layout.packing in ("gzip", "bz2", "xz", "zip") else path.stem,
        time_text=np.array([row.time_text for row in rows], object),
        times=times,
        channels=names,
        values=values,
        labels=labels,
        text_cells=sum(len(row.rejected) for row in rows),
        ragged=sum(row.odd for row in rows) + len(lost),
        left_out=tuple(others),
        unjudged=unjudged,
        units={one.channel: one.unit for one in chosen if one.unit},
        layout=layout,
        notes=notes,
    )


def _labels(cells: Sequence[str], label: str | None) -> tuple[np.ndarray | None, np.ndarray | None, tuple[str, ...]]:
    """Which rows are anomalous, which nobody judged, and what to know about that."""
    if label is None:
        return None, None, ()
    minus = outliers_are_minus_one(cells)
    found = [label_of(cell, minus) for cell in cells]
    unjudged = np.array([one is None for one in found], bool)
    notes = (f"labels in {label} are 1 and -1 alone: -1 is anomalous, as in scikit-learn",) if minus else ()
    return np.array([bool(one) for one in found], bool), unjudged if unjudged.any() else None, notes


def _refuse_boards(layout: Layout, options: ReadOptions) -> None:
    """Several boards in one file are told apart by the agent, by their name; here nothing says which is meant."""
    board = layout.column("board")
    if board is None or board.meaning != "board" or options.more.id_column or len(board.evidence.words) < 2:
        return
    boards = ", ".join(sorted(board.evidence.words)[:4])
    raise DatasetError(
        f"{layout.shape.where}: its column board names several ({boards}); give a file for each, or --id-column board, "
        "which makes channels of each"
    )


def read_tables(paths: Sequence[str | Path], options: ReadOptions) -> list[RawTable]:
    """Read several files with the same channels; those of the first hold for all.

    Raises:
        DatasetError: as `read_table`; a later file lacks a channel of the first.
    """
    from train.read.folder import is_folder, read_folder  # they read tables

    tables: list[RawTable] = []
    for path in map(Path, paths):
        tables.append(read_folder(path, options) if is_folder(path) else read_table(path, options))
        options = replace(options, channels=tables[0].channels, keep=(), drop=())
    names = _unique([table.name for table in tables])
    return [replace(table, name=name) for table, name in zip(tables, names, strict=True)]


def _unique(names: Sequence[str]) -> list[str]:
    """Names as given; one that comes again, from another folder, gets a number."""
    return [
        name if name not in names[:at] else f"{name} ({names[:at].count(name) + 1})" for at, name in enumerate(names)
    ]
