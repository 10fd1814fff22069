"""From readings, which come together or apart, late, twice or never, to rows on a regular grid."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from edge.detector.rows.rates import Rates
from edge.detector.rows.row import OPEN_ROWS, Grid, OpenRow, Row

ABSURD = 1e15
"""A magnitude no sensor sends; beyond it squares no longer fit the arithmetic that follows."""
_HOLD_PERIODS, _GAP_PERIODS, _DELAY_PERIODS = 3, 5, 1
EARLIEST, LATEST = -6e10, 2.5e11
"""Unix seconds that calendars know, years 69 to 9892; a stamp beyond them is in another unit or is noise."""
_LATE_BEFORE_RESET = 10
"""Readings in a row that lie further back than a gap before a board's clock counts as set back."""
_COUNTED = ("late", "repeated", "future", "stray", "clock_reset", "unknown_channel", "absurd")


@dataclass(frozen=True)
class AlignerSettings:
    """How readings become rows. None takes a default counted in periods."""

    period_s: float
    """Grid step, seconds; rows lie at its multiples since the epoch."""
    aggregate: Literal["last", "mean"] = "last"
    """What a row takes of several readings of a channel within one period."""
    max_hold_s: float | None = None
    """How long an older value stands in for a missing one, seconds; 3 periods."""
    max_gap_s: float | None = None
    """Silence after which the window starts over, seconds; 5 periods."""
    max_delay_s: float | None = None
    """How long a row waits for channels that are late, seconds; 1 period."""
    max_future_s: float = 60.0
    """A reading stamped further ahead of the gateway's clock than this is dropped, seconds."""
    rates: tuple[str, ...] = ()
    """Counters, of which rows take the rise a second (`Rates`)."""
    missing: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Channel to readings that are codes for none, as -127 for a sensor that is not there."""

    @property
    def hold_s(self) -> float:
        """`max_hold_s` or its default."""
        return _HOLD_PERIODS * self.period_s if self.max_hold_s is None else self.max_hold_s

    @property
    def gap_s(self) -> float:
        """`max_gap_s` or its default."""
        return _GAP_PERIODS * self.period_s if self.max_gap_s is None else self.max_gap_s

    @property
    def delay_s(self) -> float:
        """`max_delay_s` or its default."""
        return _DELAY_PERIODS * self.period_s if self.max_delay_s is None else self.max_delay_s


def held_gap(hold_s: float | None, period_s: float) -> float | None:
    """The `max_gap_s` that goes with a `max_hold_s`, since silence is no gap while a value may stand.

    >>> held_gap(600.0, 60.0), held_gap(None, 60.0), held_gap(10.0, 60.0)
    (660.0, None, 300.0)
    """
    return None if hold_s is None else max(hold_s + period_s, _GAP_PERIODS * period_s)


class Aligner:
    """Closes rows of one stream, oldest first, each grid instant at most once.

    A row at t takes each channel's readings in (t - period, t], else holds an older
    value for `max_hold_s`, else is NaN. It closes when every channel has reached t,
    or `max_delay_s` after t. After a gap the next row carries `restart`.

    Stamps are not trusted: a reading that runs ahead by more than a gap waits until the
    next one, or `advance`, confirms that time went on; else it is dropped as `stray`.
    Ten readings in a row from before the gap mean that the clock was set back, and
    begin a new run of rows.

    >>> aligner = Aligner(["a"], AlignerSettings(period_s=1.0))
    >>> [row.time for t in (1.0, 2.0, 3.0) for row in aligner.add(t, {"a": t})]
    [1.0, 2.0, 3.0]
    """

    def __init__(self, channels: Sequence[str], settings: AlignerSettings) -> None:
        self.settings = settings
        self.counts = dict.fromkeys(_COUNTED, 0)
        """`unknown_channel` and `absurd` count values, the others messages."""
        self._index = {name: position for position, name in enumerate(channels)}
        self._size = len(self._index)
        self._grid = Grid(settings.period_s)
        self._hold_steps = self._grid.steps_within(settings.hold_s)
        self._gap_steps = self._grid.steps_within(settings.gap_s)
        slack_s = 1e-6  # what a double loses of Unix seconds, and more
        self._gap_s = settings.gap_s + slack_s
        self._behind_s = max(settings.gap_s, settings.delay_s) + slack_s
        self._counters = [self._index[name] for name in settings.rates]
        self._begin()

    def _begin(self) -> None:
        """Start a run: nothing is held, open or closed."""
        self.latest = -math.inf
        """Time of the newest reading that was taken, Unix seconds; -inf before the first."""
        self._newest = [-math.inf] * self._size  # the same of each channel
        self._open: dict[int, OpenRow] = {}  # by slot
        self._closed: float = -math.inf  # slot of the last row closed
        self._held = [math.nan] * self._size  # value in the last closed row that had one
        self._held_slot = [-math.inf] * self._size  # and that row's slot
        self._rates = Rates(self._counters)
        self._late_run = 0
        self._leap: tuple[float, Mapping[str, float]] | None = None  # a reading that waits to be confirmed
        self._leap_after = math.inf  # readings beyond this time are leaps; the first of all is none

    def slot_of(self, time: float) -> int:
        """Slot of the row that a reading at `time` belongs to: the next grid instant at or after it."""
        return self._grid.slot(time)

    def add(self, time: float, values: Mapping[str, float], now: float | None = None) -> list[Row]:
        """Take a board's readings of one instant; the rows that they closed.

        `time` and `now` (the gateway's clock, where it is known) are Unix seconds.
        What cannot be used is counted and dropped, a reading of a closed row as `late`.
        """
        if not EARLIEST < time < LATEST or (now is not None and time > now + self.settings.max_future_s):
            self.counts["future"] += 1
            return []
        if self.settings.missing:
            values = _without_codes(values, self.settings.missing)
        return self._take(time, values) if time <= self._leap_after else self._take_leap(time, values)

    def advance(self, now: float) -> list[Row]:
        """Rows that are overdue when the stream's time is `now`, Unix seconds."""
        rows = self._confirmed() if self._leap and self._leap[0] <= now + self._gap_s else []
        return rows + self._close(now - self.settings.delay_s) if self._open else rows

    def flush(self) -> list[Row]:
        """All rows still open; for the end of a file."""
        return self._confirmed() + self._close(math.inf)

    def _take(self, time: float, values: Mapping[str, float]) -> list[Row]:
        slot = self._grid.slot(time)
        if slot <= self._closed or time < self.latest - self._behind_s:
            return self._late(time, values)
        self._late_run = 0
        row = self._open.get(slot)
        if row is None:
            row = self._open[slot] = OPEN_ROWS[self.settings.aggregate](self._size)
        every = self._every_channel(values) if time > self.latest else None
        if every is None:
            self.counts["repeated"] += self._has_heard(time, values)
            self._put_each(row, time, values)
            reached = max(min(self._newest), max(time, self.latest) - self.settings.delay_s)
        else:
            row.put_all(time, every)
            self._newest = [time] * self._size
            reached = time
        if time > self.latest:
            self.latest = time
            self._leap_after = time + self._gap_s
        return self._close(reached)

    def _every_channel(self, values: Mapping[str, float]) -> list[float] | None:
        """All channels' values where a message has them all and all are usable, which is the usual case."""
        try:
            found = list(map(values.__getitem__, self._index))
        except KeyError:
            return None
        if not math.hypot(*found) < ABSURD:  # one pass in C for all of them; NaN and inf, too, are not below
            return None
        self.counts["unknown_channel"] += len(values) - self._size
        return found

    def _put_each(self, row: OpenRow, time: float, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            position = self._index.get(name)
            if position is None:
                self.counts["unknown_channel"] += 1
            elif not -ABSURD < value < ABSURD:  # NaN too
                self.counts["absurd"] += 1
            else:
                row.put(position, time, value)
                self._newest[position] = max(self._newest[position], time)

    def _has_heard(self, time: float, values: Mapping[str, float]) -> bool:
        """Whether a channel of this message had a reading of the same time before."""
        index = self._index
        return any(name in index and self._newest[index[name]] == time for name in values)

    def _take_leap(self, time: float, values: Mapping[str, float]) -> list[Row]:
        """Far ahead of the others: whether time went on or the stamp is wrong, the next reading tells."""
        rows: list[Row] = []
        if self._leap and time < self._leap[0] - self._gap_s:
            self.counts["stray"] += 1
            self._leap, self._leap_after = None, self.latest + self._gap_s
        else:
            rows = self._confirmed()
        if time <= self._leap_after:
            return rows + self._take(time, values)
        self._leap, self._leap_after = (time, dict(values)), -math.inf
        return rows

    def _confirmed(self) -> list[Row]:
        """Take the leap that waits."""
        leap, self._leap = self._leap, None
        return self._take(*leap) if leap else []

    def _late(self, time: float, values: Mapping[str, float]) -> list[Row]:
        """A reading that came too late for its row, unless the board's clock was set back."""
        if self._has_heard(time, values):
            self.counts["repeated"] += 1
            return []
        self._late_run = self._late_run + 1 if time < self.latest - self._behind_s else 0
        if self._late_run < _LATE_BEFORE_RESET:
            self.counts["late"] += 1
            return []
        self.counts["clock_reset"] += 1
        rows = self._close(math.inf)
        self._begin()
        return rows + self._take(time, values)

    def _close(self, reached: float) -> list[Row]:
        """Rows up to time `reached`: short silences are filled by holding, long ones skipped."""
        rows: list[Row] = []
        last = self._grid.reached(reached)
        while self._open and (slot := min(self._open)) <= last:
            if 1 < slot - self._closed <= self._gap_steps:
                rows.extend(self._row(missing, None) for missing in range(int(self._closed) + 1, slot))
            rows.append(self._row(slot, self._open.pop(slot)))
        return rows

    def _row(self, slot: int, received: OpenRow | None) -> Row:
        values = [math.nan] * self._size if received is None else received.values()
        held: tuple[int, ...] = ()
        if received is not None and received.whole:
            self._held, self._held_slot = values, [slot] * self._size
        else:
            held = self._hold(slot, values)
        restart = slot - self._closed > self._gap_steps
        self._closed = slot
        row = Row(self._grid.time(slot), np.array(values), restart, held)
        return self._rates.convert(row) if self._counters else row

    def _hold(self, slot: int, values: list[float]) -> tuple[int, ...]:
        """Fill what is missing from older rows, in place; the positions filled."""
        filled = []
        for position, value in enumerate(values):
            if value == value:  # not NaN
                self._held[position], self._held_slot[position] = value, slot
            elif slot - self._held_slot[position] <= self._hold_steps:
                values[position] = self._held[position]
                filled.append(position)
        return tuple(filled)


def _without_codes(values: Mapping[str, float], missing: Mapping[str, tuple[float, ...]]) -> dict[str, float]:
    """The readings that are none of the codes for a missing one."""
    return {name: value for name, value in values.items() if value not in missing.get(name, ())}
