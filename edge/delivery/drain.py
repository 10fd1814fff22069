"""From the outbox to one connection: in order, few at a time, at a bounded rate."""

from collections import deque
from collections.abc import Callable, Iterable

from edge.delivery.counts import LinkCounts
from edge.delivery.entry import Entry, Position
from edge.delivery.outbox import Outbox
from edge.delivery.settings import DeliverySettings
from edge.wire.events import encode_message
from edge.wire.topics import DeviceTopics

Publish = Callable[[str, bytes], int]
"""Sends a payload on a topic with QoS 1 and gives the message's id; ValueError if it can never be sent."""

_UNCERTAIN_S = 2.0
"""Mosquitto acknowledges first and saves then, some milliseconds later: killed right after an acknowledgement, it had
lost the message in one of two tries, `autosave_on_changes` or not."""


class Drain:
    """Sends what is pending, once for each connection, and tells the outbox what was acknowledged.

    An event goes out with `replayed` false only if no copy can have been sent before: it was put after this
    connection came up, by this process, and nobody asked for a replay.
    """

    def __init__(
        self, outbox: Outbox, topics: DeviceTopics, settings: DeliverySettings, counts: LinkCounts, publish: Publish
    ) -> None:
        self._outbox, self._topics, self._settings = outbox, topics, settings
        self._counts, self._publish = counts, publish
        self._replayed_to = outbox.last
        self._sent_to: Position | None = None
        self._in_flight: dict[int, Entry] = {}
        self._next_at = 0.0
        # Acknowledged lately, and when; no more than may be in flight, since the broker saves within milliseconds.
        self._recent: deque[tuple[float, Entry]] = deque(maxlen=settings.max_inflight)

    def step(self, now: float) -> float | None:
        """Send what may be sent at monotonic time `now`; seconds until more may go, None if that needs news."""
        while len(self._in_flight) < self._settings.max_inflight:
            if now < self._next_at:
                return self._next_at - now
            entry = self._next()
            if entry is None:
                return None
            self._send(entry)
            self._next_at = now + 1 / self._settings.drain_per_s
        return None

    def acknowledged(self, mids: Iterable[int], now: float) -> None:
        """PUBACKs have come by monotonic time `now`; ids of other messages are passed over."""
        arrived = [entry for mid in mids if (entry := self._in_flight.pop(mid, None)) is not None]
        if arrived:
            self._counts.acknowledged += len(arrived)
            self._outbox.acknowledge(arrived)
            self._recent.extend((now, entry) for entry in arrived)
            self._forget(now)

    def lost(self, now: float) -> None:
        """The connection was lost at monotonic time `now`, perhaps with the broker: what it acknowledged just before
        may not have reached its disk, and is sent again."""
        self._forget(now)
        if self._recent:
            self._outbox.take_back([entry for _, entry in self._recent])

    def replay(self, since_seq: int) -> int:
        """Send history again from `since_seq` on, in order; how many events that adds."""
        added = self._outbox.replay(since_seq)
        self._replayed_to, self._sent_to = self._outbox.last, None
        return added

    @property
    def idle(self) -> bool:
        """Whether nothing is in flight and nothing waits."""
        return not self._in_flight and self._next() is None

    def _forget(self, now: float) -> None:
        while self._recent and now - self._recent[0][0] > _UNCERTAIN_S:
            self._recent.popleft()

    def _next(self) -> Entry | None:
        in_flight = {entry.position for entry in self._in_flight.values()}
        entries = self._outbox.pending(limit=len(in_flight) + 1, after=self._sent_to)
        return next((entry for entry in entries if entry.position not in in_flight), None)

    def _send(self, entry: Entry) -> None:
        self._sent_to = entry.position
        replayed = entry.inherited or entry.position <= self._replayed_to
        message = entry.message(self._topics.device, replayed)
        try:
            self._in_flight[self._publish(self._topics.event(entry.event.stream), encode_message(message))] = entry
        except ValueError:
            self._counts.unsendable += 1
            self._outbox.acknowledge([entry])
