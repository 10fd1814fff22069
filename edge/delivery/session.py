"""What is said over one connection: retained values, events, answers, health."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from attrs import evolve

from edge.delivery.drain import Drain
from edge.delivery.figures import LinkCounts
from edge.delivery.latest import LatestValues
from edge.delivery.outbox import Outbox
from edge.delivery.refusals import Refusals
from edge.delivery.requests import RequestError, Requests
from edge.delivery.settings import DeliverySettings
from edge.mqtt.connection import ConnectError, Connection
from edge.wire.envelope import CONTENT_TYPE
from edge.wire.topics import DeviceTopics

_LOOK_S = 0.05
"""How often it is looked whether a request's work is done, seconds."""
_PACKETS_A_TURN = 20
"""Read at most before it is looked whether there is an alert to send: in a storm of requests most cost no more."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What outlasts a connection."""

    topics: DeviceTopics
    outbox: Outbox
    latest: LatestValues
    health: deque[bytes]
    requests: Requests
    counts: LinkCounts
    refusals: Refusals = field(default_factory=Refusals)
    listens: dict[str, Callable[[bytes], None]] = field(default_factory=dict)
    """Other topics that somebody wants to hear, with whom to call; they are brief."""
    extras: deque[tuple[str, bytes]] = field(default_factory=deque)
    """Topics and payloads to be sent once, QoS 1."""


class Session:
    """One connection's part in sending what there is."""

    def __init__(self, connection: Connection, outgoing: Outgoing, settings: DeliverySettings) -> None:
        settings = evolve(
            settings, max_inflight=min(settings.max_inflight, max(1, connection.granted.max_inflight // 2))
        )
        self._connection, self._out, self._settings = connection, outgoing, settings
        self._retained_mids: dict[int, str] = {}
        self._answers: dict[int, str] = {}
        self._leaving = False
        self._refresh_at = time.monotonic() + settings.retained_every_s
        refusals, counts = outgoing.refusals, outgoing.counts
        refusals.reconnected()
        counts.refused = refusals.reasons
        kind = CONTENT_TYPE if settings.cloudevents else None
        publish = partial(connection.publish, content_type=kind)
        self._drain = Drain(outgoing.outbox, outgoing.topics, settings, counts, publish, refusals)

    def start(self) -> None:
        """All retained values are due again, and the allowed requests are listened for."""
        self._out.latest.reconnected()
        self._out.requests.register("replay", self._replay)
        self._connection.subscribe([*self._out.requests.subscriptions, *self._out.listens])

    def step(self, now: float) -> None:
        """Send what is due at monotonic time `now`, then wait for news and serve the network.

        Raises:
            ConnectError: acknowledgements stay away.
        """
        if now >= self._refresh_at:
            self._out.latest.refresh()
            self._refresh_at = now + self._settings.retained_every_s
        for topic, payload in self._out.latest.due(now, self._settings.max_inflight):
            self._retained_mids[self._connection.publish(topic, payload, retain=True)] = topic
        while self._out.health:
            self._connection.publish(self._out.topics.health, self._out.health.popleft(), qos=0)
        if self._out.extras:  # one at a time: alerts go first
            topic, payload = self._out.extras.popleft()
            self._answers[self._connection.publish(topic, payload)] = topic
        unread = bool(self._connection.messages)
        soon_s = 0.0 if self._out.extras or unread else _LOOK_S if self._out.requests.pending else None
        waits = (soon_s, self._drain.step(now), self._out.latest.wait_s(now, self._settings.max_inflight))
        wait_s = min([self._connection.longest_wait_s, *(wait for wait in waits if wait is not None)])
        self._connection.step(wait_s, 1 if unread else _PACKETS_A_TURN)
        self._take_acknowledgements()
        self._take_refusals()
        self._answer_requests()
        # Only now: while a slow disk held this thread up, the acknowledgement may have been waiting to be read.
        if (stalled_s := self._connection.stalled_s()) > self._settings.ack_timeout_s:
            raise ConnectError(f"{self._connection.address}: no acknowledgement for {stalled_s:.0f} s")

    def all_sent(self) -> bool:
        """Whether the broker has everything, `offline` the last of it; makes that be said once the rest is there."""
        if self._leaving:
            return self._out.latest.settled
        self._out.latest.hurry()
        if self._drain.idle and self._out.latest.settled:
            self._leaving = True
            self._drain.leave()
            self._out.latest.put(self._out.topics.status, b"offline")
        return False

    def _take_acknowledgements(self) -> None:
        mids, self._connection.acknowledged = self._connection.acknowledged, []
        if mids:
            self._out.counts.contact_at = time.time()
        topics = [topic for mid in mids if (topic := self._retained_mids.pop(mid, None)) is not None]
        self._out.latest.acknowledged(topics)
        for topic in topics:
            self._out.refusals.accepted(topic, time.monotonic())
        for mid in mids:
            self._answers.pop(mid, None)
        self._drain.acknowledged(mids, time.monotonic())

    def _take_refusals(self) -> None:
        now = time.monotonic()
        refused, self._connection.refused = self._connection.refused, []
        for mid, reason in refused:
            if (topic := self._retained_mids.pop(mid, None)) is not None:
                self._out.latest.refused(topic, self._out.refusals.note(topic, reason, now))
            elif not self._drain.refused(mid, reason, now):
                self._out.refusals.note(self._answers.pop(mid, "a topic of its own"), reason, now)
        answered, self._connection.subscribed = self._connection.subscribed, []
        for topic, refusal in answered:
            if refusal is not None:
                self._out.refusals.note(topic, f"the subscription is refused: {refusal}", now)
            else:
                self._out.refusals.accepted(topic, now)

    def _answer_requests(self) -> None:
        """One that is answered, at most: an alert does not wait for two. The rest are answered in the next turns."""
        requests = self._out.requests
        while self._connection.messages:
            message = self._connection.messages.popleft()
            if message.retain:  # a retained request would be carried out anew at every connection
                continue
            if (heard := self._out.listens.get(message.topic)) is not None:
                heard(message.payload)
                continue
            passed_over = requests.unanswered
            answer = requests.answer(message.topic, message.payload)
            if answer is not None:
                self._answers[self._connection.publish(*answer)] = answer[0]
            if requests.unanswered == passed_over:
                break
        for answer in requests.results():
            self._answers[self._connection.publish(*answer)] = answer[0]

    def _replay(self, fields: dict[str, object]) -> dict[str, object]:
        since_seq, log = fields.get("since_seq"), self._out.outbox.log
        if not isinstance(since_seq, int) or isinstance(since_seq, bool) or not 0 <= since_seq < 2**63:
            raise RequestError('replay wants "since_seq", the first number to send again')
        if fields.get("log", log) != log:
            raise RequestError(f"this device's log is {log}")
        return {"log": log, "events": self._drain.replay(since_seq)}
