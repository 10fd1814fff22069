"""CSV files as tables: every row of a file in its order, as numbers; nothing dropped, nothing aligned."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from train.console.errors import DatasetError
from train.console.times import parse_times
from train.read.columns import Columns, LeftOut, ReadOptions, find_columns, to_numbers
from train.read.csv_file import CsvFile, read_csv
from train.read.label_names import label_cells

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
        labels = None if self.labels is None else self.labels[rows]
        return replace(
            self, time_text=self.time_text[rows], times=self.times[rows], values=self.values[rows], labels=labels
        )


def read_table(path: str | Path, options: ReadOptions = _AS_FOUND) -> RawTable:
    """Read one file; what `options` leave open is found out.

    Raises:
        DatasetError: it cannot be read, lacks a named column, or has no row with a time and a value.
    """
    file = read_csv(path)
    columns = find_columns(file, options)
    time_text = _joined(file, columns.time)
    times = parse_times(time_text, options.timezone)
    numbers = [to_numbers(file.column(name), columns.decimal_comma) for name in columns.channels]
    values = np.column_stack([column for column, _ in numbers])
    if not (np.isfinite(times) & np.isfinite(values).any(axis=1)).any():
        raise DatasetError(
            f"{path}: no usable rows: of {len(times)} none has both a time in {' + '.join(columns.time)!r} "
            f"and a number in {', '.join(columns.channels)}"
        )
    return RawTable(
        name=Path(path).stem,
        time_text=time_text,
        times=times,
        channels=columns.channels,
        values=values,
        labels=_labels(file, columns),
        text_cells=sum(bad for _, bad in numbers),
        ragged=file.ragged,
        left_out=columns.left_out,
    )


def read_tables(paths: Sequence[str | Path], options: ReadOptions) -> list[RawTable]:
    """Read several files with the same channels; those of the first hold for all.

    Raises:
        DatasetError: as `read_table`; a later file lacks a channel of the first.
    """
    tables: list[RawTable] = []
    for path in paths:
        tables.append(read_table(path, options))
        options = replace(options, channels=tables[0].channels, keep=(), drop=())
    names = _unique([table.name for table in tables])
    return [replace(table, name=name) for table, name in zip(tables, names, strict=True)]


def _unique(names: Sequence[str]) -> list[str]:
    """Names as given; one that comes again, from another folder, gets a number."""
    return [
        name if name not in names[:at] else f"{name} ({names[:at].count(name) + 1})" for at, name in enumerate(names)
    ]


def _joined(file: CsvFile, names: Sequence[str]) -> np.ndarray:
    texts = file.column(names[0])
    for name in names[1:]:
        texts = texts + " " + file.column(name)
    return texts


def _labels(file: CsvFile, columns: Columns) -> np.ndarray | None:
    return None if columns.label is None else label_cells(file.column(columns.label))
