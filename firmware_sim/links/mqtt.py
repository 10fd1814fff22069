"""MQTT: readings as JSON on sensors/<board>/readings."""

import threading
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from edge.wire.readings import Readings, encode_readings
from edge.wire.topics import readings_topic
from firmware_sim.links.errors import LinkError

MAX_UNACKNOWLEDGED = 200
"""Messages on their way at QoS 1 or in the socket's queue; a sender at full speed waits for the broker beyond."""


@dataclass(frozen=True)
class Broker:
    """Where to send, and as whom."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str | None = None
    password: str | None = None
    ca: str | None = None
    """File of the authority that signed the broker's certificate; given, the connection is TLS."""
    qos: int = 1
    root: str = "sensors"
    """First level of the topics."""


class MqttLink:
    """A connection that all boards of the run share. While it is broken, readings are lost and counted."""

    def __init__(self, broker: Broker, stop: threading.Event):
        self.broker = broker
        self.stop = stop
        self.lost = 0
        self.room = threading.Semaphore(MAX_UNACKNOWLEDGED)
        self.answered = threading.Event()
        self.refusal: ReasonCode | None = None
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.on_connect = self._on_connect
        self.client.on_publish = self._on_publish

    def open(self, timeout_s: float = 10.0) -> None:
        """Connect and wait for the broker's answer.

        Raises:
            LinkError: it is not there, or refuses.
        """
        where = f"mqtt broker {self.broker.host}:{self.broker.port}"
        try:
            self.client.username_pw_set(self.broker.username, self.broker.password)
            if self.broker.ca:
                self.client.tls_set(ca_certs=self.broker.ca)
            self.client.connect(self.broker.host, self.broker.port)
        except (OSError, ValueError) as error:
            raise LinkError(f"{where} cannot be reached: {error}; start one or give --host and --port") from error
        self.client.loop_start()
        if not self.answered.wait(timeout_s):
            raise LinkError(f"{where} gave no answer within {timeout_s:g} s")
        if self.refusal is not None:
            raise LinkError(f"{where} refuses: {self.refusal}; give --username and --password")

    def send(self, board: str, readings: Readings) -> None:
        """Publish; waits while the broker is behind, returns at once when the run is stopped."""
        while not self.room.acquire(timeout=0.2):
            if self.stop.is_set() or not self.client.is_connected():
                self.lost += 1
                return
        if not self.client.is_connected():  # paho would keep the message and send it out of order later
            self.room.release()
            self.lost += 1
            return
        self.client.publish(readings_topic(board, self.broker.root), encode_readings(readings), self.broker.qos)

    def close(self, timeout_s: float = 5.0) -> None:
        """Wait until the broker has all messages, then disconnect."""
        for _ in range(MAX_UNACKNOWLEDGED):
            if not self.client.is_connected() or not self.room.acquire(timeout=timeout_s):
                break
        self.client.disconnect()
        self.client.loop_stop()

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        self.refusal = reason if reason.is_failure else None
        self.answered.set()

    def _on_publish(self, _client: Any, _data: Any, _mid: int, _reason: Any, _properties: Any) -> None:
        self.room.release()
