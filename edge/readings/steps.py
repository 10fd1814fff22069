"""What the times of a file are like, counted row by row: order, repeats, years, clock changes; and what is refused."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from edge.readings.clock import Clock, TimePlan, zone_of
from edge.readings.options import FileError

_EARLIEST, _LATEST = 631152000.0, 3.155e9
"""Unix seconds of 1990 and of the end of 2069."""
_MOST_UNREAD = 0.25
_MOST_REPEATED = 0.5
"""Part of the rows that may repeat the time of the row above them; with more, the time is not all of the time."""
_ROUNDED = 0.02
"""The same, from which rows that are otherwise even are taken to have rounded times."""
_ZONES = (
    "Europe/Berlin", "Europe/London", "Europe/Athens", "America/New_York", "America/Chicago", "America/Denver",
    "America/Los_Angeles", "America/Sao_Paulo", "Australia/Sydney", "Australia/Adelaide", "Pacific/Auckland",
)  # fmt: skip
"""Where clocks change, the zones most often meant first."""


@dataclass
class TimeEvidence:
    """Counts over a file's times as one plan reads them."""

    plan: TimePlan
    clock: Clock = field(init=False)
    rows: int = 0
    unread: int = 0
    first: tuple[str, int] | None = None
    """Text and line of the first time that was read."""
    bad: tuple[str, int] | None = None
    """Of the first that was not."""
    repeats: int = 0
    back: int = 0
    strange: int = 0
    """Times before 1990 or after 2069."""
    lowest: float = math.inf
    highest: float = -math.inf
    jump: float = 0.0
    """The largest step either way, seconds."""
    steps: Counter[float] = field(default_factory=Counter)
    change: tuple[str, int, float] | None = None
    """Text, line and wall seconds of a row where clocks seem to go back."""
    ahead: tuple[str, float] | None = None
    """Text and wall seconds of a row before which they seem to go forward."""
    _last: float = math.nan
    origin: float = math.nan
    """The first time, Unix seconds."""
    _low: float = 0.0
    _high: float = math.inf
    _quantum: float = 0.0

    def __post_init__(self) -> None:
        self.clock = Clock(self.plan)

    def add(self, line: int, cells: Sequence[str]) -> float:
        """Take one row; its time."""
        time = self.clock.seconds(cells)
        self.rows += 1
        if time != time:
            self.unread += 1
            if self.bad is None:
                self.bad = (self.plan.text(cells), line)
            return time
        if self.first is None:
            self.first = (self.plan.text(cells), line)
        self.strange += not _EARLIEST <= time < _LATEST
        self.lowest, self.highest = min(self.lowest, time), max(self.highest, time)
        self._step(time, line, cells)
        self._last = time
        return time

    def _step(self, time: float, line: int, cells: Sequence[str]) -> None:
        if self.origin != self.origin:
            self.origin = time
            return
        step = time - self._last
        self.repeats += step == 0
        self.back += step < 0
        self.jump = max(self.jump, abs(step))
        if len(self.steps) < 1000:
            self.steps[round(step, 6)] += 1
        if step < 0 and self.change is None and self._shifted(time, step, (3600.0, 1800.0)):
            self.change = (self.plan.text(cells), line, time)
        if step > 3600 and self.ahead is None and self._shifted(time, step, (-3600.0,)):
            self.ahead = (self.plan.text(cells), time)
        if step > 0 and not self._quantum:
            self._quantum = step
        self._quantum = min(self._quantum, step) if step > 0 else self._quantum

    def bound(self, row: int, time: float) -> None:
        """Narrow the even steps that fit the `row`-th time, rounded as these are."""
        if row and self._quantum:
            self._low = max(self._low, (time - self.origin - self._quantum) / row)
            self._high = min(self._high, (time - self.origin + self._quantum) / row)

    def _shifted(self, time: float, step: float, shifts: Sequence[float]) -> bool:
        """Whether a step looks like that of clocks: the usual one less an hour, or more, on a Sunday before five."""
        usual = self.steps.most_common(1)[0][0] if self.steps else 0.0
        moment = datetime(1970, 1, 1) + timedelta(seconds=time) if abs(time) < 5e10 else datetime(1970, 1, 1)
        if moment.weekday() != 6 or moment.hour > 4:
            return False
        return any(abs(step + shift - usual) < 0.5 * max(usual, 1.0) for shift in shifts if usual >= 0)

    @property
    def known(self) -> int:
        """Rows with a time."""
        return self.rows - self.unread

    @property
    def even_s(self) -> float:
        """The even step that all times fit, rounded as they are; 0 where there is none."""
        if self.repeats < _ROUNDED * self.known or not 0 < self._low <= self._high < math.inf or self.known < 10:
            return 0.0
        return roundest(self._low, self._high)

    @property
    def usual_s(self) -> float:
        """The commonest step."""
        return self.steps.most_common(1)[0][0] if self.steps else 0.0


def roundest(low: float, high: float) -> float:
    """The step between two bounds whose rate, or which itself, has the fewest digits.

    >>> 1 / roundest(8.322e-5, 8.339e-5)
    12000.0
    """
    for digits in range(1, 13):
        for inverse in (True, False) if high < 1 else (False, True):
            a, b = (1 / high, 1 / low) if inverse else (low, high)
            unit = 10.0 ** (math.floor(math.log10(b)) - digits + 1)
            value = math.floor(b / unit + 1e-9) * unit
            if value >= a:
                value = float(f"{value:.{digits}g}")
                return 1 / value if inverse else value
    return (low + high) / 2


def choose_order(candidates: Sequence[TimeEvidence], names: str, day_first: bool | None, where: str) -> TimeEvidence:
    """The order of day and month that the file's times are in.

    Raises:
        FileError: they fit several.
    """
    if day_first is not None:
        wanted = [one for one in candidates if (one.plan.order == "dmy") == day_first]
        candidates = wanted or candidates
    least = min(one.unread for one in candidates)
    left = [one for one in candidates if one.unread <= least + 0.001 * one.rows]
    if len(left) > 1 and max(one.highest for one in left) > _LATEST:
        left = [one for one in left if one.highest <= _LATEST] or left
    clear = [one for one in left if all(_follows(one, other) for other in left if other is not one)]
    if len(clear) != 1:
        left = _by_year(left)
    if len(clear) == 1 or len(left) == 1:
        return clear[0] if len(clear) == 1 else left[0]
    first = left[0]
    dotted = first.first and "." in first.first[0][:6] and not any(one.plan.order == "ymd" for one in left)
    if dotted and first.plan.order == "dmy" and first.back <= 0.1 * first.known:
        return first  # 04.03.2024: with points the day stands first
    text, line = first.first or ("", 0)
    days = " or ".join(_day(one) for one in left[:2])
    raise FileError(
        f"{where}: the time {text!r} (line {line}) of {names} may be {days}; say whether the day stands first: "
        "--day-first or --no-day-first"
    )


def _by_year(left: Sequence[TimeEvidence]) -> list[TimeEvidence]:
    """Without the order of the year first, where that gives an older year than the others do: 03/04/24 is of 2024."""
    others = [one for one in left if one.plan.order != "ymd"]
    first = [one for one in left if one.plan.order == "ymd"]
    if others and first and max(one.highest for one in others) > first[0].highest:
        return others
    return list(left)


def _day(one: TimeEvidence) -> str:
    return (datetime(1970, 1, 1) + timedelta(seconds=one.origin)).strftime("%-d %B %Y")


def _follows(one: TimeEvidence, other: TimeEvidence) -> bool:
    """Whether times go on as rows do in one order, and leap in the other."""
    if one.back < other.back and one.back <= 0.001 * one.known:
        return True
    return one.back <= other.back and 0 < 5 * one.jump < other.jump and other.jump > 20 * 86400 and one.jump < 5 * 86400


def judged(found: TimeEvidence, names: str, declared: bool, zone_given: bool, where: str, alone: bool) -> TimePlan:
    """The plan, once its times have been looked at; `alone` where each row has a time of its own.

    Raises:
        FileError: they are in a year that they can hardly be from, repeat, or are a measurement.
    """
    if found.plan.kind == "rows" or not found.known:
        if found.rows and not found.known and found.bad:
            raise _unread(found, names, where)
        return found.plan
    if found.unread > _MOST_UNREAD * found.rows:
        raise _unread(found, names, where)
    if not declared and not found.plan.relative and found.strange > 0.5 * found.known:
        raise _wrong_years(found, names, where)
    if not alone:
        return found.plan
    if not zone_given and found.plan.offset_s is None and found.change is not None and found.plan.kind != "clock":
        _refuse_change(found, where)
    if even := found.even_s:
        return replace(found.plan, even_s=even)
    if found.repeats > _MOST_REPEATED * max(1, found.known - 1) and found.known > 3:
        text, line = found.first or ("", 0)
        raise FileError(
            f"{where}: {found.repeats} of {found.known} rows repeat the time of the row above them ({names}, line "
            f"{line}: {text!r}); if another column belongs to the time, --time-column A,B joins them; if rows are of "
            "several sensors, --id-column NAME tells them apart; if rows are even, --time-column none --period SECONDS "
            "counts them"
        )
    if found.plan.kind == "number" and found.known >= 10 and 0.1 * found.known < found.back < 0.9 * (found.known - 1):
        text, line = found.first or ("", 0)
        raise FileError(
            f"{where}: time column {names} goes back in {found.back} of {found.known} rows (line {line}: {text!r}): a "
            "measurement? Name the time with --time-column, or give --time-column none --period SECONDS"
        )
    return found.plan


def _unread(found: TimeEvidence, names: str, where: str) -> FileError:
    text, line = found.bad or ("", 0)
    return FileError(
        f"{where}: no usable rows: {found.unread} of {found.rows} rows have no readable time in {names}, the first is "
        f"{text!r} (line {line}); say how it is written: --time-format '%d.%m.%Y %H:%M:%S', or a unit such as ms, or "
        "excel"
    )


def _wrong_years(found: TimeEvidence, names: str, where: str) -> FileError:
    text, line = found.first or ("", 0)
    if found.highest < _EARLIEST:
        return FileError(
            f"{where}: times in {names} lie in {_year(found.lowest)} (line {line}: {text!r}); if they count from a "
            "start of their own, say in which unit: --time-format s (or ms, us, min, h); if they are dates, "
            "--time-format with their pattern, or excel"
        )
    return FileError(
        f"{where}: times in {names} lie in the year {_year(found.highest)} (line {line}: {text!r}); say what they are: "
        "--time-format with their pattern, a unit (s, ms, us, ns), labview, excel, matlab, filetime or ticks"
    )


def _year(time: float) -> str:
    year = 1970 + time / 31556952.0
    return f"{int(year)}" if abs(year) < 1e6 else f"{year:.1e}"


def spring_note(found: TimeEvidence, zone_given: bool) -> str | None:
    """What to know of an hour that clocks skipped; None where there is none, or a zone is named."""
    if zone_given or found.ahead is None or found.plan.offset_s is not None or found.plan.kind in ("clock", "rows"):
        return None
    text, wall = found.ahead
    zones = [name for name in _ZONES if _repeated(wall - 1800.0, name, forward=True)]
    if not zones:
        return None
    return f"an hour is missing before {text!r}, a Sunday: a clock change? --timezone {zones[0]} reads it so"


def _refuse_change(found: TimeEvidence, where: str) -> None:
    """Raise where the step back is a clock change of a known zone."""
    assert found.change is not None
    text, line, wall = found.change
    zones = [name for name in _ZONES if _repeated(wall, name)]
    if zones:
        raise FileError(
            f"{where}: local times go back an hour on {text!r} (line {line}), a Sunday: a clock change, and no zone is "
            f"named; give --timezone {zones[0]}" + (f" (or {', '.join(zones[1:3])})" if zones[1:] else "")
        )


def _repeated(wall: float, name: str, forward: bool = False) -> bool:
    """Whether a zone's clocks showed a time twice; where they go `forward`, never."""
    moment = (datetime(1970, 1, 1) + timedelta(seconds=wall)).replace(tzinfo=zone_of(name))
    first, second = moment.utcoffset() or timedelta(), moment.replace(fold=1).utcoffset() or timedelta()
    return first < second if forward else first > second
