"""Label files of start and end: two columns of times, with a header or, as of AWS Lookout for Equipment, without."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge.readings.clock import Clock
from edge.readings.options import FileError, FileOptions
from edge.readings.understand import understand
from train.console.errors import DatasetError
from train.read.columns import ReadOptions
from train.read.csv_file import open_source

_SEPARATORS = (",", ";", "\t", "|")
_FROM = re.compile(r"\b(start|from|begin|onset)|timestamp ?1")
_TO = re.compile(r"\b(end|to|stop|until)\b|end ?time|timestamp ?2")


def is_intervals(path: Path, options: ReadOptions) -> bool:
    """Whether a file is one of them."""
    try:
        read_intervals(path, options)
    except DatasetError:
        return False
    return True


def read_intervals(path: Path, options: ReadOptions) -> np.ndarray:
    """(n, 2) Unix seconds of start and end, ends included.

    Day and month are told apart as in any file, on starts and ends together; `--day-first` settles them.

    Raises:
        DatasetError: the file holds anything else, or an end lies before its start.
    """
    rows = list(_rows(path))
    if not rows:
        raise DatasetError(f"{path}: no label windows in it; wanted rows of a start and an end")
    # In pairs, the one under the other: so they are a column of times in their order.
    cells = [cell for row in rows for cell in row]
    lines = [(1, "time;row"), *((number, f"{cell};{number % 7}.5") for number, cell in enumerate(cells, 2))]
    told = FileOptions(
        time_column="time",
        header_row=1,
        time_format=options.more.time_format,
        day_first=options.more.day_first,
        timezone=options.timezone,
    )
    try:
        layout = understand(lambda: iter(lines), told, str(path), whole=True)
    except FileError as error:
        raise DatasetError(str(error)) from error
    clock = Clock(replace(layout.time, newest_first=False, even_s=0.0))
    times = np.array([clock.seconds([cell, ""]) for cell in cells]).reshape(-1, 2)
    wrong = np.flatnonzero(~(times[:, 0] <= times[:, 1]))
    if len(wrong):
        shown = " to ".join(rows[int(wrong[0])])
        raise DatasetError(f"{path}: label window {int(wrong[0]) + 1} is {shown}: wanted a start and a later end")
    return times


def _rows(path: Path) -> Iterator[Sequence[str]]:
    """Start and end as written; columns beside them are passed over where a header names the two."""
    lines = [one[1].strip() for one in open_source(path).lines() if not isinstance(one, FileError) and one[1].strip()]
    if not lines:
        return
    separator = next((mark for mark in _SEPARATORS if mark in lines[0]), ",")
    table = [[cell.strip().strip('"').strip() for cell in line.split(separator)] for line in lines]
    header = [cell.lower().replace("_", " ") for cell in table[0]]
    named = [next((place for place, cell in enumerate(header) if form.search(cell)), None) for form in (_FROM, _TO)]
    start, end = named
    if start is None or end is None or start == end:
        start, end = 0, 1
        if len(header) != 2:
            raise DatasetError(f"{path}: wanted two columns, start and end, found {', '.join(table[0])[:80]}")
    else:
        table = table[1:]
    for cells in table:
        if len(cells) <= max(start, end):
            raise DatasetError(f"{path}: wanted a start and an end in each row, found {', '.join(cells)[:80]}")
        yield cells[start], cells[end]


def inside(times: np.ndarray, intervals: np.ndarray) -> np.ndarray:
    """(n,) bool: whether each of (n,) times lies in one of (m, 2) intervals, ends included."""
    found = np.zeros(len(times), bool)
    for start, end in intervals.tolist():
        found |= (times >= start) & (times <= end)
    return found
