"""The time of each row of a file: its cells joined, read, and put from the clock on the wall to Unix seconds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from edge.readings.dates import by_pattern, day_number, offset_of, read_stamp
from edge.readings.instants import NumberTime, find_number_time
from edge.readings.options import FileError

_DAY_S = 86400.0
_CALENDAR_S = 5e10
"""Seconds that calendars know, either way of 1970: years 386 to 3554."""
_EARLIEST, _LATEST = 631152000.0, 3.155e9
"""Unix seconds of 1990 and 2069, between which a number is taken for some."""


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name.

    Raises:
        FileError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise FileError(f"time zone {name!r} is not known; wanted a name like Europe/Berlin or UTC") from error


@dataclass(frozen=True)
class TimePlan:
    """Which columns are a row's time, and how they are read."""

    columns: tuple[int, ...] = ()
    """Places in the row; none where rows are counted."""
    kind: str = "text"
    """text, number, parts (year, month, … in columns of their own), clock (no date) or rows (they are counted)."""
    order: str = "ymd"
    """Of day, month and year in text."""
    pattern: str = ""
    """strptime pattern that the user gave."""
    number: NumberTime | None = None
    parts: tuple[str, ...] = ()
    """What each column holds, of kind parts."""
    offset_s: float | None = None
    """Seconds east of Greenwich that the column's name gives, as `Date Time, GMT+01:00` does."""
    zone: str = "UTC"
    period_s: float = 0.0
    """Of kind rows."""
    even_s: float = 0.0
    """Above 0 where times are rounded so far that rows repeat them: the step of the rows, which is even, seconds."""
    relative: bool = False
    """Whether times count from a start of their own."""
    shown: str = ""
    """For the user."""
    newest_first: bool = False
    """Whether the rows come from the last to the first."""

    def text(self, cells: Sequence[str]) -> str:
        """The row's time cells as written, joined by a blank."""
        if len(self.columns) == 1:
            return cells[self.columns[0]]
        return " ".join(cells[place] for place in self.columns)


@dataclass
class Clock:
    """Reads the times of a file's rows in their order; the hour that a clock change repeats is told by the order."""

    plan: TimePlan
    _local: "LocalTime" = field(init=False)
    _named: dict[str, "LocalTime"] = field(default_factory=dict)
    _rows: int = 0
    _midnights: float = 0.0
    _last: float = -math.inf
    _start: float = math.nan

    def __post_init__(self) -> None:
        self._local = LocalTime(self.plan.zone, self.plan.newest_first)

    def seconds(self, cells: Sequence[str]) -> float:
        """Unix seconds of the row; NaN where its cells are no time."""
        plan = self.plan
        self._rows += 1
        if plan.kind == "rows":
            return (self._rows - 1) * plan.period_s
        time = self._read(cells)
        if plan.even_s and time == time:
            if self._start != self._start:
                self._start, self._rows = time, 1
            return self._start + (self._rows - 1) * plan.even_s
        return time

    def wall(self, cells: Sequence[str]) -> tuple[float, "float | ZoneInfo | None"] | None:
        """Seconds since 1970 by the clock of the cells, and its offset or zone where they name one."""
        plan = self.plan
        if plan.kind == "number":
            assert plan.number is not None
            found = plan.number.seconds(cells[plan.columns[0]])
            return None if found is None else (found, None if plan.number.local else 0.0)
        if plan.kind == "parts":
            found = _from_parts(plan.parts, [cells[place] for place in plan.columns])
            return None if found is None else (found, plan.offset_s)
        return self._written(plan.text(cells))

    def _written(self, text: str) -> tuple[float, "float | ZoneInfo | None"] | None:
        plan = self.plan
        if plan.pattern:
            found = by_pattern(text, plan.pattern)
            return None if found is None else (found[0], plan.offset_s if found[1] is None else found[1])
        if plan.order == "ymd" and (fast := _iso(text)) is not None:
            return fast if fast[1] is not None else (fast[0], plan.offset_s)
        stamp = read_stamp(text)
        if stamp is None or (stamp.kind == "clock") != (plan.kind == "clock"):
            return None
        if stamp.kind == "clock":
            return self._by_day(stamp.second or 0.0), 0.0
        day = day_number(stamp.parts, "ymd" if stamp.kind == "ymd" else plan.order)
        if day is None:
            return None
        offset = offset_of(stamp.zone) if stamp.zone else plan.offset_s
        if stamp.zone and offset is None:
            return None
        return day * _DAY_S + (stamp.second or 0.0), offset

    def _by_day(self, second: float) -> float:
        """A time of day with the midnights before it."""
        if second < self._last - _DAY_S / 2:
            self._midnights += _DAY_S
        self._last = second
        return second + self._midnights

    def _read(self, cells: Sequence[str]) -> float:
        found = self.wall(cells)
        if found is None:
            return math.nan
        wall, offset = found
        if offset is None:
            return self._local.unix(wall)
        if isinstance(offset, float):
            return wall - offset
        return self._named.setdefault(offset.key, LocalTime(offset.key, self.plan.newest_first)).unix(wall)


def _iso(text: str) -> tuple[float, float | None] | None:
    """ISO 8601 with four digits of the year first, the usual and fastest case."""
    if text[4:5] != "-" or not 10 < len(text) <= 32 or text[10] not in " T" or "," in text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) > 26 and len(text.partition(".")[2].partition("+")[0].rstrip("Z")) > 6:
        return None  # digits that datetime drops
    second = moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6
    offset = moment.utcoffset()
    return (moment.toordinal() - 719163) * _DAY_S + second, None if offset is None else offset.total_seconds()


def _from_parts(parts: Sequence[str], cells: Sequence[str]) -> float | None:
    """Seconds since 1970 of year, month, day or day of the year, hour, minute and second; or of a date and hhmm."""
    values: dict[str, float] = {}
    for part, cell in zip(parts, cells, strict=True):
        if part == "date":
            continue
        try:
            values[part] = float(cell.replace(",", "."))
        except ValueError:
            return None
    day = _day_of(parts, cells, values)
    if day is None:
        return None
    if "hhmm" in values:
        hours, minutes = divmod(int(values["hhmm"]), 100)
        values["hour"], values["minute"] = float(hours), float(minutes)
    if "hhmmss" in values:
        rest, seconds = divmod(int(values["hhmmss"]), 100)
        values["hour"], values["minute"], values["second"] = float(rest // 100), float(rest % 100), float(seconds)
    second = values.get("hour", 0.0) * 3600 + values.get("minute", 0.0) * 60 + values.get("second", 0.0)
    return day * _DAY_S + second if 0 <= second <= _DAY_S else None


def _day_of(parts: Sequence[str], cells: Sequence[str], values: dict[str, float]) -> int | None:
    if "date" in parts or any(part.startswith("date:") for part in parts):
        place = next(place for place, part in enumerate(parts) if part.startswith("date"))
        stamp = read_stamp(cells[place])
        if stamp is None:
            digits = cells[place]
            stamp = read_stamp(f"{digits} 000000") if len(digits) == 8 and digits.isdigit() else None
        order = parts[place].partition(":")[2] or "ymd"
        return None if stamp is None else day_number(stamp.parts, "ymd" if stamp.kind == "ymd" else order)
    year = int(values.get("year", 1970))
    if "doy" in values:
        first = day_number((year, 1, 1), "ymd")
        return None if first is None else first + int(values["doy"]) - 1
    return day_number((year, int(values.get("month", 1)), int(values.get("day", 1))), "ymd")


class LocalTime:
    """Puts times of the clock on the wall to Unix seconds, in the order of the rows.

    In the hour that a clock change repeats, the second pass begins where time steps back; of rows that stand newest
    first, the first pass where it steps forward. In the hour that it skips, times are moved on to its end.
    """

    def __init__(self, zone: str, newest_first: bool = False) -> None:
        self._zone = zone_of(zone)
        self._utc = zone in ("UTC", "Etc/UTC", "GMT")
        self._newest_first = newest_first
        self._reached = math.inf if newest_first else -math.inf  # the latest wall time so far, or the earliest
        self._hour = math.nan
        self._offsets = (0.0, 0.0)

    def unix(self, wall: float) -> float:
        """Unix seconds of wall seconds since 1970."""
        if not abs(wall) < _CALENDAR_S:
            return math.nan
        if self._utc:
            return wall
        first, second = self._both(wall)
        repeated = first > second  # the offset falls: clocks go back, the wall shows it twice
        if self._newest_first:
            offset = second if repeated and wall < self._reached else first
            self._reached = min(self._reached, wall)
        else:
            offset = second if repeated and wall <= self._reached else first
            self._reached = max(self._reached, wall)
        return wall - offset

    def _both(self, wall: float) -> tuple[float, float]:
        """Offset of a wall time if it is the first such, and if it is the second; moved on where it does not exist."""
        quarter = wall // 900
        if quarter != self._hour:
            self._hour = quarter
            moment = datetime(1970, 1, 1) + timedelta(seconds=quarter * 900)
            local = [moment.replace(tzinfo=self._zone, fold=fold) for fold in (0, 1)]
            offsets = [one.utcoffset() or timedelta() for one in local]
            self._offsets = (offsets[0].total_seconds(), offsets[1].total_seconds())
        first, second = self._offsets
        return self._moved(wall, first, second) if first < second else (first, second)

    def _moved(self, wall: float, first: float, second: float) -> tuple[float, float]:
        """The offset that puts a skipped wall time to the instant of the change."""
        change = wall - first
        low, high = wall - second - 1, change + 1
        while high - low > 1e-3:
            middle = (low + high) / 2
            moment = datetime.fromtimestamp(middle, self._zone).utcoffset() or timedelta()
            low, high = (low, middle) if moment.total_seconds() > first else (middle, high)
        instant = float(round(high))
        return wall - instant, wall - instant


def moment_of(text: str, unit_s: float = 1.0, zone: str = "UTC") -> float | None:
    """Unix seconds of a time in a message; None where it is none.

    A number of Unix time in s, ms, us or ns is known by its size; other numbers are in units of `unit_s`.

    >>> moment_of("1709539200000"), moment_of("2024-03-04T08:00:00Z"), moment_of("12"), moment_of("soon")
    (1709539200.0, 1709539200.0, 12.0, None)
    """
    if (iso := _iso(text)) is not None and iso[1] is not None:
        return iso[0] - iso[1]
    try:
        number = float(text)
    except ValueError:
        time = Clock(TimePlan((0,), zone=zone)).seconds([text])
        return time if math.isfinite(time) else None
    if not math.isfinite(number):
        return None
    if _EARLIEST <= number < _LATEST:
        return number
    found = find_number_time("", [text], "")
    return found.seconds(text) if found is not None and found.shown and not found.relative else number * unit_s
