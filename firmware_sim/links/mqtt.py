"""MQTT: a connection for all boards, or one a board where devices of the kind have their own."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from edge.wire.broker import BrokerSettings, use_credentials
from edge.wire.readings import Readings
from firmware_sim.formats.devices import Offbeat
from firmware_sim.formats.message import Encoder
from firmware_sim.links.errors import LinkError

MAX_ON_THE_WAY = 100
"""Messages that the broker has not acknowledged; a sender at full speed waits for it beyond that."""


class MqttLink:
    """A connection. While it is broken, readings are lost and counted.

    `board` is the one that it is the device of, whose last will it leaves; None where all boards share it.
    """

    def __init__(
        self,
        broker: BrokerSettings,
        stop: threading.Event,
        qos: int = 1,
        encoder: Encoder | None = None,
        board: str | None = None,
    ):
        self.broker = broker
        self.qos = qos
        self.encoder = encoder or Offbeat()
        self.board = board
        self.stop = stop
        self.lost = 0
        self.on_the_way = 0
        self.changed = threading.Condition()
        self.answer: ReasonCode | None = None
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.reconnect_delay_set(1, 5)
        self.client.on_pre_connect = self._leave_will
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_publish = self._on_publish

    @property
    def name(self) -> str:
        """The endpoint, for messages."""
        return f"mqtt broker {self.broker.address}"

    def open(self, timeout_s: float = 10.0) -> None:
        """Connect and wait for the broker's answer.

        Raises:
            LinkError: it is not there, or refuses.
        """
        try:
            use_credentials(self.client, self.broker)
            self.client.connect(self.broker.host, self.broker.port, self.broker.keepalive_s)
        except (OSError, ValueError) as error:
            raise LinkError(
                f"{self.name} cannot be reached: {error}; start one, or see --host, --port, --ca"
            ) from error
        self.client.loop_start()
        with self.changed:
            self.changed.wait_for(lambda: self.answer is not None, timeout_s)
        if self.answer is None:
            raise LinkError(f"{self.name} gave no answer within {timeout_s:g} s; is it an MQTT broker?")
        if self.answer.is_failure:
            raise LinkError(f"{self.name} refuses: {self.answer}; see --username and --password-file")

    def send(self, board: str, readings: Readings) -> None:
        """Publish; waits while the broker is behind, and gives up when the run is stopped."""
        with self.changed:
            while self.on_the_way >= MAX_ON_THE_WAY and self.client.is_connected() and not self.stop.is_set():
                self.changed.wait(0.2)
            # paho would keep a message for later and send the lot in a flood; a board has no such memory.
            if self.on_the_way >= MAX_ON_THE_WAY or not self.client.is_connected():
                self.lost += 1
                return
            messages = self.encoder.encode(board, readings)
            self.on_the_way += len(messages)
        # Not under the lock: paho calls back, and so takes it, while it holds one that publish() wants.
        for one in messages:
            self.client.publish(one.topic, one.payload, self.qos, one.retain)

    def close(self, timeout_s: float = 5.0) -> None:
        """Wait until the broker has all messages, then disconnect."""
        last = None if self.board is None or not self.client.is_connected() else self.encoder.leaving(self.board)
        if last is not None:
            with self.changed:
                self.on_the_way += 1
            self.client.publish(last.topic, last.payload, 1, last.retain)
        with self.changed:
            self.changed.wait_for(lambda: not self.on_the_way or not self.client.is_connected(), timeout_s)
        self.client.disconnect()
        self.client.loop_stop()

    def _leave_will(self, client: paho.Client, _data: Any) -> None:
        will = None if self.board is None else self.encoder.connected(self.board)
        if will is not None:
            client.will_set(will.topic, will.payload, 1, will.retain)

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        with self.changed:
            self.answer = reason
            self.changed.notify_all()

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, _reason: ReasonCode, _properties: Any) -> None:
        with self.changed:
            if self.qos == 0:  # nobody will hear of them again; at QoS 1 paho sends them once more
                self.lost += self.on_the_way
                self.on_the_way = 0
            self.changed.notify_all()

    def _on_publish(self, _client: Any, _data: Any, _mid: int, _reason: Any, _properties: Any) -> None:
        with self.changed:
            self.on_the_way = max(self.on_the_way - 1, 0)
            self.changed.notify_all()


class MqttDevices:
    """A connection a board, each with the will of its kind of device."""

    def __init__(self, boards: Sequence[str], make: Callable[[str], MqttLink]):
        self.links = {board: make(board) for board in boards}

    @property
    def lost(self) -> int:
        """Readings that could not be sent."""
        return sum(link.lost for link in self.links.values())

    def open(self) -> None:
        """Connect all.

        Raises:
            LinkError: one cannot.
        """
        for link in self.links.values():
            link.open()

    def send(self, board: str, readings: Readings) -> None:
        """Publish over the board's own connection."""
        self.links[board].send(board, readings)

    def close(self) -> None:
        """Disconnect all."""
        for link in self.links.values():
            link.close()
