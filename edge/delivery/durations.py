"""How long something took, lately: a bounded sample with percentiles."""

from collections import deque


class Durations:
    """The last `keep` durations, seconds.

    >>> took = Durations(keep=3)
    >>> for seconds in (9.0, 1.0, 3.0, 2.0):
    ...     took.add(seconds)
    >>> took.percentile(50), took.percentile(99)
    (2.0, 3.0)
    """

    def __init__(self, keep: int = 1000) -> None:
        self._last: deque[float] = deque(maxlen=keep)
        self.count = 0
        """All that were ever added."""

    def add(self, seconds: float) -> None:
        """One more; the oldest goes when the sample is full."""
        self._last.append(seconds)
        self.count += 1

    def percentile(self, percent: float) -> float | None:
        """The smallest duration that at least `percent` of the sample does not exceed; None without any."""
        ordered = sorted(self._last.copy())
        if not ordered:
            return None
        return ordered[max(0, -int(-len(ordered) * percent // 100) - 1)]
