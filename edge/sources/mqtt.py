"""Readings over MQTT: every board that publishes below the configured topic."""

import logging
import select
import threading
import time
from collections.abc import Sequence
from typing import Any

from paho.mqtt.client import MQTT_ERR_SUCCESS, Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from edge.sources.intake import Intake
from edge.sources.messages import Messages
from edge.sources.settings import MqttSource, SourceError
from edge.wire.broker import BrokerSettings, use_credentials

log = logging.getLogger(__name__)

_FIRST_RETRY_S, _LONGEST_RETRY_S = 1.0, 4.0
_LOOK_S = 0.5
"""How often the thread looks whether it is to end, and paho whether the connection is alive, seconds."""
_PROBE_S = 4.0
"""How long `probe` waits for the broker's answers, seconds."""
_PACKETS_A_TURN = 200
_REST_S = 0.02
"""Where messages come more often than this, seconds, they are read several at a time. To wake for each of a thousand
a second takes more processor time than to read them."""


class MqttReader:
    """Subscribes with a connection of its own, and again after each loss of it.

    One thread drives paho's client, through its calls for an external loop: paho's own loop wakes for each message.
    """

    def __init__(self, settings: MqttSource, intake: Intake, broker: BrokerSettings, client_id: str) -> None:
        self._settings, self._intake, self._broker = settings, intake, broker
        self._where, self._client_id = broker.address, client_id
        self._messages = Messages(settings, intake)
        self._leaving = threading.Event()
        self._was_up = False  # since the last attempt to connect
        self._thread = threading.Thread(target=self._run, name=f"source {settings.name}", daemon=True)
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Begin to connect; returns at once, whether or not the broker is there.

        Raises:
            SourceError: a certificate that is missing or no PEM.
        """
        try:
            use_credentials(self._client, self._broker)
        except OSError as error:
            raise SourceError(f"source {self._settings.name}: certificates of {self._where}: {error}") from error
        self._thread.start()

    def stop(self) -> None:
        """Disconnect."""
        self._leaving.set()
        # A thread that is in an attempt to connect would keep leaving waiting for seconds; it ends by itself.
        if self._intake.up and self._thread is not threading.current_thread():
            self._thread.join(2 * _LOOK_S)

    def probe(self) -> str:
        """Connect, subscribe and leave again.

        Raises:
            SourceError: the broker is not there or refuses.
        """
        # Another client id than the agent's: with the same the broker would throw out an agent that runs.
        client = Client(CallbackAPIVersion.VERSION2, f"{self._client_id}-check", reconnect_on_failure=False)
        answer = _answers(client, self._messages.topics)
        client.connect_timeout = _PROBE_S
        try:
            use_credentials(client, self._broker)
            client.connect(self._broker.host, self._broker.port, self._broker.keepalive_s)
            until = time.monotonic() + _PROBE_S
            while not answer and time.monotonic() < until and client.loop(_LOOK_S) == MQTT_ERR_SUCCESS:
                pass
            client.disconnect()
        except (OSError, ValueError) as error:  # ValueError: a host name that cannot be one
            raise SourceError(f"{self._where}: {error}") from error
        if answer != [None]:
            raise SourceError(f"{self._where}: {answer[0] if answer else 'no greeting from the broker'}")
        login = f" as {self._broker.username}" if self._broker.username else ""
        over = " over TLS" if self._broker.ca else ""
        return f"{self._where} greets{login}{over}; subscribed to {', '.join(self._messages.topics)}"

    def _run(self) -> None:
        retry_s = _FIRST_RETRY_S
        while not self._leaving.is_set():
            try:
                self._client.connect(self._broker.host, self._broker.port, self._broker.keepalive_s)
            except (OSError, ValueError):  # ValueError: a host name that cannot be one
                self._intake.lost(f"no broker at {self._where}")
            else:
                self._serve()
            retry_s = _FIRST_RETRY_S if self._was_up else min(2 * retry_s, _LONGEST_RETRY_S)
            self._was_up = False
            self._leaving.wait(retry_s)

    def _serve(self) -> None:
        """Read until the connection is lost or the source is stopped."""
        while not self._leaving.is_set() and (sock := self._client.socket()) is not None:
            waits_since = time.monotonic()
            if _readable(sock, _LOOK_S):
                if time.monotonic() - waits_since < _REST_S:
                    self._leaving.wait(_REST_S)
                self._read()
            if self._client.want_write():
                self._client.loop_write()
            self._client.loop_misc()
        if self._client.socket() is not None:
            self._client.disconnect()
            self._client.loop_write()

    def _read(self) -> None:
        """Take what has come, each message through `_on_message`."""
        for _ in range(_PACKETS_A_TURN):
            self._client.loop_read()
            sock = self._client.socket()
            if sock is None or not _readable(sock, 0.0):
                return

    def _on_connect(self, client: Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._intake.lost(f"broker {self._where} refused the connection: {reason}")
        else:
            subscriptions: list[Any] = [(topic, self._settings.qos) for topic in self._messages.topics]
            client.subscribe(subscriptions)

    def _on_subscribe(self, _client: Client, _userdata: Any, _mid: int, reasons: list[Any], _properties: Any) -> None:
        refused = next((reason for reason in reasons if reason.is_failure), None)
        if refused is not None:
            self._intake.lost(f"broker {self._where} refused the subscription: {refused}")
        else:
            self._was_up = True
            self._intake.connected()

    def _on_disconnect(self, _client: Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if self._intake.up:  # else it was refused, and that reason says more
            self._intake.lost(f"connection to the broker {self._where} ended: {reason}")

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self._messages.take(message.topic, bytes(message.payload), message.retain)


def _answers(client: Client, topics: Sequence[str]) -> list[str | None]:
    """A list that the client enters why it was refused in, or None once it has subscribed."""
    answer: list[str | None] = []

    def greeted(_client: Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            answer.append(str(reason))
        else:
            client.subscribe([(topic, 0) for topic in topics])

    def subscribed(_client: Client, _userdata: Any, _mid: int, reasons: list[Any], _properties: Any) -> None:
        refused = [(topic, reason) for topic, reason in zip(topics, reasons, strict=False) if reason.is_failure]
        answer.append(f"the subscription to {refused[0][0]} is refused: {refused[0][1]}" if refused else None)

    client.on_connect, client.on_subscribe = greeted, subscribed
    return answer


def _readable(sock: Any, timeout_s: float) -> bool:
    """Whether something has come, waiting for it so long."""
    if getattr(sock, "pending", int)():  # bytes that TLS has decrypted and poll cannot see
        return True
    poller = select.poll()
    poller.register(sock.fileno(), select.POLLIN)
    return bool(poller.poll(timeout_s * 1000))
