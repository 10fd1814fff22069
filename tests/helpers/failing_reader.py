"""Alerts to a reader whose callback fails at random, through a broker that is killed meanwhile; which got lost."""

import asyncio
import random
import threading
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as paho

from edge.mqtt.connection import ConnectError
from edge.watch.reader import AlertReader
from edge.wire.events import EventMessage, encode_message
from edge.wire.topics import DeviceTopics
from tests.helpers.alerts import alert
from tests.helpers.mosquitto import PERSISTENT, Broker, wait_for


class Theirs(BaseException):
    """None that a library could know."""


ERRORS: tuple[type[BaseException], ...] = (
    OSError, ConnectionError, ConnectionResetError, BrokenPipeError, TimeoutError, BlockingIOError, InterruptedError,
    ValueError, MemoryError, RecursionError, StopIteration, AssertionError, KeyError, ConnectError, EOFError,
    KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError, Theirs,
)  # fmt: skip
"""Those of sockets and of our own connection are what a reader could take for a lost broker."""


@dataclass
class Outcome:
    """What came of it."""

    lost: list[int]
    raised: list[BaseException] = field(default_factory=list)
    """By the callback."""
    surfaced: list[BaseException] = field(default_factory=list)
    """Out of `run`."""
    blamed: list[str] = field(default_factory=list)
    """What the reader said of its link."""


def read_through_failures(folder: Path, alerts: int, kills: int, timeout_s: float, seed: int = 1) -> Outcome:
    """So many alerts in as many parts as there are kills, one kill behind each part."""
    broker = Broker(folder, ("allow_anonymous true", *PERSISTENT, "max_queued_messages 0"), client_id="reader").start()
    chance, seen, stop, outcome = random.Random(seed), set(), threading.Event(), Outcome([])

    def callback(received: EventMessage, _payload: bytes) -> None:
        if chance.random() < 0.2:
            error = chance.choice(ERRORS)("on purpose")
            outcome.raised.append(error)
            raise error
        seen.add(received.seq)

    def on_link(there: bool, text: str) -> None:
        if not there:
            outcome.blamed.append(text)

    reader = AlertReader(broker.settings, callback, on_link=on_link, hold_s=0.2)

    def read() -> None:
        while not stop.is_set():
            try:
                reader.run(stop)
            except BaseException as error:
                outcome.surfaced.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        wait_for(lambda: reader.connected, "the reader")
        part = alerts // kills
        for first in range(1, alerts + 1, part):
            _send(broker, range(first, min(first + part, alerts + 1)))
            broker.kill()
            broker.start()
        wait_for(lambda: len(seen) == alerts, f"{alerts} alerts, {len(seen)} came", timeout_s)
    except AssertionError:
        outcome.lost = sorted(set(range(1, alerts + 1)) - seen)
    finally:
        stop.set()
        thread.join(10)
        broker.kill()
    return outcome


def _send(broker: Broker, numbers: range) -> None:
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect(broker.settings.host, broker.port)
    client.loop_start()
    topic = DeviceTopics("gw-1").event("pump1")
    for number in numbers:
        payload = encode_message(EventMessage(alert(number), "gw-1", "log", number))
        client.publish(topic, payload, qos=1).wait_for_publish(5)
    # What a broker acknowledged is on its disk with the next save; retained values make it save once more.
    before = _saved_at(broker)
    for value in (b"1", b"2", b"3"):
        client.publish("elsewhere", value, qos=1, retain=True).wait_for_publish(5)
    wait_for(lambda: _saved_at(broker) != before, "the broker's file")
    client.disconnect()
    client.loop_stop()


def _saved_at(broker: Broker) -> int:
    file = broker.folder / "mosquitto.db"
    return file.stat().st_mtime_ns if file.exists() else 0
