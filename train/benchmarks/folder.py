"""The recordings of a folder, in an order that a reader expects."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from train.console.errors import DatasetError
from train.read.csv_file import read_csv
from train.read.tables import RawTable, ReadOptions, read_table


def recordings(folder: Path) -> list[Path]:
    """All CSV files below a folder, 2.csv before 10.csv.

    Raises:
        DatasetError: there is no such folder, or no CSV file in it.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; wanted one with CSV files")
    found = sorted(folder.rglob("*.csv"), key=lambda path: _natural(str(path.relative_to(folder))))
    if not found:
        raise DatasetError(f"{folder}: no CSV files in it")
    return found


def read_labelled(
    paths: Sequence[Path], label_column: str, timezone: str, channels: tuple[str, ...] | None = None
) -> list[RawTable]:
    """Files with these channels, or those of the first; labels only where a file has the column.

    Raises:
        DatasetError: a file cannot be used.
    """
    options = ReadOptions(channels, timezone=timezone)
    tables: list[RawTable] = []
    for path in paths:
        label = label_column if label_column in read_csv(path).header else None
        tables.append(read_table(path, replace(options, label_column=label)))
        options = replace(options, channels=tables[0].channels)
    return [
        replace(table, name="/".join(path.with_suffix("").parts[-2:]))
        for table, path in zip(tables, paths, strict=True)
    ]


def first_rows(table: RawTable, rows: int) -> RawTable:
    """The first rows of a recording."""
    parts = {name: getattr(table, name)[:rows] for name in ("time_text", "times", "values")}
    return replace(table, **parts, labels=None if table.labels is None else table.labels[:rows])


def _natural(name: str) -> list[tuple[int, int | str]]:
    """A key by which numbers in names count as numbers."""
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]
