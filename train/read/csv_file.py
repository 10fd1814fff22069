"""Any sensible CSV as columns of text: separator, encoding and ragged lines are found out here."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from train.console.errors import DatasetError

SEPARATORS = (",", ";", "\t", "|")
_SAMPLE_LINES = 50


@dataclass(frozen=True)
class CsvFile:
    """A file as read: nothing dropped, nothing converted."""

    path: Path
    separator: str
    header: tuple[str, ...]
    """Column names, unique and not empty."""
    cells: np.ndarray
    """(rows, columns) object array of stripped text; a cell that a short line lacks is empty."""
    ragged: int
    """Lines with more or fewer cells than the header."""

    def column(self, name: str) -> np.ndarray:
        """(rows,) text of one column."""
        return self.cells[:, self.header.index(name)]


def read_csv(path: str | Path) -> CsvFile:
    """Read a CSV with a header line; separated by comma, semicolon, tab or bar.

    Raises:
        DatasetError: the file cannot be read, is empty, or has no header.
    """
    path = Path(path)
    lines = _text(path).splitlines()
    sample = [line for line in lines[:_SAMPLE_LINES] if line.strip()]
    if len(sample) < 2:
        raise DatasetError(f"{path}: no usable rows: found {len(sample)} lines, wanted a header and readings")
    separator = sniff_separator(sample)
    rows = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    header = _unique_names(_header(rows, path))
    cells, ragged = _cells(rows, len(header))
    return CsvFile(path, separator, header, cells, ragged)


def sniff_separator(sample: list[str]) -> str:
    """The separator that cuts the header and most lines into the same number of cells, the more the better.

    >>> sniff_separator(["time;a", "10:00;1,5", "10:01;2,5"])
    ';'
    """

    def columns(separator: str) -> tuple[bool, int, float]:
        counts = [len(row) for row in csv.reader(sample, delimiter=separator)]
        same = sum(count == counts[0] for count in counts) / len(counts)
        return counts[0] > 1 and same > 0.5, counts[0], same

    return max(SEPARATORS, key=columns)  # the first wins a tie


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path}: cannot read it ({error.strerror})") from error
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace").replace("\0", "")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:  # a unit such as °C from an old spreadsheet
        text = content.decode("latin-1")
    return text.replace("\0", "")


def _header(rows: Iterator[list[str]], path: Path) -> list[str]:
    header = next(row for row in rows if any(cell.strip() for cell in row))
    header = [name.strip() for name in header]
    if len(header) < 2:
        raise DatasetError(f"{path}: one column only ({header[0][:40]!r}); wanted a time column and channels")
    if all(_is_number(name) for name in header[1:] if name):
        raise DatasetError(f"{path}: the first line holds readings ({header[1]!r}); add a header line with names")
    return header


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _unique_names(header: list[str]) -> tuple[str, ...]:
    """Names as given; an empty one becomes `column N`, a repeated one gets a number."""
    names: list[str] = []
    for position, name in enumerate(header, 1):
        name = name or f"column {position}"
        count = 2
        unique = name
        while unique in names:
            unique, count = f"{name} {count}", count + 1
        names.append(unique)
    return tuple(names)


def _cells(rows: Iterator[list[str]], width: int) -> tuple[np.ndarray, int]:
    """All further lines, cut or filled up to `width`; lines with nothing in them do not count as rows."""
    kept: list[list[str]] = []
    ragged = 0
    for row in rows:
        if not any(row):
            continue
        if len(row) != width:
            # A separator at the end of each line is a habit of some loggers, not a fault.
            ragged += not (len(row) == width + 1 and not row[-1])
            row = (row + [""] * width)[:width]
        kept.append(row)
    cells = np.empty((len(kept), width), object)
    if kept:
        cells[:] = kept
    return cells, ragged
