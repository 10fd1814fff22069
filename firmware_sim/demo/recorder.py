"""Hears all that passes the broker: readings for the baseline, events for the verdict, health to know who is behind."""

import json
import threading
from contextlib import suppress
from typing import Any

import numpy as np
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.wire.events import EventError, EventMessage, decode_message
from edge.wire.readings import FrameError, decode_readings
from edge.wire.topics import DeviceTopics, readings_topic
from firmware_sim.demo.plan import BOARD, DEVICE
from firmware_sim.machine.channels import NAMES


class Recorder:
    """A subscriber. Its lists are only appended to, by paho's thread."""

    def __init__(self, host: str, port: int) -> None:
        self.address = (host, port)
        self.subscribed = threading.Event()
        self.events: list[EventMessage] = []
        self.payloads: list[bytes] = []
        """Of the events, as they came."""
        self.rows: list[tuple[float, ...]] = []
        """Time and channels of every reading of the board; NaN where a value is missing."""
        self.status: str | None = None
        self.health: dict[str, Any] = {}
        self._topics = DeviceTopics(DEVICE)
        self._readings = readings_topic(BOARD)
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self.subscribed.set()
        self._client.on_message = self._on_message

    def __enter__(self) -> "Recorder":
        self._client.connect(*self.address)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def readings(self) -> tuple[np.ndarray, np.ndarray]:
        """Times (rows,) and values (rows, channels) of the readings so far."""
        table = np.array(self.rows, dtype=float).reshape(-1, 1 + len(NAMES))
        return table[:, 0], table[:, 1:]

    def _on_connect(self, client: paho.Client, *_: Any) -> None:
        topics = self._topics
        wanted = [topics.event("+"), topics.status, topics.health, self._readings]
        client.subscribe([(topic, 1) for topic in wanted])

    def _on_message(self, _client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        with suppress(EventError, FrameError, ValueError):  # what cannot be read counts as not received
            self._take(message.topic, bytes(message.payload))

    def _take(self, topic: str, payload: bytes) -> None:
        if topic == self._readings:
            readings = decode_readings(payload)
            values = (readings.values.get(name, np.nan) for name in NAMES)
            self.rows.append((np.nan if readings.time is None else readings.time, *values))
        elif topic == self._topics.event(BOARD):
            self.events.append(decode_message(payload))
            self.payloads.append(payload)
        elif topic == self._topics.status:
            self.status = payload.decode()
        elif topic == self._topics.health:
            self.health = json.loads(payload)
