"""How fast simulated time goes by."""

import threading
import time
from collections.abc import Callable


class Pace:
    """Holds messages back until their moment has come; `speed` simulated seconds a real one, None as fast as it goes.

    `stop` ends every wait at once; `now` is a monotonic clock, seconds.
    """

    def __init__(self, speed: float | None, stop: threading.Event, now: Callable[[], float] = time.monotonic):
        self.speed = speed
        self.stop = stop
        self.now = now
        self.began = now()

    def wait_for(self, since_s: float) -> bool:
        """Wait until `since_s` of simulated time have passed; False if stopped meanwhile."""
        if self.speed is None:
            return not self.stop.is_set()
        ahead_s = since_s / self.speed - (self.now() - self.began)
        # Below 2 ms a wait costs more than it is worth; at high speeds messages then go in small bunches.
        if ahead_s > 0.002:
            return not self.stop.wait(ahead_s)
        return not self.stop.is_set()
