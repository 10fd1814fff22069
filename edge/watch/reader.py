"""Reading alerts: subscribe, decode, once each, in order, whatever happens to the broker."""

import json
import logging
import threading
import time
import uuid
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Any

from edge.mqtt.connection import ConnectError, Connection
from edge.mqtt.wishes import Message, Wishes
from edge.watch.sequencer import Received, Sequencer
from edge.wire.backoff import Backoff
from edge.wire.broker import BrokerSettings
from edge.wire.events import EventError, EventMessage, decode_message
from edge.wire.topics import DeviceTopics

_Key = tuple[str, str, str]


class OpenEpisodes:
    """The newest message of each open episode, longest open first. Bounded: the oldest go first."""

    def __init__(self, max_open: int = 10_000, max_ended: int = 10_000) -> None:
        self._max_open, self._max_ended = max_open, max_ended
        self._open: OrderedDict[_Key, EventMessage] = OrderedDict()
        self._ended: OrderedDict[_Key, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[EventMessage]:
        return iter(list(self._open.values()))

    def add(self, message: EventMessage) -> None:
        """Follow one message; what comes late, after the episode's end, opens nothing again."""
        key = (message.device, message.event.stream, message.event.id)
        if message.event.event_type == "end":
            self._open.pop(key, None)
            self._ended[key] = None
            if len(self._ended) > self._max_ended:
                self._ended.popitem(last=False)
        elif key not in self._ended and not self._is_older(key, message):
            self._open[key] = message
            if len(self._open) > self._max_open:
                self._open.popitem(last=False)

    def _is_older(self, key: _Key, message: EventMessage) -> bool:
        known = self._open.get(key)
        return known is not None and known.log == message.log and known.seq > message.seq


log = logging.getLogger(__name__)

OnEvent = Callable[[EventMessage, bytes], None]
"""Gets each alert once, in order, with its payload as it came."""
OnState = Callable[[str, str, dict[str, Any]], None]
"""Gets device, stream and the body of each `state`."""
OnStatus = Callable[[str, bool], None]
"""Gets device and whether it is online."""
OnLink = Callable[[bool, str], None]
"""Gets changes of the reader's own connection: there or not, and address or reason."""


_CONNECT_S = 5.0
_PACKETS_A_TURN = 50
_SESSION_S = 7 * 86400
"""How long the broker keeps what comes for a reader with a `client_id` that is away, seconds."""
_TICK_S = 0.2
"""How often the reader looks up from the network: for `stop`, and for alerts held back long enough."""


def _ignore(*_: Any) -> None:
    pass


class AlertReader:
    """Calls back for the alerts of one device or of all (`+`), in the thread that calls `run`.

    With a `client_id` in the broker settings the broker keeps what comes while the reader is away;
    without one the reader gets what comes while it is there.

    Each alert is given out until its callback has returned once. What a callback raises comes out of `run` as it is;
    the next call of `run` goes on with that alert. Only then is it acknowledged, so that with a `client_id` a process
    that dies meanwhile gets it again as well.

    >>> reader = AlertReader(BrokerSettings(), on_event=lambda message, payload: print(message.event.id))
    >>> reader.run(stop=threading.Event())  # doctest: +SKIP
    """

    def __init__(
        self,
        broker: BrokerSettings,
        on_event: OnEvent,
        *,
        root: str = "offbeat",
        device: str = "+",
        on_state: OnState | None = None,
        on_status: OnStatus | None = None,
        on_link: OnLink = _ignore,
        hold_s: float = 1.0,
    ) -> None:
        self._broker, self._topics = broker, DeviceTopics(device, root)
        self._on_event, self._on_state, self._on_status, self._on_link = on_event, on_state, on_status, on_link
        self._sequencer = Sequencer(hold_s)
        self._bad: Counter[str] = Counter()
        self._told: tuple[bool, str] | None = None
        self._client_id = broker.client_id or f"offbeat-reader-{uuid.uuid4().hex[:12]}"
        self._ready: deque[Received] = deque()  # in order, not yet given out
        self._connection: Connection | None = None
        self._unacknowledged: dict[tuple[str, str, int], tuple[int, int]] = {}  # id and QoS, of this connection
        self._open: set[tuple[str, str, int]] = set()  # received and not yet given out
        self.connected = False
        self.open_episodes = OpenEpisodes()

    @property
    def counts(self) -> Counter[str]:
        """`duplicates`, `reordered`, `late`, `missing`, `bad` payloads and `retained` alerts, which are passed over."""
        return self._sequencer.counts + self._bad

    def run(self, stop: threading.Event) -> None:
        """Read until `stop` is set; a broker that is not there is retried.

        Raises:
            whatever a callback raises.
        """
        backoff = Backoff()
        while not stop.is_set():
            self._give_out([])
            reason = self._connect_and_read(stop, backoff)
            if not stop.is_set():
                self._link_is(False, f"{self._broker.address}: {reason}")
                self._pause(backoff.next_s(), stop)
        self._give_out(self._sequencer.flush())

    def _connect_and_read(self, stop: threading.Event, backoff: Backoff) -> str:
        """One connection; why it ended."""
        session_s = None if self._broker.client_id is None else _SESSION_S
        connection = Connection(self._broker, self._client_id, wishes=Wishes(session_s=session_s, manual_ack=True))
        connection.on_message = self._on_message
        connection.on_bad = lambda _reason: self._bad.update(["bad"])
        self._connection = connection
        try:
            connection.open(_CONNECT_S)
            connection.subscribe(self._subscriptions())
            self.connected = True
            self._link_is(True, self._broker.address)
            backoff.reset()
            while not stop.is_set() and connection.connected:
                connection.step(_TICK_S, _PACKETS_A_TURN)
                self._require_granted(connection)
                self._give_out(self._sequencer.advance(time.monotonic()))
            return connection.why_ended
        except ConnectError as error:
            return str(error).removeprefix(f"{self._broker.address}: ")
        finally:
            self.connected, self._connection = False, None
            self._unacknowledged.clear()
            connection.close(goodbye=True)

    def _subscriptions(self) -> list[str]:
        topics = [self._topics.event("+")]
        topics += [self._topics.state("+")] if self._on_state else []
        return topics + ([self._topics.status] if self._on_status else [])

    def _require_granted(self, connection: Connection) -> None:
        for topic, refusal in connection.subscribed:
            if refusal is not None:
                raise ConnectError(f"the subscription to {topic} is refused: {refusal}")
        connection.subscribed.clear()

    def _pause(self, seconds: float, stop: threading.Event) -> None:
        until = time.monotonic() + seconds
        while not stop.is_set() and (left_s := until - time.monotonic()) > 0:
            stop.wait(min(_TICK_S, left_s))
            self._give_out(self._sequencer.advance(time.monotonic()))

    def _on_message(self, message: Message) -> None:
        device, *rest = message.topic[len(self._topics.root) + 1 :].split("/")
        payload = message.payload
        if rest[1:] == ["event"]:
            self._event(device, rest[0], message)
            return
        self._acknowledge((message.mid, message.qos))
        match rest:
            case [stream, "state"] if self._on_state:
                self._state(device, stream, payload)
            case ["status"] if self._on_status:
                self._on_status(device, payload == b"online")

    def _event(self, device: str, stream: str, sent: Message) -> None:
        delivery = (sent.mid, sent.qos)
        if sent.retain:  # an alert of some other day, that a tool published so; ours never are
            self._bad["retained"] += 1
            return self._acknowledge(delivery)
        try:
            message = decode_message(sent.payload)
            if (message.device, message.event.stream) != (device, stream):
                raise EventError(f"names {message.device}/{message.event.stream}")
        except EventError as error:
            self._bad["bad"] += 1
            log.debug("on the topic of %s/%s: %s", device, stream, error)
            return self._acknowledge(delivery)
        key = (message.device, message.log, message.seq)
        known = key in self._open
        ready = self._sequencer.add(Received(message, sent.payload), time.monotonic())
        if self._sequencer.is_new:
            self._open.add(key)
        if known or self._sequencer.is_new:
            if (other := self._unacknowledged.get(key)) is not None:
                self._acknowledge(other)
            self._unacknowledged[key] = delivery
        else:  # a second copy of what was given out
            self._acknowledge(delivery)
        self._give_out(ready)

    def _state(self, device: str, stream: str, payload: bytes) -> None:
        try:
            body = json.loads(payload)
        except (ValueError, RecursionError):
            body = None
        if isinstance(body, dict) and self._on_state:
            self._on_state(device, stream, body)
        else:
            self._bad["bad"] += 1

    def _give_out(self, ready: list[Received]) -> None:
        self._ready.extend(ready)
        while self._ready:
            received = self._ready[0]
            message = received.message
            self._on_event(message, received.payload)
            self._ready.popleft()
            self.open_episodes.add(message)
            key = (message.device, message.log, message.seq)
            self._open.discard(key)
            if (delivery := self._unacknowledged.pop(key, None)) is not None:
                self._acknowledge(delivery)

    def _acknowledge(self, delivery: tuple[int, int]) -> None:
        if self._connection is not None and delivery[1]:
            self._connection.acknowledge(*delivery)

    def _link_is(self, there: bool, text: str) -> None:
        if self._told != (there, text):
            self._told = (there, text)
            self._on_link(there, text)
