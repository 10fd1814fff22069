"""A run over a live link: messages at their moment until the end or a signal."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from edge.wire.readings import Readings
from firmware_sim.board.fleet import Message


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


class BoardLink(Protocol):
    """A way out of the board."""

    @property
    def lost(self) -> int:
        """Readings that could not be sent."""

    def open(self) -> None:
        """Make it ready to send."""

    def send(self, board: str, readings: Readings) -> None:
        """Send one reading of `board`, or count it as lost."""

    def close(self) -> None:
        """Finish what is on its way and release the endpoint."""


def play(messages: Iterable[tuple[Message, str]], link: BoardLink, pace: Pace) -> tuple[int, float, bool]:
    """Send messages over an open link, each at its moment.

    How many were given to it, the simulated seconds that passed, and whether it came to their end.
    """
    sent, since_s = 0, 0.0
    for message, board in messages:
        if not pace.wait_for(message.sent_at):
            return sent, since_s, False
        link.send(board, message.readings)
        sent, since_s = sent + 1, message.sent_at
    return sent, since_s, True
