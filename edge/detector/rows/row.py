"""Rows on a grid of a fixed period, and the one that is still open."""

import math
from typing import NamedTuple

import numpy as np


class Row(NamedTuple):
    """One grid instant of a stream."""

    # Not a frozen dataclass: those set each field through object.__setattr__, which takes three times as long.
    time: float
    """Grid instant, Unix seconds: a multiple of the period."""
    values: np.ndarray
    """(channels,) float64 in the channels' units; NaN where nothing is known."""
    restart: bool = False
    """A gap longer than `max_gap_s` lies before this row: windows start over."""
    held: tuple[int, ...] = ()
    """Positions in `values` that hold an older row's value for want of a reading."""


class Grid:
    """Instants of one period; the number of an instant is its slot.

    >>> grid = Grid(0.1)
    >>> grid.slot(1763772004.1), grid.time(17637720041)
    (17637720041, 1763772004.1)
    """

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        # A double holds Unix seconds to 2.4e-7 s, so 0.3 / 0.1 must not land above 3.
        self._tolerance = min(max(1e-5, 1e-6 / period_s), 0.1)
        # 17637720041 * 0.1 is 1763772004.1000001; divided by 10 it is what the board sent.
        rate = round(1 / period_s)
        self._per_s = rate if rate and abs(rate * period_s - 1) < 1e-9 else 0

    def slot(self, time: float) -> int:
        """Slot of the first instant at or after `time`, Unix seconds."""
        return math.ceil(time / self._period_s - self._tolerance)

    def reached(self, time: float) -> float:
        """Slots up to this number lie at or before `time`, Unix seconds."""
        return time / self._period_s + self._tolerance

    def time(self, slot: int) -> float:
        """Unix seconds of a slot."""
        return slot / self._per_s if self._per_s else slot * self._period_s

    def steps_within(self, duration_s: float) -> int:
        """Whole periods in a duration."""
        return math.floor(duration_s / self._period_s + self._tolerance)


class LastOfEach:
    """Takes each channel's last reading, by its time; of two at one time the one that came later."""

    __slots__ = ("_size", "_times", "_values", "whole")

    def __init__(self, size: int) -> None:
        self.whole = False
        """Whether one message had every channel."""
        self._size = size
        self._values: list[float] = []  # empty until the first reading: one with every channel brings its own
        self._times: list[float] = []

    def put(self, position: int, time: float, value: float) -> None:
        """Add one channel's reading."""
        if not self._values:
            self._values, self._times = [math.nan] * self._size, [-math.inf] * self._size
        if time >= self._times[position]:
            self._values[position] = value
            self._times[position] = time

    def put_all(self, time: float, values: list[float]) -> None:
        """Add a reading of every channel, newer than all before; the list is kept."""
        self.whole = True
        self._values, self._times = values, [time] * self._size

    def values(self) -> list[float]:
        """What the row takes of each channel, NaN where none came."""
        return self._values or [math.nan] * self._size


class MeanOfEach:
    """Takes the mean of each channel's readings."""

    __slots__ = ("_counts", "_sums", "whole")

    def __init__(self, size: int) -> None:
        self.whole = False
        """Whether one message had every channel."""
        self._sums = [0.0] * size
        self._counts = [0] * size

    def put(self, position: int, time: float, value: float) -> None:  # noqa: ARG002 their order does not matter
        """Add one channel's reading."""
        self._sums[position] += value
        self._counts[position] += 1

    def put_all(self, time: float, values: list[float]) -> None:
        """Add a reading of every channel."""
        self.whole = True
        for position, value in enumerate(values):
            self.put(position, time, value)

    def values(self) -> list[float]:
        """What the row takes of each channel, NaN where none came."""
        return [total / count if count else math.nan for total, count in zip(self._sums, self._counts, strict=True)]


OpenRow = LastOfEach | MeanOfEach
OPEN_ROWS: dict[str, type[LastOfEach] | type[MeanOfEach]] = {"last": LastOfEach, "mean": MeanOfEach}
"""By the name of the aggregate."""
