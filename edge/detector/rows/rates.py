"""Counters as rates: what a meter or a record counter adds in a second, in place of where it stands."""

import math
from collections.abc import Iterable

from edge.detector.rows.row import Row


class Rates:
    """Converts rows of one stream, in their order; one is used for a run of them.

    A rate is the rise of a counter since its last reading, over the time between the two
    rows, in the counter's unit a second. It is NaN where nothing tells it: in the first row,
    after a gap or a missing value, and where the counter was set back. A row that holds an
    older reading for want of one keeps the rate that was known then.

    >>> import numpy as np
    >>> rates = Rates([0])
    >>> rows = [Row(float(time), np.array([count])) for time, count in enumerate([5.0, 7.0, 7.0, 0.0, 3.0])]
    >>> [float(rates.convert(row).values[0]) for row in rows]
    [nan, 2.0, 0.0, nan, 3.0]
    """

    def __init__(self, positions: Iterable[int]) -> None:
        self._positions = tuple(positions)
        self._forget()

    def _forget(self) -> None:
        self._last = dict.fromkeys(self._positions, (math.nan, math.nan))  # counter, and Unix seconds of its row
        self._rate = dict.fromkeys(self._positions, math.nan)

    def convert(self, row: Row) -> Row:
        """The row with rates for counters, written into its own array."""
        if row.restart:
            self._forget()
        for position in self._positions:
            if position not in row.held:
                self._read(position, row.time, float(row.values[position]))
            row.values[position] = self._rate[position]
        unknown = {position for position in self._positions if math.isnan(self._rate[position])}
        return row._replace(held=tuple(position for position in row.held if position not in unknown))

    def _read(self, position: int, time: float, count: float) -> None:
        """Take a reading, NaN where the row has none."""
        before, since = self._last[position]
        rise = count - before
        self._rate[position] = rise / (time - since) if rise >= 0 else math.nan
        self._last[position] = count, time
