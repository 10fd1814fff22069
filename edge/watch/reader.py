"""Reading alerts: subscribe, decode, once each, in order, whatever happens to the broker."""

import json
import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from edge.watch.sequencer import Received, Sequencer
from edge.wire.backoff import Backoff
from edge.wire.broker import BrokerSettings, use_credentials
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


_TICK_S = 0.2
"""How often the reader looks up from the network: for `stop`, and for alerts held back long enough."""


def _ignore(*_: Any) -> None:
    pass


class AlertReader:
    """Calls back for the alerts of one device or of all (`+`), in the thread that calls `run`.

    With a `client_id` in the broker settings the broker keeps what comes while the reader is away;
    without one the reader gets what comes while it is there. An exception of a callback ends `run`,
    and the message that caused it is not acknowledged.

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
        self._refusal = ""
        self._told: tuple[bool, str] | None = None
        self.connected = False
        self.open_episodes = OpenEpisodes()

    @property
    def counts(self) -> Counter[str]:
        """`duplicates`, `reordered`, `late`, `missing`, `bad` payloads and `retained` alerts, which are passed over."""
        return self._sequencer.counts + self._bad

    def run(self, stop: threading.Event) -> None:
        """Read until `stop` is set; a broker that is not there is tried again."""
        backoff = Backoff()
        while not stop.is_set():
            reason = self._connect_and_read(stop, backoff)
            if not stop.is_set():
                self._link_is(False, f"{self._broker.address}: {reason}")
                self._pause(backoff.next_s(), stop)
        self._give_out(self._sequencer.flush())

    def _connect_and_read(self, stop: threading.Event, backoff: Backoff) -> str:
        """One connection, with a client of its own; why it ended."""
        self._refusal = ""
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            self._broker.client_id or "",
            clean_session=self._broker.client_id is None,
            reconnect_on_failure=False,
        )
        client.on_connect, client.on_message = self._on_connect, self._on_message
        try:
            use_credentials(client, self._broker)
            client.connect(self._broker.host, self._broker.port, self._broker.keepalive_s)
            while not stop.is_set() and client.loop(_TICK_S) == paho.MQTT_ERR_SUCCESS:
                self._give_out(self._sequencer.advance(time.monotonic()))
                if self.connected:
                    backoff.reset()
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that cannot be one
            return str(error)
        finally:
            self.connected = False
            client.disconnect()
        return self._refusal or "connection lost"

    def _pause(self, seconds: float, stop: threading.Event) -> None:
        until = time.monotonic() + seconds
        while not stop.is_set() and (left_s := until - time.monotonic()) > 0:
            stop.wait(min(_TICK_S, left_s))
            self._give_out(self._sequencer.advance(time.monotonic()))

    def _on_connect(self, client: paho.Client, _userdata: Any, _flags: Any, reason: ReasonCode, *_: Any) -> None:
        if reason.is_failure:
            self._refusal = str(reason)
            return
        topics = [self._topics.event("+")]
        topics += [self._topics.state("+")] if self._on_state else []
        topics += [self._topics.status] if self._on_status else []
        client.subscribe([(topic, 1) for topic in topics])
        self.connected = True
        self._link_is(True, self._broker.address)

    def _on_message(self, _client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        device, *rest = message.topic[len(self._topics.root) + 1 :].split("/")
        payload = bytes(message.payload)
        match rest:
            case [stream, "event"]:
                self._event(device, stream, payload, message.retain)
            case [stream, "state"] if self._on_state:
                self._state(device, stream, payload)
            case ["status"] if self._on_status:
                self._on_status(device, payload == b"online")

    def _event(self, device: str, stream: str, payload: bytes, retained: bool) -> None:
        if retained:  # an alert of some other day, that a tool published so; ours never are
            self._bad["retained"] += 1
            return
        try:
            message = decode_message(payload)
            if (message.device, message.event.stream) != (device, stream):
                raise EventError(f"names {message.device}/{message.event.stream}")
        except EventError as error:
            self._bad["bad"] += 1
            log.debug("on the topic of %s/%s: %s", device, stream, error)
            return
        self._give_out(self._sequencer.add(Received(message, payload), time.monotonic()))

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
        for received in ready:
            self.open_episodes.add(received.message)
            self._on_event(received.message, received.payload)

    def _link_is(self, there: bool, text: str) -> None:
        if self._told != (there, text):
            self._told = (there, text)
            self._on_link(there, text)
