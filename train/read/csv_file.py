"""A file as columns of text, where a table of readings is not what is wanted; and the lines of files of any kind."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any

import numpy as np

from edge.readings.clock import Clock
from edge.readings.layout import Layout, Line, Lines, find_shape
from edge.readings.opening import open_text
from edge.readings.options import FileError, FileOptions
from edge.readings.understand import understand
from train.console.errors import DatasetError

_SHEETS = (".xlsx", ".xlsm", ".xls", ".ods")
_PARQUET = (".parquet", ".pq")


@dataclass(frozen=True)
class CsvFile:
    """A file as read: nothing dropped, nothing converted."""

    path: Path
    separator: str
    header: tuple[str, ...]
    """Column names, unique and not empty."""
    cells: np.ndarray
    """(rows, columns) object array of stripped text; a cell that a short line lacks is empty."""

    def column(self, name: str) -> np.ndarray:
        """(rows,) text of one column."""
        return self.cells[:, self.header.index(name)]


@dataclass(frozen=True)
class Source:
    """Where a file's lines come from."""

    lines: Lines
    packing: str
    encoding: str


def open_source(path: Path) -> Source:
    """The lines of a CSV, packed or not, of JSON lines, of a Parquet file or an Excel workbook's first sheet.

    Raises:
        DatasetError: it cannot be read, or what reads it is not installed.
    """
    if path.suffix.lower() in (*_SHEETS, *_PARQUET) and path.is_file():
        lines = _sheet_lines(path)
        return Source(lambda: iter(lines), "Parquet" if path.suffix.lower() in _PARQUET else "Excel", "")
    if path.suffix.lower() == ".json" and (entries := _json_entries(path)):
        return Source(lambda: iter(entries), "", "utf-8")
    try:
        file = open_text(path)
    except FileError as error:
        raise DatasetError(str(error)) from error
    return Source(file.lines, file.packing, file.encoding)


def read_csv(path: str | Path) -> CsvFile:
    """Read a file with a header line as text.

    Raises:
        DatasetError: the file cannot be read, is empty, or has no header.
    """
    path = Path(path)
    source = open_source(path)
    try:
        shape, _, _ = find_shape(source.lines, FileOptions(), str(path), whole=True)
        rows = [one[1] for one in shape.rows(source.lines()) if not isinstance(one, FileError)]
    except FileError as error:
        raise DatasetError(str(error)) from error
    cells = np.empty((len(rows), shape.head.width), object)
    if rows:
        cells[:] = rows
    return CsvFile(path, shape.separator, shape.head.names, cells)


def times_of(path: Path, options: FileOptions) -> np.ndarray:
    """(rows,) Unix seconds of the rows that `read_csv` gives; NaN where a row has none.

    Raises:
        DatasetError: no time column is found, or its times can be read in several ways.
    """
    source = open_source(path)
    try:
        layout: Layout = understand(source.lines, options, str(path), whole=True)
        clock = Clock(layout.time)
        rows = layout.shape.rows(source.lines())
        return np.array([clock.seconds(one[1]) for one in rows if not isinstance(one, FileError)])
    except FileError as error:
        raise DatasetError(str(error)) from error


def _json_entries(path: Path) -> list[Line]:
    """The objects of a JSON array as lines of JSON: the file's own, or the only one in its object, such as `series` of
    Azure Anomaly Detector. None where the file holds something else, JSON lines among it."""
    try:
        body = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return []
    arrays = (
        [body]
        if isinstance(body, list)
        else [one for one in body.values() if isinstance(one, list)]
        if isinstance(body, dict)
        else []
    )
    if len(arrays) != 1 or not all(isinstance(one, dict) for one in arrays[0]):
        return []
    return [(number, json.dumps(one)) for number, one in enumerate(arrays[0], 1)]


def _sheet_lines(path: Path) -> list[Line]:
    """A Parquet file or a workbook's first sheet as lines of CSV; times become ISO text."""
    import pandas as pd

    try:
        if path.suffix.lower() in _PARQUET:
            frame = pd.read_parquet(path)
            if frame.index.name or isinstance(frame.index, pd.DatetimeIndex):
                frame = frame.reset_index()
            table = [list(map(str, frame.columns)), *frame.itertuples(index=False, name=None)]
        else:
            table = pd.read_excel(path, header=None, dtype=object).itertuples(index=False, name=None)  # type: ignore[assignment]
    except ImportError as error:
        raise DatasetError(
            f"{path}: reading it wants another package: pip install 'offbeat[train]' ({error})"
        ) from error
    except (ValueError, OSError, KeyError) as error:
        raise DatasetError(f"{path}: cannot read it ({error})") from error
    rows = list(table)
    dates = [all(_no_time_of_day(row[place]) for row in rows) for place in range(len(rows[0]) if rows else 0)]
    return [(number, ";".join(_cells(row, dates))) for number, row in enumerate(rows, 1)]


def _no_time_of_day(cell: Any) -> bool:
    if not isinstance(cell, datetime) or cell != cell:
        return True
    return cell.tzinfo is None and cell.time() == time()


def _cells(row: Any, dates: Sequence[bool]) -> Iterator[str]:
    """A row's cells as text; `dates` says of which columns dates have no time of day."""
    for cell, date in zip(row, dates, strict=True):
        if cell is None or cell != cell or str(cell) == "NaT":
            yield ""
        elif date and isinstance(cell, datetime):
            yield cell.date().isoformat()
        elif hasattr(cell, "isoformat"):
            yield cell.isoformat()
        else:
            text = str(cell)
            yield (
                '"' + text.replace('"', '""').replace("\n", " ") + '"'
                if ";" in text or '"' in text or "\n" in text
                else text
            )
