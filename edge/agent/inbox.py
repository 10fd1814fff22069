"""Readings on their way from the sources' threads to the inference loop: bounded, fair, the newest win."""

import logging
import math
import threading
from collections import deque
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from edge.sources.intake import Arrival

LONGEST_S = 0.1
"""How long readings are gathered at most, seconds: no period is so long that an alert had time to spare."""
_FEWEST, _MOST = 16, 256
"""Readings of a turn: those of a board that floods are scored one after another, and whoever else sends waits."""


@dataclass
class Gathering:
    """Scoring 50 rows in one call takes about as long as scoring two, each by itself.

    A reading that comes alone is taken at once; those that come after it wait until a part of a period has gone by.
    """

    part: float = 0.0
    """Of the shortest period."""
    most: int = _MOST
    """Readings that a turn takes at most."""
    _taken_at: float = -math.inf

    def wait_s(self, periods_s: Iterable[float], monotonic: float) -> float:
        """How long to go on gathering; 0 where readings should be taken now."""
        longest_s = min(self.part * min(periods_s, default=0.0), LONGEST_S)
        return max(0.0, self._taken_at + longest_s - monotonic)

    def taken(self, more: bool, monotonic: float) -> None:
        """Readings were taken; with `more` waiting there is nothing to gather."""
        self._taken_at = -math.inf if more else monotonic

    def worked(self, count: int, seconds: float) -> None:
        """A turn with so many readings took so long: one that was too long for others that wait makes the next shorter.

        >>> gathering = Gathering()
        >>> gathering.worked(256, 0.4); gathering.most
        64
        >>> gathering.worked(64, 0.01); gathering.most
        128
        """
        if count < self.most:
            return
        if seconds > LONGEST_S:
            self.most = max(_FEWEST, int(self.most * LONGEST_S / seconds))
        elif seconds < LONGEST_S / 2:
            self.most = min(_MOST, 2 * self.most)


log = logging.getLogger(__name__)

Route = tuple[str, str]
"""Source and board."""
_NAMED_STRANGERS = 20
"""Boards that no stream wants and that are named in the log; the others are only counted."""


class Inbox:
    """One bounded lane for each route, so that a board which floods pushes out its own readings and no others'.

    `put` is called from many threads, `take` from the inference loop.
    """

    def __init__(self, lanes: Mapping[Route, int]) -> None:
        self.strangers = 0
        """Readings of boards that no stream wants."""
        self._lanes: dict[Route, deque[Arrival]] = {}
        self._overrun: dict[Route, int] = {}
        self._waiting: deque[Route] = deque()  # lanes that hold something, the next to be served first
        self._stranger_names: set[Route] = set()
        self._closed = False
        lock = threading.RLock()
        self._filled, self._emptied = threading.Condition(lock), threading.Condition(lock)
        self.serve(lanes)

    def serve(self, lengths: Mapping[Route, int]) -> None:
        """From here on these boards have a lane, each of its length; lanes that there were keep what they hold."""
        with self._filled:
            lanes, overrun = self._lanes, self._overrun
            self._lanes = {route: lanes.get(route) or deque() for route in lengths}
            self._overrun = {route: overrun.get(route, 0) for route in self._lanes}
            self._waiting = deque(route for route in self._waiting if route in self._lanes)
            self._lengths = dict(lengths)
            self._emptied.notify_all()

    def put(self, arrival: Arrival, wait: bool = False) -> None:
        """Add an arrival. A full lane loses its oldest, or, with `wait`, blocks until there is room."""
        route = (arrival.source, arrival.board)
        with self._filled:
            lane = self._lanes.get(route)
            if lane is None:
                if not arrival.readings.offline:
                    self._stranger(route)
                return
            length = self._lengths[route]
            while wait and len(lane) >= length and not self._closed:
                self._emptied.wait()
            if self._closed:
                return
            while len(lane) >= length:
                lane.popleft()
                self._overrun[route] += 1
            if not lane:
                self._waiting.append(route)
            lane.append(arrival)
            self._filled.notify()

    def take(self, limit: int, timeout_s: float, held: Container[Route] = ()) -> list[Arrival]:
        """Up to `limit` arrivals, one of each lane in turn; an empty list after `timeout_s` without any.

        Lanes that are `held` keep what they have.
        """
        with self._filled:
            if not self._waiting and not self._closed:
                self._filled.wait(timeout_s)
            taken: list[Arrival] = []
            passed_over = []
            while self._waiting and len(taken) < limit:
                route = self._waiting.popleft()
                if route in held:
                    passed_over.append(route)
                    continue
                lane = self._lanes[route]
                taken.append(lane.popleft())
                if lane:
                    self._waiting.append(route)
            self._waiting.extend(passed_over)
            if taken:
                self._emptied.notify_all()
            return taken

    def overrun(self, route: Route) -> int:
        """Readings of a route that were pushed out by newer ones."""
        return self._overrun[route]

    def waiting(self, source: str) -> bool:
        """Whether anything of this source is still to be taken."""
        with self._filled:
            return any(route[0] == source for route in self._waiting)

    def behind(self) -> set[Route]:
        """Boards that have been heard since what was taken of them."""
        with self._filled:
            return set(self._waiting)

    def close(self) -> None:
        """Take no more; whoever waits for room goes on without."""
        with self._filled:
            self._closed = True
            self._filled.notify_all()
            self._emptied.notify_all()

    def _stranger(self, route: Route) -> None:
        self.strangers += 1
        if route not in self._stranger_names and len(self._stranger_names) < _NAMED_STRANGERS:
            self._stranger_names.add(route)
            log.warning("source %s: no stream takes the board %s; its readings are dropped", *route)
