"""Reading alerts: subscribe, decode, once each, in order, whatever happens to the broker."""

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from edge.mqtt.connection import ConnectError, Connection
from edge.mqtt.wishes import Message
from edge.watch.callbacks import (
    OnAvailability,
    OnEvent,
    OnLink,
    OnResponse,
    OnState,
    OnStatus,
    OnTrouble,
    Trouble,
)
from edge.watch.open_episodes import OpenEpisodes
from edge.watch.reader_session import ReaderSession
from edge.watch.sequencer import Received, Sequencer
from edge.wire.backoff import Backoff
from edge.wire.broker import BrokerSettings
from edge.wire.events import EventError, decode_message
from edge.wire.payload import encode_payload
from edge.wire.topics import DeviceTopics

_CONNECT_S = 5.0
_PACKETS_A_TURN = 50
_TICK_S = 0.2
"""How often the reader looks up from the network: for `stop`, and for alerts held back long enough."""


def _ignore(*_: Any) -> None:
    pass


class AlertReader:
    """Calls back for the alerts of one device or of all (`+`), in the thread that calls `run`.

    `on_turn` is called several times a second, whether or not the broker is there. What has no callback is not
    subscribed to. Only alerts are kept for a reader that is away: states are retained, the newest counts.

    With a `client_id` in the broker settings the broker keeps what comes while the reader is away; without one only
    while this reader's link is lost, for ten minutes, with MQTT 3.1.1 however long that takes. A process that is killed
    leaves that behind; with MQTT 3.1.1 until the broker forgets it (Mosquitto: `persistent_client_expiration`).

    Each alert is given out until its callback has returned once. What a callback raises comes out of `run` as it is;
    the connection stays, and the next call of `run` goes on with that alert (`close` ends it where there is none).
    Only then is it acknowledged, so that with a `client_id` a process that dies meanwhile gets it again as well.

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
        on_availability: OnAvailability | None = None,
        on_response: OnResponse | None = None,
        on_trouble: OnTrouble = _ignore,
        on_link: OnLink = _ignore,
        on_turn: Callable[[], None] = _ignore,
        hold_s: float = 1.0,
    ) -> None:
        self._broker, self._topics = broker, DeviceTopics(device, root)
        self._on_event, self._on_state, self._on_status, self._on_link = on_event, on_state, on_status, on_link
        self._on_availability, self._on_response = on_availability, on_response
        self._on_trouble, self._on_turn = on_trouble, on_turn
        self._raised: BaseException | None = None  # by a callback; may be of any kind, ConnectError as well
        self._sequencer = Sequencer(hold_s)
        self._bad: Counter[str] = Counter()
        self._told: tuple[bool, str] | None = None
        self._session = ReaderSession(broker)
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
        try:
            while not stop.is_set():
                self._turn([])
                reason = self._read(stop, backoff)
                if not stop.is_set():
                    self._link_is(False, f"{self._broker.address}: {reason}")
                    self._pause(backoff.next_s(), stop)
            self._give_out(self._sequencer.flush())
        finally:
            if stop.is_set():
                self.close()

    def close(self) -> None:
        """Leave the broker, where `run` has raised and is not called again."""
        self._session.end(self._dropped())

    def _dropped(self) -> Connection | None:
        connection, self._connection = self._connection, None
        self._unacknowledged.clear()  # what was not acknowledged comes again
        return connection

    def _lose(self) -> None:
        """Without a goodbye: with one, the broker would forget what it keeps."""
        if (connection := self._dropped()) is not None:
            connection.close(goodbye=False)

    def _read(self, stop: threading.Event, backoff: Backoff) -> str:
        """One connection, that which is there or another, until it or the reading ends; why it ended."""
        try:
            connection = self._connection or self._opened()
            self.connected = True
            self._link_is(True, self._broker.address)
            backoff.reset()
            self._take(connection)
            while not stop.is_set() and connection.connected:
                connection.step(_TICK_S, _PACKETS_A_TURN)
                self._take(connection)
            reason = connection.why_ended
        except BaseException as error:
            if error is self._raised:
                raise
            self._lose()
            if not isinstance(error, ConnectError):
                raise
            return str(error).removeprefix(f"{self._broker.address}: ")
        finally:
            self.connected = False
        if not stop.is_set():  # else it is needed for the last acknowledgements
            self._lose()
        return reason

    def _opened(self) -> Connection:
        """A new connection that has subscribed."""
        connection = self._session.connection()
        connection.on_bad = lambda _reason: self._bad.update(["bad"])
        self._connection = connection
        connection.open(_CONNECT_S)
        connection.subscribe([self._topics.event("+")])
        connection.subscribe(self._beside(), qos=0)  # with more, the broker would queue them with the alerts
        return connection

    def _take(self, connection: Connection) -> None:
        """What has come, one by one: a callback that raises leaves the rest for the next time."""
        while connection.messages:
            self._on_message(connection.messages.popleft())
        self._require_granted(connection)
        self._turn(self._sequencer.advance(time.monotonic()))

    def expect(self, device: str, log: str, seq: int) -> None:
        """The next alert of a log has this number: what an earlier run knew. To be called before `run`."""
        self._sequencer.expect(device, log, seq)

    def request(self, device: str, command: str, fields: dict[str, Any]) -> bool:
        """Ask a device for something, from within a callback; whether there is a connection to ask on."""
        if self._connection is None or not self._connection.connected:
            return False
        topic = DeviceTopics(device, self._topics.root).request(command)
        self._connection.publish(topic, encode_payload(fields))
        return True

    def _beside(self) -> list[str]:
        topics = self._topics
        wanted = (
            (topics.status, self._on_status),
            (topics.availability("+"), self._on_availability),
            (topics.state("+"), self._on_state),
            (topics.response("+"), self._on_response),
        )
        return [topic for topic, callback in wanted if callback is not None]

    def _require_granted(self, connection: Connection) -> None:
        while connection.subscribed:
            topic, refusal = connection.subscribed.pop(0)
            if refusal is not None and topic == self._topics.event("+"):
                raise ConnectError(f"the subscription to {topic} is refused: {refusal}")
            if refusal is not None:
                self._call(self._on_trouble, Trouble("refused", topic, refusal))
        while connection.refused:
            self._call(self._on_trouble, Trouble("refused", "a request", connection.refused.pop(0)[1]))
        connection.acknowledged.clear()

    def _pause(self, seconds: float, stop: threading.Event) -> None:
        until = time.monotonic() + seconds
        while not stop.is_set() and (left_s := until - time.monotonic()) > 0:
            stop.wait(min(_TICK_S, left_s))
            self._turn(self._sequencer.advance(time.monotonic()))

    def _on_message(self, message: Message) -> None:
        device, *rest = message.topic[len(self._topics.root) + 1 :].split("/")
        payload = message.payload
        if rest[1:] == ["event"]:
            self._event(device, rest[0], message)
            return
        self._acknowledge((message.mid, message.qos))
        match rest:
            case [stream, "state"] if self._on_state:
                self._body(self._on_state, device, stream, payload or b"{}")
            case ["response", command] if self._on_response:
                self._body(self._on_response, device, command, payload)
            case [stream, "availability"] if self._on_availability and payload:
                self._call(self._on_availability, device, stream, payload == b"online")
            case ["status"] if self._on_status and payload:
                self._call(self._on_status, device, payload == b"online")

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
            self._acknowledge(delivery)
            return self._call(self._on_trouble, Trouble("unreadable", f"{device}/{stream}", str(error)))
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

    def _body(self, callback: OnState | OnResponse, device: str, what: str, payload: bytes) -> None:
        try:
            body = json.loads(payload)
        except (ValueError, RecursionError):
            body = None
        if isinstance(body, dict):
            self._call(callback, device, what, body)
        else:
            self._bad["bad"] += 1

    def _turn(self, ready: list[Received]) -> None:
        self._ready.extend(ready)  # first of all: a callback may raise
        while self._sequencer.gaps:
            device, name, first, last = self._sequencer.gaps.pop(0)
            reason = f"alerts {first} to {last}" if last > first else f"alert {first}"
            self._call(self._on_trouble, Trouble("missing", device, reason, name, first, last))
        self._call(self._on_turn)
        self._give_out([])

    def _give_out(self, ready: list[Received]) -> None:
        self._ready.extend(ready)
        while self._ready:
            received = self._ready[0]
            message = received.message
            self._call(self._on_event, message, received.payload)
            self._ready.popleft()
            self.open_episodes.add(message)
            key = (message.device, message.log, message.seq)
            self._open.discard(key)
            if (delivery := self._unacknowledged.pop(key, None)) is not None:
                self._acknowledge(delivery)

    def _call(self, callback: Callable[..., None], *arguments: Any) -> None:
        try:
            callback(*arguments)
        except BaseException as error:
            self._raised = error
            raise

    def _acknowledge(self, delivery: tuple[int, int]) -> None:
        if self._connection is not None and delivery[1]:
            self._connection.acknowledge(*delivery)

    def _link_is(self, there: bool, text: str) -> None:
        if self._told != (there, text):
            self._told = (there, text)
            self._call(self._on_link, there, text)
