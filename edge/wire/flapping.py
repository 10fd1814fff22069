"""What to log of a link that comes and goes."""

import math

_QUIET_S = 60.0
_AT_ONCE = 4
"""Changes that are logged as they come: a loss and a return, twice."""


class Flapping:
    """Changes of a link's state, of which the first few are logged at once and the rest as one line a minute.

    `now` is monotonic time, seconds.

    >>> link = Flapping()
    >>> [link.change(second) for second in (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)]
    ['', '', '', '', None, None]
    >>> link.change(66.0), link.change(200.0)
    (' (3 changes more since it was last logged)', '')
    """

    def __init__(self) -> None:
        self._changes = self._unsaid = 0
        self._last = self._logged = -math.inf

    def change(self, now: float) -> str | None:
        """The state changed: what to add to the line that says so, or None where none is to be logged."""
        if now - self._last > 2 * _QUIET_S:
            self._changes = 0
        self._changes, self._last = self._changes + 1, now
        if self._changes > _AT_ONCE and now - self._logged < _QUIET_S:
            self._unsaid += 1
            return None
        said = f" ({self._unsaid + 1} changes more since it was last logged)" if self._unsaid else ""
        self._unsaid, self._logged = 0, now
        return said
