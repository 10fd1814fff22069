"""Waits between attempts to make a link again."""


class Backoff:
    """Doubles from `first_s` up to `longest_s`, seconds; `reset` after a success.

    >>> backoff = Backoff(first_s=1.0, longest_s=4.0)
    >>> [backoff.next_s() for _ in range(4)]
    [1.0, 2.0, 4.0, 4.0]
    """

    def __init__(self, first_s: float = 0.5, longest_s: float = 3.0) -> None:
        self._first_s, self._longest_s = first_s, longest_s
        self._next_s = first_s

    def next_s(self) -> float:
        """How long to wait before the next attempt, seconds."""
        wait_s, self._next_s = self._next_s, min(2 * self._next_s, self._longest_s)
        return wait_s

    def reset(self) -> None:
        """The last attempt worked."""
        self._next_s = self._first_s
