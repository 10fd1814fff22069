"""Readings over MQTT: every board that publishes below the configured topic."""

import logging
import select
import threading
import time
from typing import TYPE_CHECKING, Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from edge.sources.intake import Intake, in_seconds
from edge.sources.settings import MqttSource, SourceError
from edge.wire.broker import BrokerSettings, use_credentials
from edge.wire.readings import FrameError, decode_readings
from edge.wire.topics import board_of, readings_topic

if TYPE_CHECKING:
    from edge.sources.formats.message import Decoder

log = logging.getLogger(__name__)

_FIRST_RETRY_S, _LONGEST_RETRY_S = 1.0, 4.0
_LOOK_S = 0.5
"""How often the thread looks whether it is to end, and paho whether the connection is alive, seconds."""
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
        self._unit_s = 0.001 if settings.time_unit == "ms" else 1.0
        self._where = broker.address
        self._decoder = decoder_of(settings)
        if self._decoder is not None:
            from edge.sources.formats.message import Message

            self._message = Message
        usual = (readings_topic("+", settings.root),) if self._decoder is None else self._decoder.topics
        self._topics = tuple(settings.topics) or usual
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
            subscriptions: list[Any] = [(topic, self._settings.qos) for topic in self._topics]
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
        if message.retain and not self._settings.retained:  # a retained reading is as old as it likes
            return
        if self._decoder is not None:
            self._decoded(self._decoder, message.topic, bytes(message.payload))
            return
        board = self._board(message.topic)
        if board is None:
            return
        try:
            readings = in_seconds(decode_readings(bytes(message.payload)), self._unit_s)
        except FrameError as error:
            self._intake.bad(f"board {board}: {error}")
        except Exception as error:  # paho's thread would end, and the source with it
            self._intake.bad(f"board {board}: {type(error).__name__}: {error}")
            log.debug("unexpected error in a reading", exc_info=True)
        else:
            self._intake.take(board, readings)

    def _board(self, topic: str) -> str | None:
        """The board of a topic of the own format; None where it is another's."""
        if not self._settings.topics:
            return board_of(topic, self._settings.root)
        levels = topic.split("/")
        from edge.sources.formats.mapped import matches
        from edge.sources.formats.message import board_id

        pattern = next((one.split("/") for one in self._topics if matches(one, levels)), [])
        return board_id(levels[pattern.index("+")]) if "+" in pattern else None

    def _decoded(self, decoder: "Decoder", topic: str, payload: bytes) -> None:
        """Take what another format's message holds."""
        try:
            for board, readings in decoder.decode(self._message(topic, payload)):
                self._intake.take(board, readings)
        except FrameError as error:
            self._intake.bad(error)
        except Exception as error:  # paho's thread would end, and the source with it
            self._intake.bad(f"{topic[:80]}: {type(error).__name__}: {error}")
            log.debug("unexpected error in a message", exc_info=True)


def decoder_of(settings: MqttSource) -> "Decoder | None":
    """What reads the source's messages; None for the own format."""
    if settings.format == "offbeat":
        return None
    # Imported where one is configured: they cost memory.
    from edge.sources.formats.choosing import FORMATS, Scaled
    from edge.sources.formats.mapped import Mapped

    decoder: Decoder
    if settings.format == "mapped":
        decoder = Mapped(
            topics=tuple(settings.topics),
            board_level=settings.board_level,
            channel_level=settings.channel_level,
            values=settings.values,
            below=settings.below,
            time_path=settings.time_path,
            unit_s=0.001 if settings.time_unit == "ms" else 1.0,
        )
    else:
        decoder = FORMATS[settings.format]()
    return Scaled(decoder, settings.scale, settings.offset) if settings.scale or settings.offset else decoder


def _readable(sock: Any, timeout_s: float) -> bool:
    """Whether something has come, waiting for it so long."""
    if getattr(sock, "pending", int)():  # bytes that TLS has decrypted and poll cannot see
        return True
    poller = select.poll()
    poller.register(sock.fileno(), select.POLLIN)
    return bool(poller.poll(timeout_s * 1000))
