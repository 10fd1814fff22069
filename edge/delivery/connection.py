"""One connection to the broker."""

import select
import socket
import time
from collections import deque
from contextlib import suppress
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from edge.wire.broker import BrokerSettings, use_credentials


class Waker:
    """Readable from `wake` until `clear`; for `select.poll` beside a connection's socket."""

    def __init__(self) -> None:
        self._pair: tuple[socket.socket, socket.socket] | None = None
        self._woken = False  # and not cleared yet: there is no need to wake again

    def open(self) -> None:
        """Before this, and after `close`, a wake has no effect."""
        self._pair, self._woken = socket.socketpair(), False
        for end in self._pair:
            end.setblocking(False)

    def close(self) -> None:
        """Give the sockets back."""
        pair, self._pair = self._pair, None
        for end in pair or ():
            end.close()

    def wake(self) -> None:
        """From any thread."""
        if (pair := self._pair) is not None and not self._woken:
            self._woken = True
            with suppress(OSError):  # full: it will wake anyway; closed meanwhile: nobody waits
                pair[1].send(b"\0")

    def fileno(self) -> int:
        """What to wait on."""
        assert self._pair is not None, "open the waker first"
        return self._pair[0].fileno()

    def clear(self) -> None:
        """Forget the wakes so far."""
        if self._pair is not None:
            # Before what woke it is looked at: a wake that comes from here on is sent again.
            self._woken = False
            with suppress(BlockingIOError):
                self._pair[0].recv(4096)

    def wait(self, timeout_s: float) -> None:
        """Until the next wake, or the time-out."""
        poller = select.poll()
        poller.register(self.fileno(), select.POLLIN)
        poller.poll(timeout_s * 1000)
        self.clear()


class ConnectError(Exception):
    """The broker cannot be reached or refuses; one line with its address and the reason."""


class Connection:
    """A paho client that serves for one connection and is dropped with it.

    paho keeps in memory what was not acknowledged, and after a reconnect sends all of it at once, past
    `max_inflight_messages`. A client that never reconnects has nothing to send again: only the outbox does.

    One thread drives it, through paho's calls for an external loop, so nothing happens between two calls
    of `step` and no callback runs in another thread.
    """

    def __init__(self, settings: BrokerSettings, client_id: str, waker: Waker) -> None:
        self._settings, self._waker = settings, waker
        self.address = settings.address
        self._unacknowledged: dict[int, float] = {}
        self._heard_at = 0.0
        self._greeting: str | None = None
        self.connected = False
        self.acknowledged: list[int] = []
        """Message ids whose PUBACK has come; the owner takes them out."""
        self.messages: deque[tuple[str, bytes]] = deque(maxlen=100)
        """Topic and payload of what was received, without retained ones; the owner takes them out."""
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id, reconnect_on_failure=False)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message

    def open(self, timeout_s: float, will_topic: str | None = None) -> None:
        """Connect and wait for the broker's greeting.

        Raises:
            ConnectError: nobody there, no route, TLS trouble, a refusal, or no greeting in time.
        """
        if will_topic is not None:
            self._client.will_set(will_topic, b"offline", qos=1, retain=True)
        self._client.connect_timeout = timeout_s
        try:
            use_credentials(self._client, self._settings)
            self._client.connect(self._settings.host, self._settings.port, self._settings.keepalive_s)
        except (OSError, ValueError) as error:  # ValueError: a host name that cannot be one
            raise ConnectError(f"{self.address}: {error}") from error
        deadline = time.monotonic() + timeout_s
        while self._greeting is None and self._client.socket() and time.monotonic() < deadline:
            self.step(deadline - time.monotonic())
        if not self.connected:
            raise ConnectError(f"{self.address}: {self._greeting or 'no greeting from the broker'}")

    def step(self, timeout_s: float) -> None:
        """Wait for the network, the waker or the time-out, and serve the network."""
        sock = self._client.socket()
        if sock is None:
            self.connected = False
            return
        if getattr(sock, "pending", int)():  # bytes that TLS has decrypted and poll cannot see
            timeout_s = 0.0
        poller = select.poll()
        poller.register(sock.fileno(), select.POLLIN | (select.POLLOUT if self._client.want_write() else 0))
        poller.register(self._waker.fileno(), select.POLLIN)
        poller.poll(max(0.0, timeout_s) * 1000)
        self._waker.clear()
        # Each of these returns at once where there is nothing to do, and closes the socket when it is lost.
        self._client.loop_read()
        if self._client.want_write():
            self._client.loop_write()
        self._client.loop_misc()

    def publish(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> int:
        """Hand a message over; its id, which comes back in `acknowledged` once the broker has it.

        Raises:
            ValueError: the topic or the payload is none that MQTT can carry.
        """
        mid = self._client.publish(topic, payload, qos, retain).mid
        if qos:
            self._unacknowledged[mid] = time.monotonic()
        return mid

    def subscribe(self, topics: list[str]) -> None:
        """Receive what comes on these topics, QoS 1."""
        if topics:
            self._client.subscribe([(topic, 1) for topic in topics])

    def stalled_s(self) -> float:
        """For how long the oldest acknowledgement has been due and none before it has come, seconds.

        A broker acknowledges in order: those that overtake it are no sign that it will still come.
        """
        if not self._unacknowledged:
            return 0.0
        return time.monotonic() - max(self._heard_at, next(iter(self._unacknowledged.values())))

    def close(self, goodbye: bool) -> None:
        """End the connection; with `goodbye` the broker keeps the last will to itself."""
        if goodbye and self.connected:
            self._client.disconnect()
            deadline = time.monotonic() + 1.0
            while self._client.socket() is not None and time.monotonic() < deadline:
                self.step(deadline - time.monotonic())
        sock = self._client.socket()
        if sock is not None:
            sock.close()
        self.connected = False
        # Client and callbacks refer to each other; cut, the sockets go now and not at the next collection.
        self._client.on_connect = self._client.on_disconnect = self._client.on_publish = self._client.on_message = None

    def _on_connect(self, _client: Any, _userdata: Any, _flags: Any, reason: ReasonCode, *_: Any) -> None:
        self.connected = not reason.is_failure
        self._greeting = str(reason)

    def _on_disconnect(self, *_: Any) -> None:
        self.connected = False

    def _on_publish(self, _client: Any, _userdata: Any, mid: int, *_: Any) -> None:
        oldest = next(iter(self._unacknowledged), None)
        if self._unacknowledged.pop(mid, None) is not None:
            if mid == oldest:
                self._heard_at = time.monotonic()
            self.acknowledged.append(mid)

    def _on_message(self, _client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        if not message.retain:  # a retained request would be carried out anew at every connection
            self.messages.append((message.topic, bytes(message.payload)))


def probe(settings: BrokerSettings, client_id: str, timeout_s: float = 4.0) -> None:
    """Connect and leave again, to see whether that works. Take a `client_id` that nobody else is using.

    Raises:
        ConnectError: it does not.
    """
    waker = Waker()
    waker.open()
    connection = Connection(settings, client_id, waker)
    try:
        connection.open(timeout_s)
    finally:
        connection.close(goodbye=True)
        waker.close()
