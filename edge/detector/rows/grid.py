"""The grid that rows lie on: the multiples of a period since the epoch, numbered."""

import math


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
