"""What a row that is not closed yet has received of each channel."""

import math


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
