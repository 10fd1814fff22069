"""The newest payload of each retained topic, for as long as the process lives."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class _Topic:
    payload: bytes
    urgent: bool = True
    acknowledged: bytes | None = None
    sent_at: float = float("-inf")
    in_flight: bytes | None = None

    @property
    def settled(self) -> bool:
        return self.in_flight is None and self.payload == self.acknowledged


class LatestValues:
    """What is retained at the broker, or should be: only the newest payload of a topic is kept.

    A topic is sent again when its payload changed and the last one was acknowledged; at once if the change is
    urgent, else no sooner than `every_s` after the last. So neither a slow broker nor a fast stream
    can make anything grow. Any thread may `put`; one sends.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._topics: dict[str, _Topic] = {}
        self._lock = threading.Lock()

    def put(self, topic: str, payload: bytes, urgent: bool = True) -> None:
        """From now on this is the topic's payload."""
        with self._lock:
            known = self._topics.get(topic)
            if known is None:
                self._topics[topic] = _Topic(payload)
            else:
                known.payload, known.urgent = payload, known.urgent or urgent

    def reconnected(self) -> None:
        """A new connection: all topics are due, none is in flight."""
        with self._lock:
            for known in self._topics.values():
                known.acknowledged = known.in_flight = None
                known.urgent = True

    def due(self, now: float, limit: int) -> list[tuple[str, bytes]]:
        """What to send at monotonic time `now`; counts as in flight from here on, at most `limit` at a time."""
        with self._lock:
            room = limit - sum(known.in_flight is not None for known in self._topics.values())
            due = [(topic, known) for topic, known in self._topics.items() if self._wait_s(known, now) == 0][
                : max(0, room)
            ]
            for _, known in due:
                known.in_flight, known.sent_at, known.urgent = known.payload, now, False
            return [(topic, known.payload) for topic, known in due]

    def acknowledged(self, topics: Iterable[str]) -> None:
        """The broker has what was in flight on these."""
        with self._lock:
            for topic in topics:
                known = self._topics[topic]
                known.acknowledged, known.in_flight = known.in_flight, None

    def wait_s(self, now: float, limit: int) -> float | None:
        """Seconds until something may be sent; None while that needs news."""
        with self._lock:
            if not self._room(limit):
                return None
            waits = [wait for known in self._topics.values() if (wait := self._wait_s(known, now)) is not None]
        return min(waits, default=None)

    def hurry(self) -> None:
        """All changes are urgent now."""
        with self._lock:
            for known in self._topics.values():
                known.urgent = True

    @property
    def settled(self) -> bool:
        """Whether the broker has the newest payload of every topic."""
        with self._lock:
            return all(known.settled for known in self._topics.values())

    def _room(self, limit: int) -> int:
        return max(0, limit - sum(known.in_flight is not None for known in self._topics.values()))

    def _wait_s(self, known: _Topic, now: float) -> float | None:
        if known.in_flight is not None or known.payload == known.acknowledged:
            return None
        return 0.0 if known.urgent else max(0.0, known.sent_at + self._every_s - now)
