"""From the outbox to one connection: in order, few at a time, at a bounded rate."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable

from edge.delivery.entries import Entry, Position
from edge.delivery.figures import LinkCounts
from edge.delivery.outbox import Outbox
from edge.delivery.refusals import Refusals
from edge.delivery.settings import DeliverySettings
from edge.wire.envelope import enveloped
from edge.wire.events import EventMessage, encode_message, message_to_dict
from edge.wire.payload import encode_payload
from edge.wire.topics import DeviceTopics

Publish = Callable[[str, bytes], int]
"""Sends a payload on a topic with QoS 1 and gives the message's id; ValueError if it can never be sent."""


class Drain:
    """Sends what is pending, once for each connection, and tells the outbox what was acknowledged.

    A PUBACK counts once the connection has outlived it by `confirm_after_s`: Mosquitto sends it before it writes the
    message to disk, and a broker killed in between knows nothing of it. Until then the event stays pending on disk,
    so that whatever dies, the next connection sends it again.

    An event goes out with `replayed` false only if no copy can have been sent before: it was put after this
    connection came up, by this process, and nobody asked for a replay.

    What the broker refuses stays pending, and with it what follows on the same topic; other topics go on.
    """

    def __init__(
        self,
        outbox: Outbox,
        topics: DeviceTopics,
        settings: DeliverySettings,
        counts: LinkCounts,
        publish: Publish,
        refusals: Refusals | None = None,
    ) -> None:
        self._outbox, self._topics, self._settings = outbox, topics, settings
        self._counts, self._publish = counts, publish
        self._replayed_to = outbox.last
        self._sent_to: Position | None = None
        self._in_flight: dict[int, Entry] = {}
        self._unconfirmed: deque[tuple[float, Entry]] = deque()  # with the monotonic time of their PUBACK
        self._next_at = 0.0
        self._refusals = refusals or Refusals()
        self._again_at = math.inf  # what was passed over is looked at again
        self._again_to: Position | None = None  # up to here it has been
        self._again = False  # whether that is under way: of what was refused, or of a replay

    def step(self, now: float) -> float | None:
        """Send what may be sent at monotonic time `now`; seconds until more may go, None if that needs news."""
        self._confirm(now - self._settings.confirm_after_s)
        if now >= self._again_at:
            self._again, self._again_to, self._again_at = True, None, math.inf
        while len(self._in_flight) < self._settings.max_inflight:
            if now < self._next_at:
                return self._next_at - now
            entry = self._next(now)
            if entry is None:
                return None if self._again_at == math.inf else self._again_at - now
            self._send(entry)
            self._next_at = now + 1 / self._settings.drain_per_s
        return None

    def acknowledged(self, mids: Iterable[int], now: float) -> None:
        """PUBACKs have come at monotonic time `now`; ids of other messages are passed over."""
        arrived = [entry for mid in mids if (entry := self._in_flight.pop(mid, None)) is not None]
        self._counts.acknowledged += len(arrived)
        for entry in arrived:
            self._refusals.accepted(self._topic(entry), now)
        self._unconfirmed += [(now, entry) for entry in arrived]
        self._confirm(now - self._settings.confirm_after_s)

    def refused(self, mid: int, reason: str, now: float) -> bool:
        """The broker does not take this message; whether it was an event. It stays pending."""
        entry = self._in_flight.pop(mid, None)
        if entry is None:
            return False
        self._again_at = min(self._again_at, self._refusals.note(self._topic(entry), reason, now))
        return True

    def leave(self) -> None:
        """The broker has taken all and the connection ends as it should: what it acknowledged counts."""
        self._confirm(math.inf)

    def replay(self, since_seq: int) -> int:
        """Send history again from `since_seq` on, in order and after what is new; how many events that adds."""
        self._confirm(math.inf)
        added = self._outbox.replay(since_seq)
        self._replayed_to = self._outbox.last
        self._again, self._again_to = True, None
        return added

    @property
    def idle(self) -> bool:
        """Whether nothing is in flight and nothing waits."""
        return not self._in_flight and self._next(time.monotonic()) is None

    def _confirm(self, until: float) -> None:
        """What was acknowledged by then is delivered."""
        delivered = []
        while self._unconfirmed and self._unconfirmed[0][0] <= until:
            delivered.append(self._unconfirmed.popleft()[1])
        if delivered:
            self._outbox.acknowledge(delivered)

    def _next(self, now: float) -> Entry | None:
        """The next entry that may be sent: what was never sent first, so that a replay holds up no alert."""
        entry, self._sent_to = self._free(self._sent_to, now)
        if entry is None and self._again:
            entry, self._again_to = self._free(self._again_to, now)
            self._again = entry is not None
        return entry

    def _free(self, after: Position | None, now: float) -> tuple[Entry | None, Position | None]:
        """The next entry that is not under way and whose topic did not refuse; up to where that was looked for."""
        under_way = {entry.position for entry in self._in_flight.values()}
        under_way.update(entry.position for _, entry in self._unconfirmed)
        passed = after
        while entries := self._outbox.pending(limit=len(self._in_flight) + 1, after=after):
            for entry in entries:
                if entry.position not in under_way:
                    retry_at = self._refusals.retry_at(self._topic(entry))
                    if retry_at <= now:
                        return entry, passed
                    self._again_at = min(self._again_at, retry_at)
                passed = entry.position
            after = entries[-1].position
        return None, passed

    def _topic(self, entry: Entry) -> str:
        return self._topics.event(entry.event.stream)

    def _send(self, entry: Entry) -> None:
        if self._sent_to is None or entry.position > self._sent_to:
            self._sent_to = entry.position
        else:
            self._again_to = entry.position
        replayed = entry.inherited or entry.position <= self._replayed_to
        message = entry.message(self._topics.device, replayed)
        try:
            self._in_flight[self._publish(self._topic(entry), self._payload(message))] = entry
        except ValueError:
            self._counts.unsendable += 1
            self._outbox.acknowledge([entry])

    def _payload(self, message: EventMessage) -> bytes:
        if not self._settings.cloudevents:
            return encode_message(message)
        return encode_payload(enveloped(message_to_dict(message), self._topics.root))
