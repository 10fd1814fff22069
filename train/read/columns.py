"""Which columns of a file are its time, its labels and its channels; what is left out is said."""

import difflib
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from train.console.errors import DatasetError
from train.console.times import is_unix, parse_times
from train.read.csv_file import CsvFile
from train.read.label_names import holds_labels, label_cells, names_labels

TIME_NAMES = ("time", "timestamp", "datetime", "date_time", "date time", "ts", "t", "unix", "epoch", "date", "zeit")
MISSING = ("", "nan", "null", "none", "na", "n/a", "-", "?", "nil")
"""Cells that mean no value, in any case; other text is counted as text."""
_SAMPLE_ROWS = 500


@dataclass(frozen=True)
class ReadOptions:
    """What the user said about the files; None is found out."""

    channels: tuple[str, ...] | None = None
    time_column: str | None = None
    label_column: str | None = None
    timezone: str = "UTC"
    keep: tuple[str, ...] = ()
    """Columns that are channels whatever they look like."""
    drop: tuple[str, ...] = ()
    """Columns that are none."""


@dataclass(frozen=True)
class LeftOut:
    """A column that is no channel."""

    name: str
    found: str
    """What it looks like."""
    option: str
    """What would make it a channel, or use it otherwise; empty where nothing does."""


@dataclass(frozen=True)
class Columns:
    """The part each column plays."""

    time: tuple[str, ...]
    """One column, or a date and a time of day."""
    label: str | None
    channels: tuple[str, ...]
    decimal_comma: bool
    left_out: tuple[LeftOut, ...]


def find_columns(file: CsvFile, options: ReadOptions) -> Columns:
    """The columns as named, the others found by name and content.

    Raises:
        DatasetError: a named column is not in the file, or there is no time column or no channel.
    """
    time = _named_time(file, options.time_column) if options.time_column else find_time(file, options.timezone)
    label = options.label_column
    require(file, [] if label is None else [label], "label column")
    require(file, [*options.keep, *options.drop], "column")
    comma = has_decimal_comma(file)
    if options.channels is not None:
        require(file, options.channels, "channel")
        names = dict.fromkeys([*options.channels, *options.keep])
        return Columns(time, label, tuple(name for name in names if name not in options.drop), comma, ())
    rest = [name for name in file.header if name not in time and name != label]
    kept, left_out = _split_channels(file, rest, comma, options)
    if not kept:
        raise DatasetError(f"{file.path}: no channel with numbers beside {' + '.join(time)}; {_remedy(file, left_out)}")
    return Columns(time, label, tuple(kept), comma, tuple(left_out))


def require(file: CsvFile, names: Sequence[str], what: str) -> None:
    """Check that the file has these columns.

    Raises:
        DatasetError: it lacks one; the message gives the nearest names.
    """
    for name in names:
        if name not in file.header:
            near = difflib.get_close_matches(name, file.header, n=3, cutoff=0.5)
            hint = f"nearest: {', '.join(near)}" if near else f"it has {_list(file)}"
            raise DatasetError(f"{file.path}: {what} {name!r} is not in the file; {hint}")


def find_time(file: CsvFile, timezone: str) -> tuple[str, ...]:
    """The time column: by its usual names, else the first that holds times.

    Raises:
        DatasetError: none does.
    """
    lower = {name.lower(): name for name in reversed(file.header)}
    if "date" in lower and "time" in lower and not _holds_times(file, lower["time"], timezone, any_number=True):
        return lower["date"], lower["time"]
    by_name = [lower[name] for name in TIME_NAMES if name in lower]
    by_name += [name for name in file.header if re.match(r"time|date", name.lower()) and name not in by_name]
    for name in by_name:
        if _holds_times(file, name, timezone, any_number=True):
            return (name,)
    for name in file.header:
        if _holds_times(file, name, timezone, any_number=False):
            return (name,)
    raise DatasetError(f"{file.path}: found no time column among {_list(file)}; name it with --time-column")


def to_numbers(cells: np.ndarray, decimal_comma: bool) -> tuple[np.ndarray, int]:
    """Text cells (n,) as float64 with NaN where missing, and how many cells held text or no finite number."""
    texts = pd.Series(cells, dtype=object).str.strip()
    if decimal_comma:
        texts = texts.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64, copy=True)
    numbers[~np.isfinite(numbers)] = np.nan
    bad = np.isnan(numbers)
    return numbers, int(bad.sum() - texts[bad].str.lower().isin(MISSING).sum())


def has_decimal_comma(file: CsvFile) -> bool:
    """Whether numbers are written 1,5 as in much of Europe: such cells are there, and none like 1.5."""
    if file.separator == ",":
        return False
    sample = pd.Series(file.cells[:_SAMPLE_ROWS].ravel(), dtype=object).str.strip()
    return bool(sample.str.fullmatch(r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+").any()) and not bool(
        sample.str.fullmatch(r"[+-]?\d+\.\d+").any()
    )


def _named_time(file: CsvFile, name: str) -> tuple[str, ...]:
    names = (name,) if name in file.header else tuple(part.strip() for part in name.split(","))
    require(file, names, "time column")
    return names


def _holds_times(file: CsvFile, name: str, timezone: str, any_number: bool) -> bool:
    """Whether most cells are times. Plain numbers count where `any_number`, else only growing Unix times do."""
    cells = file.column(name)[:_SAMPLE_ROWS]
    times = parse_times(cells, timezone)
    if not len(times) or np.isfinite(times).mean() <= 0.5:
        return False
    is_number = np.isfinite(to_numbers(cells, False)[0]).mean() > 0.5
    if any_number or not is_number:
        return True
    steps = np.diff(times[np.isfinite(times)])
    return is_unix(times) and bool((steps >= 0).mean() > 0.9) if len(steps) else False


def _split_channels(
    file: CsvFile, names: list[str], comma: bool, options: ReadOptions
) -> tuple[list[str], list[LeftOut]]:
    """The columns that are channels, and those that are not."""
    kept, left_out = [], []
    for name in names:
        if name in options.drop:
            left_out.append(LeftOut(name, "as told", f"--drop {shlex.quote(name)} leaves it out"))
        elif name in options.keep or (found := _no_channel(name, file.column(name), comma)) is None:
            kept.append(name)
        else:
            left_out.append(found)
    return kept, left_out


def _no_channel(name: str, cells: np.ndarray, comma: bool) -> LeftOut | None:
    """Why a column cannot be a channel, or hardly is meant to be one."""
    numbers, _ = to_numbers(cells, comma)
    values = numbers[np.isfinite(numbers)]
    if names_labels(name) and holds_labels(numbers, cells.tolist()):
        return _labels_left_out(name, cells, keepable=len(values) > 0)
    if not len(values):
        return LeftOut(name, "holds no number", "")
    if name.startswith("column ") and (np.diff(values) == 1).all():
        return LeftOut(name, "has no name and counts the rows", f"--keep {shlex.quote(name)}")
    return None


def _labels_left_out(name: str, cells: np.ndarray, keepable: bool) -> LeftOut:
    marked = int(label_cells(cells).sum())
    keep = f", or --keep {shlex.quote(name)}" if keepable else ""
    found = f"labels, by its name, and not read: {marked} of {len(cells)} rows are marked"
    return LeftOut(name, found, f"--label-column {shlex.quote(name)}{keep}")


def _remedy(file: CsvFile, left_out: Sequence[LeftOut]) -> str:
    """What to do where no channel is left."""
    for one in left_out:
        if one.option:
            return f"{one.name!r} is left out ({one.found}): {one.option}"
    return f"columns are {_list(file)}"


def _list(file: CsvFile) -> str:
    shown = ", ".join(file.header[:12])
    return shown if len(file.header) <= 12 else f"{shown} and {len(file.header) - 12} more"
