"""What the times of a file are like, counted row by row: order, repeats, years, clock changes; and what is refused."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from edge.readings.clock import Clock, TimePlan, zone_of
from edge.readings.options import FileError

EARLIEST, LATEST = 631152000.0, 3.155e9
"""Unix seconds of 1990 and of the end of 2069."""
_DAY_S = 86400.0
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
    twins: int = 0
    """Repeats whose other cells are those of the row above, too."""
    still: int = 0
    """The same where the time moved on, of the first thousand rows."""
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
    _above: Sequence[str] = ()
    anew: tuple[str, int] | None = None
    """Text and line of the row whose time steps back furthest."""
    again: int = 0
    """Rows whose time lies between the first and the latest that there was above a step back."""
    _moved: int = 0
    _covered: float = -math.inf
    _furthest: float = 0.0

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
        self.strange += not EARLIEST <= time < LATEST
        self.lowest, self.highest = min(self.lowest, time), max(self.highest, time)
        self._step(time, line, cells)
        self._last = time
        return time

    def _step(self, time: float, line: int, cells: Sequence[str]) -> None:
        alike, self._above = (self.rows < 1000 or time == self._last) and self._alike(cells), cells
        if self.origin != self.origin:
            self.origin = time
            return
        step = time - self._last
        self.repeats += step == 0
        self.twins += alike and step == 0
        if step and self.rows < 1000:
            self.still += alike
            self._moved += 1
        self.back += step < 0
        if step < 0:
            self._covered = self.highest
        if step < self._furthest:
            self._furthest, self.anew = step, (self.plan.text(cells), line)
        self.again += self.origin <= time <= self._covered
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

    def _alike(self, cells: Sequence[str]) -> bool:
        pairs = enumerate(zip(cells, self._above, strict=False))
        return all(a == b or place in self.plan.columns for place, (a, b) in pairs)

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
        usual = self.still / max(1, self._moved)
        if self._quantum >= _DAY_S or self.twins > max(0.5, 2 * usual) * self.repeats:
            return 0.0  # dates without a time of day, or rows that were written twice
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


def refuse_anew(found: TimeEvidence, names: str, where: str) -> None:
    """Refuse a file of several recordings, or of a board that was restarted, one over the times of the other.

    Raises:
        FileError: time steps back a few times only, and more than a quarter of the rows lie where others do already.
    """
    if found.anew is None or found.back > 0.02 * found.known or found.again <= 0.25 * found.known:
        return
    text, line = found.anew
    raise FileError(
        f"{where}: line {line}: the time in {names} begins anew ({text!r}), {found.again} of {found.known} rows lie at "
        "times of others: several recordings or sensors one after another, or a board that was restarted? Cut the file "
        "there, and give the parts as files; if one follows the other, --time-column none --period SECONDS counts the "
        "rows"
    )


def _unread(found: TimeEvidence, names: str, where: str) -> FileError:
    text, line = found.bad or ("", 0)
    return FileError(
        f"{where}: no usable rows: {found.unread} of {found.rows} rows have no readable time in {names}, the first is "
        f"{text!r} (line {line}); say how it is written: --time-format '%d.%m.%Y %H:%M:%S', or a unit such as ms, or "
        "excel"
    )


def _wrong_years(found: TimeEvidence, names: str, where: str) -> FileError:
    text, line = found.first or ("", 0)
    if found.highest < EARLIEST:
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
