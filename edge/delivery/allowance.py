"""How often something may be done."""


class Allowance:
    """So many a second on average, and so many at once. `now` is monotonic time.

    >>> allowance = Allowance(a_second=1.0, at_once=2.0)
    >>> [allowance.take(now) for now in (0.0, 0.1, 0.2, 1.3)]
    [True, True, False, True]
    """

    def __init__(self, a_second: float, at_once: float) -> None:
        self._a_second, self._at_once = a_second, at_once
        self._left, self._at = at_once, 0.0

    def take(self, now: float) -> bool:
        """Whether one more may be had."""
        self._left = min(self._at_once, self._left + max(0.0, now - self._at) * self._a_second)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
