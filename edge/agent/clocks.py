"""What to make of the gateway's wall clock, which stands still in 1970, is behind at boot, and jumps when it is set."""

import math

EARLIEST_CLOCK = 1_767_225_600.0
"""2026-01-01. A gateway without a clock starts in 1970 or at its last shutdown; before this it cannot judge others."""
LATEST_SENSIBLE = 4_102_444_800.0
"""2100-01-01. A reading dated behind it is in another unit or is noise, whatever our own clock says."""
_STEP_S = 1.0
"""NTP slews what is less than half a second, and the monotonic clock with it; what differs by more was set."""
_AHEAD_BEFORE_BELIEVED = 10
"""Readings in a row, as many as set a board's clock back."""


class ArrivalClock:
    """Dates arrivals: by the wall clock as it stood first, then by the monotonic clock until the wall clock is set.

    >>> clock = ArrivalClock()
    >>> clock.time(wall=1000.0, monotonic=5.0), clock.time(wall=1001.2, monotonic=6.0), clock.stepped
    (1000.0, 1001.0, False)
    >>> clock.time(wall=8202.0, monotonic=7.0), clock.stepped
    (8202.0, True)
    >>> clock.time(wall=8000.0, monotonic=8.0, not_back=True), clock.time(wall=8001.0, monotonic=9.0)
    (8203.0, 8001.0)
    """

    def __init__(self) -> None:
        self._offset_s = math.nan
        self.stepped = False
        """Whether the wall clock was set before the arrival dated last."""

    def time(self, wall: float, monotonic: float, not_back: bool = False) -> float:
        """Unix seconds of an arrival, from both clocks at that moment; with `not_back` they never decrease."""
        ahead_s = wall - monotonic - self._offset_s
        self.stepped = ahead_s > _STEP_S or (ahead_s < -_STEP_S and not not_back)
        if self.stepped or math.isnan(self._offset_s):
            self._offset_s = wall - monotonic
        return monotonic + self._offset_s


class FutureJudge:
    """Tells a wrong stamp from a wrong gateway.

    A stamp that lies ahead of the gateway's clock is noise, in the wrong unit, or right while the gateway is behind:
    a Pi boots with the time of its last shutdown and may never reach a time server. Ten in a row that go on as the
    monotonic clock does are right, or as good: a board whose clock is behind is believed as well.
    """

    def __init__(self, max_future_s: float) -> None:
        self._max_future_s = max_future_s
        self._ahead = 0
        self._last = (math.nan, math.nan)

    def now(self, time: float, wall: float, monotonic: float) -> float:
        """The clock to judge a reading stamped `time` by, Unix seconds."""
        if wall < EARLIEST_CLOCK:
            return LATEST_SENSIBLE
        if time <= wall + self._max_future_s:
            self._ahead = 0
            return wall
        last_time, last_monotonic = self._last
        in_step = abs((time - last_time) - (monotonic - last_monotonic)) <= self._max_future_s
        self._ahead = min(self._ahead + 1, _AHEAD_BEFORE_BELIEVED) if self._ahead and in_step else 1
        self._last = (time, monotonic)
        return LATEST_SENSIBLE if self._ahead >= _AHEAD_BEFORE_BELIEVED else wall
