"""Times that are numbers: counted since 1970 or another day, dates written without marks, or counts of their own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from edge.readings.numbers import looks_like_number
from edge.readings.options import FileError

_EARLIEST, _LATEST = 631152000.0, 3.155e9
"""Unix seconds that are believed to be some: 1990 to 2069. LabVIEW's seconds since 1904 begin where they end."""
_UNIX = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
UNITS_S = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0, "d": 86400.0}
"""Units of `--time-format`, in seconds."""
_SINCE = {
    "excel": (86400.0, -25569 * 86400.0),
    "matlab": (86400.0, -719529 * 86400.0),
    "julian": (86400.0, -2440587.5 * 86400.0),
    "labview": (1.0, -2082844800.0),
    "filetime": (1e-7, -11644473600.0),
    "ticks": (1e-7, -62135596800.0),
}
"""Seconds that a count is worth, and where it starts in Unix seconds."""
COUNTS = (*UNITS_S, *_SINCE)
"""What `--time-format` takes beside a pattern."""
_COMPACT = {8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_UNIT_WORDS = {
    "ms": "ms msec millis milliseconds millisecond millisec",
    "us": "us µs usec micros microseconds microsecond",
    "ns": "ns nsec nanos nanoseconds nanosecond",
    "s": "s sec secs second seconds sekunden secondes segundos elapsed uptime",
    "min": "min mins minutes minuten",
    "h": "h hr hrs hours stunden",
    "d": "d days tage",
}
_UNIT_OF = {word: unit for unit, words in _UNIT_WORDS.items() for word in words.split()}
_LOCAL = ("excel", "matlab")
"""Counts of days by the clock on the wall."""


@dataclass(frozen=True)
class NumberTime:
    """How a column of numbers is read as a time."""

    pattern: str = ""
    """strptime pattern of numbers like 20240304080000; else they are counted."""
    scale_s: float = 1.0
    offset_s: float = 0.0
    """Unix seconds are scale_s times the number, plus this."""
    local: bool = False
    """Whether what comes out is by the clock on the wall."""
    relative: bool = False
    """Whether it counts from a start of its own, and so lies in 1970."""
    per_s: float = 0.0
    """Where above 0, Unix seconds are the number divided by this: exact for milliseconds."""
    shown: str = ""
    """For the user."""

    def seconds(self, text: str) -> float | None:
        """Seconds since 1970 of a cell; None where it is no number."""
        if self.pattern:
            return _compact(text, self.pattern)
        number = _number(text)
        if number is None:
            return None
        if self.scale_s == UNITS_S["d"] and self.offset_s:  # days with a dozen digits are good to a millisecond
            return round(number * self.scale_s + self.offset_s, 3)
        return number / self.per_s if self.per_s else number * self.scale_s + self.offset_s


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        if not looks_like_number(text) or text.count(",") != 1 or "." in text:
            return None
        try:
            value = float(text.replace(",", "."))
        except ValueError:
            return None
    return value if abs(value) < 1e30 and "_" not in text else None


def _compact(text: str, pattern: str) -> float | None:
    body, _, fraction = text.partition(".")
    try:
        moment = datetime.strptime(body, pattern)
    except ValueError:
        return None
    day = moment.toordinal() - 719163
    second = day * 86400.0 + moment.hour * 3600 + moment.minute * 60 + moment.second
    return second + float(f"0.{fraction}") if fraction.isdecimal() else second


def counted(form: str) -> NumberTime:
    """The reading that `--time-format` names: a unit, or the name of a count."""
    if form in _SINCE:
        scale, offset = _SINCE[form]
        return NumberTime(scale_s=scale, offset_s=offset, local=form in _LOCAL, shown=f"{form} time")
    return _relative(form, f"numbers in {form}")


def _relative(unit: str, shown: str) -> NumberTime:
    """Numbers that count units; those of decimal parts of a second are divided, which is exact."""
    return NumberTime(scale_s=UNITS_S[unit], per_s=_UNIX.get(unit, 0.0), relative=True, shown=shown)


def unit_named(name: str) -> str | None:
    """The unit of a time that counts from a start of its own, as its name says it.

    >>> unit_named("time_ms"), unit_named("Time (s)"), unit_named("elapsed"), unit_named("timestamp")
    ('ms', 's', 's', None)
    """
    if name.lower() == "x_value":  # LabVIEW's, in seconds
        return "s"
    words = re.findall(r"[a-zµ]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())
    units = [_UNIT_OF[word] for word in words if word in _UNIT_OF]
    return units[0] if units else None


def find_number_time(name: str, texts: Sequence[str], where: str) -> NumberTime | None:
    """How a column of numbers is read as a time, by its size and its name; None where it hardly is one.

    Raises:
        FileError: its name says that it is a time, its numbers may be several.
    """
    numbers = [number for number in map(_number, texts) if number is not None]
    if not numbers or len(numbers) <= 0.5 * len(texts):
        return None
    if found := _find_compact(texts):
        return found
    middle = sorted(numbers)[len(numbers) // 2]
    unit = unit_named(name)
    for symbol, per_s in _UNIX.items():
        if _EARLIEST <= middle / per_s < _LATEST:
            if symbol == "ns" and middle > 6.2e17 and middle < 6.6e17:
                raise _unclear(where, name, texts, "may be .NET ticks (2024) or nanoseconds (1990)", "ticks", "ns")
            if unit not in (None, symbol, "s"):
                raise _unclear(where, name, texts, f"may be Unix time in {symbol} or a count of {unit}", symbol, unit)
            return NumberTime(per_s=per_s, shown=f"Unix time in {symbol}")
    days = _days(name, numbers, middle)
    if days and unit is None:
        return days
    if unit is not None:
        return _relative(unit, f"counts {unit} from a start of its own")
    return _other_count(middle)


def _find_compact(texts: Sequence[str]) -> NumberTime | None:
    """Dates without marks, where every cell is one."""
    bodies = [text.partition(".")[0] for text in texts if text]
    lengths = set(map(len, bodies))
    if len(lengths) != 1 or (length := lengths.pop()) not in _COMPACT or not all(map(str.isdigit, bodies)):
        return None
    pattern = _COMPACT[length]
    if any(not "1990" <= body[:4] < "2070" or _compact(body, pattern) is None for body in bodies):
        return None
    return NumberTime(pattern=pattern, local=True, shown=f"dates like {bodies[0]}")


def _days(name: str, numbers: Sequence[float], middle: float) -> NumberTime | None:
    """Days of a spreadsheet, of MATLAB or the Julian day, where steps are whole seconds or the name says so."""
    for form, low, high in (("excel", 32874, 62092), ("matlab", 726834, 756052), ("julian", 2447893, 2477111)):
        if low <= middle < high:
            steps = [(b - a) * 86400 for a, b in pairwise(numbers) if b != a]
            dated = re.search(r"date|datum|fecha|excel|serial|julian", name.lower())
            even = [abs(step - round(step)) < 0.02 + 1e-9 * middle * 86400 for step in steps]
            fractions = any(number != int(number) for number in numbers)
            if dated or (fractions and steps and sum(even) > 0.95 * len(even)):
                return counted(form)
    return None


def _other_count(middle: float) -> NumberTime | None:
    if _LATEST <= middle < 4.3e9:
        return NumberTime(shown="LabVIEW?")  # the check of the years refuses it with the remedy
    return NumberTime(per_s=1.0)


def _unclear(where: str, name: str, texts: Sequence[str], what: str, *forms: str) -> FileError:
    cell = next(text for text in texts if text)
    remedies = " or ".join(f"--time-format {form}" for form in forms)
    return FileError(f"{where}: time column {name!r}: {cell!r} {what}; say which: {remedies}")
