"""What to log of a link that comes and goes."""

import math
import threading

_AT_ONCE = 4
"""Changes that are logged as they come: a loss and a return, twice."""
_FIRST_QUIET_S, _LONGEST_QUIET_S = 60.0, 3600.0
"""Shortest time between two lines after those; it doubles with each."""
_HOLDS = 3.0
"""A state holds once it has lasted so many times longer than any since the last line did."""
_FRESH_S = 2 * _LONGEST_QUIET_S
"""A change after so long is the first of another story."""


class Flapping:
    """Changes of a link's state: the first few are logged at once, of the others a line a minute, then ever fewer.

    Whoever has one asks `held` now and then, so that the state that is there in the end is the one logged last.
    `now` is monotonic time, seconds; any thread may call.

    >>> link = Flapping()
    >>> [link.change(second) for second in (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)]
    ['', '', '', '', None, None]
    >>> link.held(30.0), link.held(65.0), link.held(66.0)
    (None, ' (2 changes since it was last logged)', None)
    >>> link.change(126.0), link.change(9000.0)
    (None, '')
    """

    _WORD = "changes"

    def __init__(self) -> None:
        self._changes = self._unsaid = 0
        self._last = self._logged = -math.inf
        self._quiet_s, self._longest_s = _FIRST_QUIET_S, 0.0
        self._lock = threading.Lock()

    def change(self, now: float) -> str | None:
        """The state changed: what to add to the line that says so, or None where none is to be logged."""
        with self._lock:
            lasted_s = now - self._last
            if lasted_s > _FRESH_S:
                self._changes, self._quiet_s, self._longest_s = 0, _FIRST_QUIET_S, 0.0
            else:
                self._longest_s = max(self._longest_s, lasted_s)
            self._changes, self._unsaid, self._last = self._changes + 1, self._unsaid + 1, now
            if self._changes <= _AT_ONCE:
                self._unsaid, self._logged = 0, now
                return ""
            return self._line(now) if now - self._logged >= self._quiet_s else None

    def held(self, now: float) -> str | None:
        """What to add to a line that says how it is now, where changes were passed over and it has settled."""
        with self._lock:
            if not self._unsaid:
                return None
            settled = now - self._last >= max(_FIRST_QUIET_S, _HOLDS * self._longest_s)
            return self._line(now) if settled or now - self._logged >= self._quiet_s else None

    def _line(self, now: float) -> str:
        said = f" ({self._unsaid} {self._WORD} since it was last logged)" if self._unsaid > 1 else ""
        self._unsaid, self._logged = 0, now
        self._quiet_s = min(2 * self._quiet_s, _LONGEST_QUIET_S)
        return said


class LogThrottle(Flapping):
    """What happens again and again, by somebody's doing or in a retry: as a link that flaps, but without an end state.

    >>> wrong = LogThrottle()
    >>> [wrong.change(second) for second in (0.0, 1.0, 2.0, 3.0, 4.0, 63.0, 100.0, 190.0)]
    ['', '', '', '', None, ' (2 times since it was last logged)', None, ' (2 times since it was last logged)']
    """

    _WORD = "times"
