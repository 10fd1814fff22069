"""Readings over MQTT: every board that publishes below the configured topic."""

import logging
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from edge.sources.intake import Intake, in_seconds
from edge.sources.settings import MqttSource, SourceError
from edge.wire.broker import BrokerSettings, use_credentials
from edge.wire.readings import FrameError, decode_readings
from edge.wire.topics import board_of, readings_topic

log = logging.getLogger(__name__)

_LONGEST_RETRY_S = 4


class MqttReader:
    """Subscribes with a connection of its own, and again after each loss of it."""

    def __init__(self, settings: MqttSource, intake: Intake, broker: BrokerSettings, client_id: str) -> None:
        self._settings, self._intake, self._broker = settings, intake, broker
        self._unit_s = 0.001 if settings.time_unit == "ms" else 1.0
        self._where = broker.address
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, _LONGEST_RETRY_S)

    def start(self) -> None:
        """Begin to connect; returns at once, whether or not the broker is there.

        Raises:
            SourceError: a certificate that is missing or no PEM.
        """
        try:
            use_credentials(self._client, self._broker)
        except OSError as error:
            raise SourceError(f"source {self._settings.name}: certificates of {self._where}: {error}") from error
        self._client.connect_async(self._broker.host, self._broker.port, keepalive=self._broker.keepalive_s)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect; the network thread ends by itself."""
        self._client.disconnect()
        # loop_stop waits for the thread; one that is in an attempt to connect would keep leaving waiting for seconds.
        if self._intake.up:
            self._client.loop_stop()

    def _on_connect(self, client: Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._intake.lost(f"broker {self._where} refused the connection: {reason}")
        else:
            client.subscribe(readings_topic("+", self._settings.root), qos=self._settings.qos)

    def _on_subscribe(self, _client: Client, _userdata: Any, _mid: int, reasons: list[Any], _properties: Any) -> None:
        if reasons[0].is_failure:
            self._intake.lost(f"broker {self._where} refused the subscription: {reasons[0]}")
        else:
            self._intake.connected()

    def _on_connect_fail(self, _client: Client, _userdata: Any) -> None:
        self._intake.lost(f"no broker at {self._where}")

    def _on_disconnect(self, _client: Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if self._intake.up:  # else it was refused, and that reason says more
            self._intake.lost(f"connection to the broker {self._where} ended: {reason}")

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        board = board_of(message.topic, self._settings.root)
        if board is None or message.retain:  # a retained reading is as old as it likes
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
