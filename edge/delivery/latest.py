"""The newest payload of each retained topic, for as long as the process lives."""

import heapq
import threading
from collections.abc import Iterable
from dataclasses import dataclass

STATES_PER_S = 200
"""So many changes that are not urgent a second, all topics together: a thousand streams' scores would keep delivery
busier than scoring does, for figures that nobody reads so often."""
_NOT_WAITING = float("inf")


@dataclass(slots=True)
class _Topic:
    payload: bytes
    urgent: bool = True
    acknowledged: bytes | None = None
    sent_at: float = float("-inf")
    in_flight: bytes | None = None
    due_at: float = _NOT_WAITING
    """Its entry among what is to be sent later; others are stale."""
    refused: bytes | None = None
    """What the broker did not take, until it takes something."""

    @property
    def settled(self) -> bool:
        return self.in_flight is None and self.payload in (self.acknowledged, self.refused)


class LatestValues:
    """What is retained at the broker, or should be: only the newest payload of a topic is kept.

    A topic is sent again when its payload changed and the last one was acknowledged; at once if the change is
    urgent, else no sooner than `every_s` after the last, or later where there are very many topics. So neither a slow
    broker nor fast streams can make anything grow. Any thread may `put`; one sends. What a call costs does not depend
    on how many topics there are.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._topics: dict[str, _Topic] = {}
        self._urgent: dict[str, None] = {}  # changed, to be sent at once, in their order
        self._later: list[tuple[float, str]] = []  # changed, to be sent from then on; a heap
        self._in_flight = 0
        self._lock = threading.Lock()

    def put(self, topic: str, payload: bytes, urgent: bool = True) -> None:
        """From now on this is the topic's payload."""
        with self._lock:
            known = self._topics.get(topic)
            if known is None:
                known = self._topics[topic] = _Topic(payload)
            else:
                known.payload, known.urgent = payload, known.urgent or urgent
            self._line_up(topic, known)

    def reconnected(self) -> None:
        """A new connection: all topics are due, none is in flight."""
        with self._lock:
            self._in_flight = 0
            for topic, known in self._topics.items():
                known.acknowledged = known.in_flight = None
                known.urgent = True
                self._line_up(topic, known)

    def again(self, topic: str) -> None:
        """The topic is due although the broker has its newest payload."""
        with self._lock:
            if (known := self._topics.get(topic)) is not None and known.payload:
                known.acknowledged, known.urgent = None, True
                self._line_up(topic, known)

    def due(self, now: float, limit: int) -> list[tuple[str, bytes]]:
        """What to send at monotonic time `now`; counts as in flight from here on, at most `limit` at a time."""
        with self._lock:
            due: list[tuple[str, bytes]] = []
            while self._in_flight < limit and (topic := self._next(now)) is not None:
                known = self._topics[topic]
                known.in_flight, known.sent_at, known.urgent = known.payload, now, False
                self._in_flight += 1
                due.append((topic, known.payload))
            return due

    def acknowledged(self, topics: Iterable[str]) -> None:
        """The broker has what was in flight on these."""
        with self._lock:
            for topic in topics:
                known = self._topics[topic]
                if known.in_flight is not None:
                    self._in_flight -= 1
                known.acknowledged, known.in_flight, known.refused = known.in_flight, None, None
                self._line_up(topic, known)

    def refused(self, topic: str, retry_at: float) -> None:
        """The broker does not take what was in flight on this; it is sent again from `retry_at` on, monotonic."""
        with self._lock:
            known = self._topics[topic]
            self._in_flight -= known.in_flight is not None
            known.refused, known.in_flight, known.urgent = known.in_flight, None, False
            self._urgent.pop(topic, None)
            known.due_at = retry_at
            heapq.heappush(self._later, (retry_at, topic))

    def holds(self, topic: str, payload: bytes) -> bool:
        """Whether this is the topic's payload and the broker has acknowledged it."""
        with self._lock:
            known = self._topics.get(topic)
            return known is not None and known.payload == known.acknowledged == payload

    def wait_s(self, now: float, limit: int) -> float | None:
        """Seconds until something may be sent; None while that needs news."""
        with self._lock:
            if self._in_flight >= limit:
                return None
            self._forget_stale()
            if self._urgent:
                return 0.0
            return max(0.0, self._later[0][0] - now) if self._later else None

    def refresh(self) -> None:
        """Send what the broker has once more, without haste: somebody else may have written over it."""
        with self._lock:
            for topic, known in self._topics.items():
                if known.settled and known.payload:
                    known.acknowledged = None
                    self._line_up(topic, known)

    def hurry(self) -> None:
        """All changes are urgent now."""
        with self._lock:
            for topic, known in self._topics.items():
                known.urgent = True
                self._line_up(topic, known)

    @property
    def settled(self) -> bool:
        """Whether the broker has the newest payload of every topic."""
        with self._lock:
            return all(known.settled for known in self._topics.values())

    def _line_up(self, topic: str, known: _Topic) -> None:
        """Put a topic where its change waits, if it has one and nothing of it is in flight."""
        if known.in_flight is not None or known.payload == known.acknowledged:
            self._urgent.pop(topic, None)
            known.due_at = _NOT_WAITING
        elif known.urgent:
            known.due_at = _NOT_WAITING
            self._urgent.setdefault(topic)
        elif known.due_at == _NOT_WAITING:
            known.due_at = known.sent_at + max(self._every_s, len(self._topics) / STATES_PER_S)
            heapq.heappush(self._later, (known.due_at, topic))

    def _next(self, now: float) -> str | None:
        """Take a topic that is due out of its line."""
        self._forget_stale()
        if self._urgent:
            topic = next(iter(self._urgent))
            del self._urgent[topic]
        elif self._later and self._later[0][0] <= now:
            topic = heapq.heappop(self._later)[1]
        else:
            return None
        self._topics[topic].due_at = _NOT_WAITING
        return topic

    def _forget_stale(self) -> None:
        while self._later and self._topics[self._later[0][1]].due_at != self._later[0][0]:
            heapq.heappop(self._later)
