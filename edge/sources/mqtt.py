"""Readings over MQTT: every board that publishes below the configured topic."""

import threading
import time
from collections import Counter

from edge.mqtt.connection import ConnectError, Connection, CredentialsError
from edge.mqtt.short_lives import ShortLives
from edge.mqtt.wishes import Message, Wishes
from edge.sources.intake import Intake
from edge.sources.messages import Messages
from edge.sources.settings import MqttSource, SourceError
from edge.wire.backoff import Backoff
from edge.wire.broker import BrokerSettings
from edge.wire.worker import Worker

_FIRST_RETRY_S, _LONGEST_RETRY_S = 1.0, 4.0
_CONNECT_S = 4.0
"""For the TCP connection, and again for the broker's greeting, seconds."""
_LOOK_S = 0.5
"""How often the thread looks whether it is to end, and paho whether the connection is alive, seconds."""
_LISTEN_S = 2.0
"""How long `probe` listens for boards, seconds."""
_PACKETS_A_TURN = 200
_REST_S = 0.02
"""Where messages come more often than this, seconds, they are read several at a time. To wake for each of a thousand
a second takes more processor time than to read them."""
_NAMED_BOARDS = 10


class MqttReader:
    """Subscribes with a connection of its own, and again after each loss of it."""

    def __init__(self, settings: MqttSource, intake: Intake, broker: BrokerSettings, client_id: str) -> None:
        self._settings, self._intake, self._broker = settings, intake, broker
        self._client_id, self._messages = client_id, Messages(settings, intake, self._ask)
        self._connection: Connection | None = None
        self._wishes = Wishes(max_payload_bytes=settings.max_payload_bytes)
        self._lives = ShortLives(client_id)
        self._leaving = threading.Event()
        self._worker = Worker(f"source {settings.name}", self._run, self._intake.lost, self._leaving)

    def start(self) -> None:
        """Begin to connect; returns at once, whether or not the broker is there."""
        self._worker.start()

    def stop(self) -> None:
        """Disconnect."""
        self._leaving.set()
        # A thread that is in an attempt to connect would keep leaving waiting for seconds; it ends by itself.
        if self._intake.up:
            self._worker.join(2 * _LOOK_S)

    def probe(self) -> str:
        """Connect, subscribe, listen for two seconds and leave again; who was heard.

        Raises:
            SourceError: the broker is not there or refuses.
        """
        # Another client id than the agent's: with the same the broker would throw out an agent that runs.
        connection = Connection(self._broker, f"{self._client_id}-check", wishes=self._wishes)
        boards: Counter[str] = Counter()
        heard = Intake(self._settings.name, lambda arrival, wait=False: boards.update([arrival.board]), {})  # noqa: ARG005
        messages = Messages(self._settings, heard)
        connection.on_message = lambda message: messages.take(message.topic, message.payload, message.retain)
        try:
            connection.open(_CONNECT_S)
            connection.subscribe(self._messages.topics, self._settings.qos)
            until = time.monotonic() + _LISTEN_S
            while connection.connected and (left_s := until - time.monotonic()) > 0:
                connection.step(left_s, _PACKETS_A_TURN)
            answers = connection.subscribed
        except ConnectError as error:
            raise SourceError(str(error)) from error
        finally:
            connection.close(goodbye=True)
        topics = ", ".join(self._messages.topics)
        refused = [answer for answer in answers if answer[1] is not None]
        if refused or not answers:
            topic, refusal = refused[0] if refused else (topics, "no answer")
            raise SourceError(f"{self._broker.address}: the subscription to {topic} is refused: {refusal}")
        login = f" as {self._broker.username}" if self._broker.username else ""
        greets = f"{self._broker.address} greets{login}{' over TLS' if self._broker.ca else ''}"
        return f"{greets}, MQTT {connection.version}; subscribed to {topics}; {_heard(boards)}"

    def _run(self) -> None:
        backoff = Backoff(_FIRST_RETRY_S, _LONGEST_RETRY_S)
        while not self._leaving.is_set():
            began = time.monotonic()
            if self._connect_and_read():
                backoff.reset()
                hint = self._lives.ended(time.monotonic() - began)
                if hint:
                    self._intake.lost(self._intake.down_reason + hint)
            self._leaving.wait(backoff.next_s())

    def _connect_and_read(self) -> bool:
        """One connection; whether it came to a subscription."""
        # What is read for each connection anew, such as a renewed certificate, is read again.
        connection = Connection(self._broker, self._client_id, wishes=self._wishes)
        connection.on_message, connection.on_bad = self._on_message, self._intake.bad
        self._connection, up = connection, False
        try:
            connection.open(_CONNECT_S)
            connection.subscribe(self._messages.topics, self._settings.qos)
            while not self._leaving.is_set() and connection.connected:
                self._read(connection)
                up = self._answered(connection) or up
            if not self._leaving.is_set():
                self._intake.lost(f"{self._broker.address}: {connection.why_ended}")
        except CredentialsError as error:
            self._intake.lost(f"source {self._settings.name}: certificates of {error}")
        except ConnectError as error:
            self._intake.lost(f"connection ended: {error}" if up else f"no broker at {error}")
        finally:
            connection.close(goodbye=self._leaving.is_set())
            self._connection = None
        return up

    def _read(self, connection: Connection) -> None:
        """Wait for what comes and take it, each message through `_on_message`."""
        waits_since = time.monotonic()
        if connection.readable(_LOOK_S) and time.monotonic() - waits_since < _REST_S:
            self._leaving.wait(_REST_S)
        connection.step(0.0, _PACKETS_A_TURN)

    def _answered(self, connection: Connection) -> bool:
        """Whether the subscription was granted just now.

        Raises:
            ConnectError: it was refused; the next connection may be granted it.
        """
        answers, connection.subscribed = connection.subscribed, []
        for topic, refusal in answers:
            if refusal is not None:
                raise ConnectError(f"{self._broker.address}: it refused the subscription to {topic}: {refusal}")
        if answers:
            self._intake.connected()
        return bool(answers)

    def _ask(self, topic: str, payload: bytes) -> None:
        """Publish what a format has to ask of who sends, from within `_on_message`."""
        if self._connection is not None:
            self._connection.publish(topic, payload, qos=0)

    def _on_message(self, message: Message) -> None:
        self._messages.take(message.topic, message.payload, message.retain)


def _heard(boards: Counter[str]) -> str:
    if not boards:
        return f"no board was heard in {_LISTEN_S:g} s: none sends, or the broker lets this user read nothing there"
    names = [f"{board} ({count})" for board, count in sorted(boards.items())]
    more = len(names) - _NAMED_BOARDS
    listed = ", ".join(names[:_NAMED_BOARDS]) + (f" and {more} more" if more > 0 else "")
    return f"heard in {_LISTEN_S:g} s (messages): {listed}"
