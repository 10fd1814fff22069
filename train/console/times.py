"""Times in files and on the command line: Unix numbers or ISO text, the latter local where it names no zone."""

import math
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from edge.readings.clock import Clock, TimePlan
from train.console.errors import DatasetError

_DAY_FIRST = re.compile(r"\d{1,2}\.\d{1,2}\.\d{2}")
_NOT_BEFORE_S = 1e8
"""Unix seconds of 1973: smaller numbers are counted from a start of their own, and are taken as seconds."""
_UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
"""Magnitudes from which a Unix number must be in ns, us or ms: 1e11 s lies in the year 5138."""


def zone(name: str) -> ZoneInfo:
    """The time zone of that name.

    Raises:
        DatasetError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # an unknown name, a path, a folder's name
        raise DatasetError(f"time zone {name!r} is not known; wanted a name like Europe/Berlin or UTC") from error


def parse_times(cells: np.ndarray, timezone: str) -> np.ndarray:
    """Text cells (n,) as Unix seconds (n,), NaN where a cell is no time.

    Numbers are Unix seconds, or ms, us, ns by their magnitude; all else is text with the year first, or with the day
    first and points, in local time of `timezone` where it names no zone. The order of the cells tells the two passes
    of an hour that a clock change repeats.
    """
    numbers = np.array([_number(cell) for cell in cells], np.float64)
    finite = np.isfinite(numbers)
    if finite.mean() > 0.5:
        return np.where(finite, numbers / unix_unit(numbers[finite]), np.nan)
    zone(timezone)
    clocks = [Clock(TimePlan((0,), order=order, zone=timezone)) for order in ("ymd", "dmy")]
    texts = [str(cell).strip() for cell in cells]
    return np.array([clocks[_DAY_FIRST.match(text) is not None].seconds([text]) for text in texts], np.float64)


def _number(cell: object) -> float:
    try:
        return float(str(cell).replace(",", "."))
    except ValueError:
        return math.nan


def unix_unit(numbers: np.ndarray) -> float:
    """What Unix numbers are counted in, per second: 1, 1e3, 1e6 or 1e9."""
    typical = float(np.median(np.abs(numbers)))
    return next((per_second for least, per_second in _UNITS if typical >= least), 1.0)


def is_unix(times: np.ndarray) -> bool:
    """Whether seconds may be counted from the epoch rather than from a start of their own."""
    return bool(np.nanmedian(times) >= _NOT_BEFORE_S)


def parse_instant(text: str, timezone: str) -> float:
    """One time as on the command line, Unix seconds.

    Raises:
        DatasetError: the text is no time.
    """
    found = parse_times(np.array([text.strip()], object), timezone)[0]
    if not np.isfinite(found):
        raise DatasetError(f"{text!r} is no time; wanted ISO text such as 2014-10-12 or 2014-10-12T08:30, or Unix time")
    return float(found)


def parse_stretch(text: str, timezone: str) -> tuple[float, float]:
    """FROM:TO, FROM..TO or FROM/TO as Unix seconds; FROM is inside, TO is not.

    >>> parse_stretch("1970-01-01 00:00:10:1970-01-01 00:01", "UTC")
    (10.0, 60.0)

    Raises:
        DatasetError: not two times, or no single way to cut the text into two.
    """
    for separator in ("..", "/"):
        if separator in text:
            before, after = text.split(separator, 1)
            return _in_order(text, parse_instant(before, timezone), parse_instant(after, timezone))
    # Times hold colons themselves: cut at each of them and keep the cuts that leave two whole times.
    cuts = [(text[: at.start()], text[at.end() :]) for at in re.finditer(":", text)]
    whole = [cut for cut in cuts if all(_is_instant(part, timezone) for part in cut)]
    if len(whole) != 1:
        found = "several ways" if whole else "no way"
        raise DatasetError(f"{text!r}: found {found} to read it as FROM:TO; write FROM..TO")
    return _in_order(text, parse_instant(whole[0][0], timezone), parse_instant(whole[0][1], timezone))


def _is_instant(text: str, timezone: str) -> bool:
    if re.fullmatch(r"\s*\d{1,5}\s*", text):  # "30" of "10:30", a year at most: no time of its own
        return False
    return bool(np.isfinite(parse_times(np.array([text.strip()], object), timezone)[0]))


def _in_order(text: str, start: float, end: float) -> tuple[float, float]:
    if end <= start:
        raise DatasetError(f"{text!r} ends before it starts")
    return start, end


def format_time(time: float, timezone: str) -> str:
    """Unix seconds as local ISO text, to the second."""
    return datetime.fromtimestamp(time, zone(timezone)).strftime("%Y-%m-%d %H:%M:%S")
