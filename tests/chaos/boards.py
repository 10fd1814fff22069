"""Sensor boards that never rest: they publish the recording over MQTT and over serial lines."""

import os
import pty
import threading
import time
import tty
from collections.abc import Sequence
from contextlib import suppress

import paho.mqtt.client as paho

from edge.wire.broker import BrokerSettings
from edge.wire.frame import encode_frame
from edge.wire.readings import encode_readings
from edge.wire.topics import readings_topic
from tests.chaos.recording import APART_S, Recording


class SerialLine:
    """A pseudo-terminal; what nobody reads is dropped, as on a wire."""

    def __init__(self) -> None:
        self._master, self._slave = pty.openpty()  # the slave stays open: its settings and name outlive the agent
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port = os.ttyname(self._slave)

    def write(self, data: bytes) -> None:
        """Send bytes, as many as there is room for."""
        with suppress(BlockingIOError):
            os.write(self._master, data)

    def close(self) -> None:
        """Unplug it."""
        os.close(self._master)
        os.close(self._slave)


class Boards:
    """A thread that sends row after row of every board, `rate` a second, until `close`.

    `rate` may be changed and `calm` set at any time; with `calm` there are no more faults.
    """

    def __init__(
        self, broker: BrokerSettings, wireless: Sequence[str], wired: Sequence[str], seed: int, rate: float
    ) -> None:
        self.rate, self.calm = rate, False
        self.line = SerialLine()
        self.sent = 0
        """Rows sent by each board."""
        # A year ago: at 50 rows a second, and a pause between faults, the recording must not overtake the clock.
        start = float(int(time.time()) - 365 * 86400)
        self._wireless = {board: Recording(seed, board, start, pause_s=APART_S) for board in wireless}
        self._wired = {board: Recording(seed, board, start, pause_s=APART_S) for board in wired}
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self.client.reconnect_delay_set(1, 1)
        self.client.connect(broker.host, broker.port)
        self.client.loop_start()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop sending and unplug."""
        self._closing.set()
        self._thread.join(10)
        self.client.disconnect()
        self.client.loop_stop()
        self.line.close()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._closing.wait(max(0.0, due - time.monotonic())):
            self._send(self.sent)
            self.sent += 1
            # No catching up after a pause: a machine under load would turn every fault into a flood.
            due = max(due + 1 / self.rate, time.monotonic() - 0.1)

    def _send(self, number: int) -> None:
        for board, recording in self._wireless.items():
            self.client.publish(readings_topic(board), encode_readings(recording.row(number, self.calm)))
        for board, recording in self._wired.items():
            self.line.write(encode_frame(board, recording.row(number, self.calm)))
