"""Which columns of a file are its time, its labels and its channels; what is left out is said."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from train.csv_file import CsvFile
from train.errors import DatasetError
from train.times import is_unix, parse_times

TIME_NAMES = ("time", "timestamp", "datetime", "date_time", "date time", "ts", "t", "unix", "epoch", "date", "zeit")
LABEL_NAMES = ("anomaly", "label", "is_anomaly", "changepoint", "change_point", "anomaly_label", "fault", "outlier")
MISSING = ("", "nan", "null", "none", "na", "n/a", "-", "?", "nil")
"""Cells that mean no value, in any case; other text is counted as text."""
_SAMPLE_ROWS = 500


@dataclass(frozen=True)
class Columns:
    """The part each column plays."""

    time: tuple[str, ...]
    """One column, or a date and a time of day."""
    label: str | None
    channels: tuple[str, ...]
    decimal_comma: bool
    notices: tuple[str, ...]
    """What was left out or guessed, each with its remedy; to be shown to the user."""


def find_columns(
    file: CsvFile,
    channels: Sequence[str] | None = None,
    time_column: str | None = None,
    label_column: str | None = None,
    timezone: str = "UTC",
) -> Columns:
    """The columns as named, the others found by name and content.

    Raises:
        DatasetError: a named column is not in the file, or there is no time column or no channel.
    """
    time = _named_time(file, time_column) if time_column else find_time(file, timezone)
    if label_column is not None:
        require(file, [label_column], "label column")
    comma = has_decimal_comma(file)
    rest = [name for name in file.header if name not in time and name != label_column]
    if channels is not None:
        require(file, channels, "channel")
        return Columns(time, label_column, tuple(channels), comma, ())
    kept, notices = _split_channels(file, rest, comma)
    if not kept:
        raise DatasetError(f"{file.path}: no channel with numbers beside {' + '.join(time)}; columns are {_list(file)}")
    return Columns(time, label_column, tuple(kept), comma, tuple(notices))


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


def _split_channels(file: CsvFile, names: list[str], comma: bool) -> tuple[list[str], list[str]]:
    """The columns that are channels, and a notice for each that is not."""
    kept, notices = [], []
    for name in names:
        numbers, _ = to_numbers(file.column(name), comma)
        values = numbers[np.isfinite(numbers)]
        if not len(values):
            notices.append(f"column {name!r} holds no number: left out")
        elif name.lower() in LABEL_NAMES and np.isin(values, (0, 1)).all():
            notices.append(
                f"column {name!r} looks like labels: left out of the channels, and not used; "
                f"name it with --label-column {name}, or keep it as a channel with --channels"
            )
        elif name.startswith("column ") and (np.diff(values) == 1).all():
            notices.append(f"{name} has no name and counts the rows: left out; keep it with --channels")
        else:
            kept.append(name)
    return kept, notices


def _list(file: CsvFile) -> str:
    shown = ", ".join(file.header[:12])
    return shown if len(file.header) <= 12 else f"{shown} and {len(file.header) - 12} more"
