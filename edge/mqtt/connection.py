"""One connection to the broker: MQTT 5 where the broker has it, 3.1.1 where not."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.reasoncodes import ReasonCode

from edge.mqtt import causes, polling
from edge.mqtt.clients import new_client
from edge.mqtt.goodbye import heard_out
from edge.mqtt.granted import Granted, granted
from edge.mqtt.waker import Waker
from edge.mqtt.wishes import ConnectError, CredentialsError, Message, Wishes, content
from edge.wire.broker import BrokerSettings, use_credentials

__all__ = ["ConnectError", "Connection", "CredentialsError"]

_TAKEN_OVER = 142
"""MQTT 5: another client has connected with our client id."""
_UNSUPPORTED_VERSION, _RETAINS_NOTHING = "Unsupported protocol version", "Retain not supported"


class Connection:
    """A paho client that serves for one connection and is dropped with it.

    paho keeps in memory what was not acknowledged, and after a reconnect sends all of it at once, past
    `max_inflight_messages`. A client that never reconnects has nothing to send again: only the outbox does. And what
    is read for each connection anew, such as a certificate that was renewed, is read again.

    One thread drives it, through paho's calls for an external loop, so nothing happens between two calls
    of `step` and no callback runs in another thread. Whatever is raised in it ends the connection, as ConnectError.
    """

    def __init__(
        self, settings: BrokerSettings, client_id: str, waker: Waker | None = None, wishes: Wishes | None = None
    ) -> None:
        self._settings, self._client_id, self._waker = settings, client_id, waker
        self._wishes = wishes or Wishes()
        self.address = settings.address
        self.connected = False
        self.version = ""
        """"5" or "3.1.1", once connected."""
        self.session_present = False
        """Whether the broker went on with an earlier session of this client id."""
        self.granted = Granted()
        """What the broker takes."""
        self.acknowledged: list[int] = []
        """Message ids whose PUBACK has come; the owner takes them out."""
        self.refused: list[tuple[int, str]] = []
        """Message ids that the broker refused (MQTT 5 says so), and why; the owner takes them out."""
        self.subscribed: list[tuple[str, str | None]] = []
        """Topics that a SUBACK has come for, and why they were refused, or None; the owner takes them out."""
        self.messages: deque[Message] = deque(maxlen=1000)
        """What was received, where nobody is called for it; the owner takes them out."""
        self.on_message: Callable[[Message], None] = self.messages.append
        """Called for each message as it is read; an exception ends the connection and is raised by `step`."""
        self.on_bad: Callable[[str], None] = lambda _reason: None
        """Called for a message that cannot be taken: a topic that is no UTF-8, a payload that is too long."""
        self._greeting: str | None = None
        self._ended, self._alert, self._too_long, self._heard_at = "", "", 0, 0.0
        self._failure: BaseException | None = None
        self._unacknowledged: dict[int, float] = {}
        self._subscribing: dict[int, list[str]] = {}
        self._client: paho.Client | None = None

    def open(self, timeout_s: float) -> None:
        """Connect and wait for the broker's greeting; with 3.1.1 where the broker has no MQTT 5.

        Raises:
            ConnectError: nobody there, no route, TLS trouble, a refusal, or no greeting in time.
        """
        wanted = self._settings.protocol
        if wanted != "3.1.1":
            self._open(paho.MQTTv5, timeout_s)
            if self._greeting == _RETAINS_NOTHING:
                self.close(goodbye=False)
                self._wishes = replace(self._wishes, retained_will=False)
                self._open(paho.MQTTv5, timeout_s)
            # A broker that knows no MQTT 5 says so, or just hangs up.
            silent = self._greeting is None and self._socket() is None and not self._alert
            strange = self._greeting == _UNSUPPORTED_VERSION or silent
            if self.connected or wanted == "5" or not strange:
                return self._require_connected()
            self.close(goodbye=False)
        self._open(paho.MQTTv311, timeout_s)
        return self._require_connected()

    def step(self, timeout_s: float, packets: int = 1) -> None:
        """Wait for the network, the waker or the time-out, and serve the network: up to so many packets.

        Raises:
            ConnectError: what came made paho fail. Or whatever `on_message` raised.
        """
        if self._wait(timeout_s):
            self._serve(packets)

    def readable(self, timeout_s: float) -> bool:
        """Whether something has come, waiting for it so long."""
        sock = self._socket()
        return sock is not None and polling.readable(sock, timeout_s)

    def publish(
        self, topic: str, payload: bytes, qos: int = 1, retain: bool = False, content_type: str | None = None
    ) -> int:
        """Hand a message over; its id, which comes back in `acknowledged` once the broker has it.

        Raises:
            ValueError: the topic or the payload is none that MQTT can carry.
        """
        assert self._client is not None
        most = self.granted.max_packet_bytes
        if most is not None and len(payload) + len(topic.encode()) + 16 > most:
            self._too_long -= 1  # no id that paho gives
            self.refused.append((self._too_long, f"{len(payload)} bytes; it takes {most} at most"))
            return self._too_long
        properties = content(content_type) if self.version == "5" else None
        mid = self._client.publish(topic, payload, qos, retain and self.granted.retains, properties).mid
        if qos:
            self._unacknowledged[mid] = time.monotonic()
        return mid

    def subscribe(self, topics: Sequence[str], qos: int = 1) -> None:
        """Receive what comes on these topics; `subscribed` tells how that was answered."""
        assert self._client is not None
        if topics:
            mid = self._client.subscribe([(topic, qos) for topic in topics])[1]
            if mid is not None:
                self._subscribing[mid] = list(topics)

    @property
    def longest_wait_s(self) -> float:
        """How often `step` must be called to keep the connection alive, seconds; the broker may have shortened it."""
        return 1.0 if self._client is None else min(1.0, self._client.keepalive / 4)

    def acknowledge(self, mid: int, qos: int) -> None:
        """The broker need not keep a message any longer; only with `manual_ack`."""
        assert self._client is not None
        self._client.ack(mid, qos)

    def stalled_s(self) -> float:
        """For how long the oldest acknowledgement has been due and none before it has come, seconds.

        A broker acknowledges in order: those that overtake it are no sign that it will still come.
        """
        if not self._unacknowledged:
            return 0.0
        return time.monotonic() - max(self._heard_at, next(iter(self._unacknowledged.values())))

    @property
    def why_ended(self) -> str:
        """Why the connection is no more, in one line."""
        return self._ended or "connection lost"

    def close(self, goodbye: bool) -> None:
        """End the connection; with `goodbye` the broker keeps the last will to itself."""
        client = self._client
        if client is None:
            return
        if goodbye and self.connected and (sock := client.socket()) is not None:
            with heard_out(sock.fileno()) as deadline:
                client.disconnect(properties=self._wishes.last_properties() if self.version == "5" else None)
                while client.socket() is not None and time.monotonic() < deadline:
                    try:
                        self.step(deadline - time.monotonic())
                    except ConnectError:
                        break
        if (sock := client.socket()) is not None:
            sock.close()
        self.connected, self._client = False, None
        # Client and callbacks refer to each other; cut, the sockets go now and not at the next collection.
        client.on_connect = client.on_disconnect = client.on_publish = client.on_message = client.on_subscribe = None
        client.on_log = None

    def _open(self, protocol: paho.MQTTProtocolVersion, timeout_s: float) -> None:
        """One attempt, until it is greeted, refused, hung up on or late."""
        self._greeting, self.version = None, "5" if protocol == paho.MQTTv5 else "3.1.1"
        client = self._client = self._made(protocol)
        client.connect_timeout = timeout_s
        clean = self._wishes.kept_s is None
        try:
            use_credentials(client, self._settings)
        except OSError as error:
            raise CredentialsError(f"{self.address}: {error}") from error
        try:
            where = (self._settings.host, self._settings.port, self._settings.keepalive_s)
            if protocol == paho.MQTTv5:
                client.connect(*where, clean_start=clean, properties=self._wishes.properties())
            else:
                client.connect(*where)
        except (OSError, ValueError) as error:  # ValueError: a host name that cannot be one
            raise ConnectError(f"{self.address}: {causes.cause(error, self._settings)}") from error
        deadline = time.monotonic() + timeout_s
        while self._greeting is None and client.socket() and time.monotonic() < deadline:
            self.step(deadline - time.monotonic())
        client.on_log = None

    def _made(self, protocol: paho.MQTTProtocolVersion) -> paho.Client:
        client = new_client(self._client_id, protocol, self._wishes)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_publish, client.on_message, client.on_subscribe = self._on_publish, self._on_message, self._on_suback
        client.on_log = self._on_log
        return client

    def _require_connected(self) -> None:
        if not self.connected:
            why = causes.no_greeting(self._greeting, self._alert, self._socket() is None, self._settings)
            raise ConnectError(f"{self.address}: {why}")

    def _on_log(self, _client: Any, _data: Any, _level: int, text: str) -> None:
        """Until the greeting: paho has no other word for what TLS says while it reads, and takes it for a loss."""
        self._alert = causes.alert(text, self._settings) or self._alert

    def _socket(self) -> Any:
        return self._client and self._client.socket()

    def _wait(self, timeout_s: float) -> bool:
        """Wait for something to do; False where there is no connection any more."""
        if (sock := self._socket()) is None or self._client is None:
            self.connected = False
            return False
        polling.wait(sock, self._client.want_write(), self._waker, timeout_s)
        return True

    def _serve(self, packets: int) -> None:
        """Each call returns at once where there is nothing to do, and closes the socket when it is lost."""
        assert self._client is not None
        try:
            for number in range(packets):
                if number and not self.readable(0.0):
                    break
                self._client.loop_read()
            if self._client.want_write():
                self._client.loop_write()
            self._client.loop_misc()
        except Exception as error:  # bytes that paho cannot take, or our own callback
            if self._failure is not None:
                self._failure = None
                raise
            raise ConnectError(f"{self.address}: what the broker sent cannot be read: {error!r}") from error
        if self._client.socket() is None:
            self.connected = False

    def _on_connect(self, _client: Any, _data: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        self.connected = not reason.is_failure
        self._greeting = str(reason)
        self.session_present = bool(flags.session_present)
        self.granted = granted(properties)

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, *_: Any) -> None:
        self.connected = False
        if self._ended:  # paho calls once for the broker's words and again for the socket
            return
        if reason.value == _TAKEN_OVER:
            self._ended = f"another client took over the client id {self._client_id!r}; is a second agent running?"
        else:
            self._ended = f"the broker ended the connection: {reason}" if reason.is_failure else ""

    def _on_publish(self, _client: Any, _data: Any, mid: int, reason: ReasonCode, *_: Any) -> None:
        oldest = next(iter(self._unacknowledged), None)
        if self._unacknowledged.pop(mid, None) is None:
            return
        if mid == oldest:
            self._heard_at = time.monotonic()
        if reason is not None and reason.is_failure:
            self.refused.append((mid, str(reason)))
        else:
            self.acknowledged.append(mid)

    def _on_suback(self, _client: Any, _data: Any, mid: int, reasons: Sequence[ReasonCode], *_: Any) -> None:
        for number, topic in enumerate(self._subscribing.pop(mid, ())):
            if number >= len(reasons):
                self.subscribed.append((topic, "the broker's answer holds no reason code"))
            else:
                self.subscribed.append((topic, str(reasons[number]) if reasons[number].is_failure else None))

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        longest, size = self._wishes.max_payload_bytes, len(message.payload)
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return self._pass_over(message, "a topic that is no UTF-8")
        if longest is not None and size > longest:
            return self._pass_over(message, f"{topic[:100]!r}: a payload of {size} bytes; at most {longest} are read")
        try:
            self.on_message(Message(topic, bytes(message.payload), message.retain, message.mid, message.qos))
        except BaseException as error:
            self._failure = error
            raise

    def _pass_over(self, message: paho.MQTTMessage, why: str) -> None:
        """The broker need not keep it: else it would send a few such messages again and again, and no others."""
        if self._wishes.manual_ack and message.qos:
            self.acknowledge(message.mid, message.qos)
        self.on_bad(why)
