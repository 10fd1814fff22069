"""When a source that asks reads next."""

import math


class Schedule:
    """The multiples of a period by the wall clock: however long a read takes, the next ones do not drift.

    Rows are dated at such multiples as well, so that each row finds one read, and always the same part of a period
    lies between the two.

    >>> schedule = Schedule(period_s=2.0)
    >>> schedule.wait_s(wall=1001.5), schedule.wait_s(wall=1002.1), schedule.wait_s(wall=1009.0)
    (0.5, 1.8999999999999773, 1.0)
    """

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._slot = -1

    def wait_s(self, wall: float) -> float:
        """How long to wait for the next read, seconds; `wall` is now, Unix seconds. Times that are over are left out.

        A clock that is set, back or forth, moves the reads with it.
        """
        slot = math.floor(wall / self._period_s) + 1
        if slot == self._slot:  # the wait was over a little early by this clock
            slot += 1
        self._slot = slot
        return slot * self._period_s - wall
