"""Everything that the device says to the broker, from a thread of its own."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from edge.delivery.figures import LinkCounts
from edge.delivery.latest import LatestValues
from edge.delivery.link import Link
from edge.delivery.outbox import Outbox
from edge.delivery.requests import Requests
from edge.delivery.session import Outgoing
from edge.delivery.settings import DeliverySettings
from edge.wire.broker import BrokerSettings
from edge.wire.payload import encode_payload
from edge.wire.state import StreamState, state_to_dict
from edge.wire.topics import DeviceTopics

_EXTRAS = 64
"""Snapshots that wait for a connection: 4 MB at most."""


class Publisher:
    """Keeps a connection to the broker, drains the outbox and keeps the retained topics current.

    No method but `stop` waits, whatever the broker does. A broker that is not there is normal: it is tried again
    until `stop`. Events are not handed over here: what is put into the outbox goes out.
    """

    def __init__(
        self,
        broker: BrokerSettings,
        topics: DeviceTopics,
        outbox: Outbox,
        settings: DeliverySettings | None = None,
        requests: Requests | None = None,
    ) -> None:
        self.topics, self._outbox, self.address = topics, outbox, broker.address
        settings = settings or DeliverySettings()
        self._latest = LatestValues(settings.state_every_s)
        self._health: deque[bytes] = deque(maxlen=1)
        self._extras: deque[tuple[str, bytes]] = deque(maxlen=_EXTRAS)
        self._counts = LinkCounts()
        self.requests = requests or Requests(topics)
        """What is answered."""
        outgoing = Outgoing(
            topics, outbox, self._latest, self._health, self.requests, self._counts, extras=self._extras
        )
        self._link = Link(broker, settings, outgoing)
        self._alarms: dict[str, tuple[Any, ...]] = {}
        self.taps: list[Callable[[str, bytes], None]] = []
        """Called with topic and payload of all retained topics and of health, in the caller's thread; brief."""

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._outbox.on_put = self._link.wake
        self._latest.put(self.topics.status, b"online")
        self._link.start()

    def stop(self, flush_s: float = 5.0) -> bool:
        """Send what waits, for `flush_s` at most, say `offline` and leave; whether no event is left."""
        self._link.stop(flush_s)
        return not self._outbox.pending(limit=1)

    def info(self, body: Mapping[str, Any]) -> None:
        """Retained: version, bundles, config schema."""
        self.retain(self.topics.info, encode_payload(dict(body)))

    def availability(self, stream: str, online: bool) -> None:
        """Retained: whether the stream's sensor is heard."""
        self.retain(self.topics.availability(stream), b"online" if online else b"offline")

    def state(self, stream: str, state: StreamState) -> None:
        """Retained: whether the stream is in alarm now; sent at once only when more than figures changed."""
        changed, self._alarms[stream] = state.alarm != self._alarms.get(stream), state.alarm
        self.retain(self.topics.state(stream), encode_payload(state_to_dict(state)), urgent=changed)

    def retain(self, topic: str, payload: bytes, urgent: bool = True) -> None:
        """Keep a topic's retained payload current, now and after each reconnect."""
        self._latest.put(topic, payload, urgent)
        self._link.wake()
        for tap in self.taps:
            tap(topic, payload)

    def again(self, topic: str) -> None:
        """Send a retained topic's payload once more; any thread may ask."""
        self._latest.again(topic)
        self._link.wake()

    def listen(self, topic: str, heard: Callable[[bytes], None]) -> None:
        """Call `heard` with the payload of what comes on a topic, in the delivery thread; what is retained is not
        news. From the next connection on."""
        self._link.outgoing.listens[topic] = heard

    def holds(self, topic: str, payload: bytes) -> bool:
        """Whether the broker has acknowledged this as the topic's retained payload, on this connection."""
        return self._latest.holds(topic, payload)

    def health(self, body: Mapping[str, Any]) -> None:
        """Not retained, QoS 0; without a connection only the newest waits."""
        payload = encode_payload(dict(body))
        self._health.append(payload)
        self._link.wake()
        for tap in self.taps:
            tap(self.topics.health, payload)

    def send(self, topic: str, payload: bytes) -> None:
        """Once, QoS 1 and not retained; without a connection only the newest few wait."""
        self._extras.append((topic, payload))
        self._link.wake()

    @property
    def connected(self) -> bool:
        """Whether the broker has greeted us and is still there as far as we know."""
        return self._counts.connected

    def counts(self) -> LinkCounts:
        """For `health`."""
        return replace(self._counts, refused=dict(self._counts.refused))
