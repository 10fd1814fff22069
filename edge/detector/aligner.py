"""From readings, which come together or apart, late, twice or never, to rows on a regular grid."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edge.detector.rows import Row

ABSURD = 1e15
"""A magnitude no sensor sends; beyond it squares no longer fit the arithmetic that follows."""
_HOLD_PERIODS, _GAP_PERIODS, _DELAY_PERIODS = 3, 5, 1
_GRID_TOLERANCE = 1e-5
"""In periods: Unix seconds in a double are good to about 2e-7 s, so 0.3 / 0.1 must not land above 3."""
_LATE_BEFORE_RESET = 10
"""Readings in a row that lie further back than a gap before a board's clock counts as set back."""


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


class Aligner:
    """Closes rows of one stream, oldest first, each grid instant at most once.

    A row at t takes each channel's readings in (t - period, t], else holds an older
    value for `max_hold_s`, else is NaN. It closes when every channel has reached t,
    or `max_delay_s` after t. After a gap the next row carries `restart`.

    >>> aligner = Aligner(["a"], AlignerSettings(period_s=1.0))
    >>> [row.time for t in (1.0, 2.0, 3.0) for row in aligner.add(t, {"a": t})]
    [1.0, 2.0, 3.0]
    """

    def __init__(self, channels: Sequence[str], settings: AlignerSettings) -> None:
        self.settings = settings
        self.counts = {"late": 0, "future": 0, "unknown_channel": 0, "absurd": 0, "clock_reset": 0}
        self._index = {name: position for position, name in enumerate(channels)}
        self._size = len(self._index)
        self._restart_clock()

    def _restart_clock(self) -> None:
        self._newest = [-math.inf] * self._size  # time of each channel's newest reading
        self._held = [math.nan] * self._size  # value in the last closed row that had one
        self._held_time = [-math.inf] * self._size  # and that row's time
        self._pending: dict[int, _OpenRow] = {}  # by grid index
        self._closed: float = -math.inf  # grid index of the last row closed
        self._latest = -math.inf  # newest time on any channel
        self._late_run = 0

    def slot_of(self, time: float) -> int:
        """Grid index of the row that a reading at `time` belongs to: the next instant at or after it."""
        return math.ceil(time / self.settings.period_s - _GRID_TOLERANCE)

    def add(self, time: float, values: Mapping[str, float], now: float | None = None) -> list[Row]:
        """Take a board's readings of one instant; the rows that they closed.

        `time` and `now` (the gateway's clock, where it is known) are Unix seconds.
        A reading of a row that is closed already is counted as `late` and dropped.
        """
        slot = self._slot(time, now)
        if slot is None:
            return []
        row = self._pending.get(slot)
        if row is None:
            row = self._pending[slot] = _OpenRow(self._size)
        newest, index = self._newest, self._index
        for name, value in values.items():
            position = index.get(name)
            if position is None:
                self.counts["unknown_channel"] += 1
            elif not -ABSURD < value < ABSURD:  # NaN too
                self.counts["absurd"] += 1
            else:
                row.put(position, value, newer=time >= newest[position])
                newest[position] = max(newest[position], time)
        self._latest = max(self._latest, time)
        return self._close(max(min(newest), self._latest - self.settings.delay_s))

    def advance(self, now: float) -> list[Row]:
        """Rows that are overdue when the stream's time is `now`, Unix seconds."""
        return self._close(now - self.settings.delay_s)

    def flush(self) -> list[Row]:
        """All rows still open; for the end of a file."""
        return self._close(math.inf)

    def _slot(self, time: float, now: float | None) -> int | None:
        """Grid index of the row that a reading at `time` belongs to; None where it is dropped."""
        if not math.isfinite(time) or (now is not None and time > now + self.settings.max_future_s):
            self.counts["future"] += 1
            return None
        slot = self.slot_of(time)
        if slot <= self._closed and not self._clock_went_back(slot):
            self.counts["late"] += 1
            return None
        self._late_run = 0
        return slot

    def _clock_went_back(self, slot: int) -> bool:
        """Whether the board's clock was set back: then its old rows are history and a new run begins."""
        self._late_run = self._late_run + 1 if self._is_gap(slot, self._closed) else 0
        if self._late_run < _LATE_BEFORE_RESET:
            return False
        self.counts["clock_reset"] += 1
        self._restart_clock()
        return True

    def _close(self, reached: float) -> list[Row]:
        """Rows up to time `reached`: short silences are filled by holding, long ones skipped."""
        if not self._pending:
            return []
        last = reached / self.settings.period_s + _GRID_TOLERANCE
        rows: list[Row] = []
        for slot in sorted(index for index in self._pending if index <= last):
            if not self._is_gap(self._closed, slot):
                rows.extend(self._row(missing, None) for missing in range(int(self._closed) + 1, slot))
            rows.append(self._row(slot, self._pending.pop(slot)))
        return rows

    def _is_gap(self, before: float, after: float) -> bool:
        return (after - before) * self.settings.period_s > self.settings.gap_s * (1 + 1e-9)

    def _row(self, slot: int, fresh: "_OpenRow | None") -> Row:
        restart = self._is_gap(self._closed, slot)
        time = slot * self.settings.period_s
        if fresh is not None:
            self._hold(fresh, time)
        oldest = time - self.settings.hold_s * (1 + 1e-9)
        held = zip(self._held, self._held_time, strict=True)
        values = np.array([value if since >= oldest else math.nan for value, since in held])
        self._closed = slot
        return Row(time, values, restart)

    def _hold(self, fresh: "_OpenRow", time: float) -> None:
        """Make what a row received the values held from now on."""
        mean = self.settings.aggregate == "mean"
        for position, count in enumerate(fresh.counts):
            if count:
                self._held[position] = fresh.sums[position] / count if mean else fresh.last[position]
                self._held_time[position] = time


class _OpenRow:
    """What a row that is not closed yet has received, per channel."""

    __slots__ = ("counts", "last", "sums")

    def __init__(self, size: int) -> None:
        self.last = [math.nan] * size
        self.sums = [0.0] * size
        self.counts = [0] * size

    def put(self, position: int, value: float, newer: bool) -> None:
        """Add a reading; one that came out of order counts in the mean, but is not the last."""
        if newer or not self.counts[position]:
            self.last[position] = value
        self.sums[position] += value
        self.counts[position] += 1
