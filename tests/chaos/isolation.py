"""One stream among misbehaving ones: a flood, garbage, a broken bundle, an absent port. What does it lose?

The same readings go in the same moments to a second agent with a broker of its own, its control, where the others keep
still: what a loaded machine delays, it delays there too. Whoever shouts is a process of its own.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as paho

from edge.wire.readings import encode_readings
from edge.wire.topics import readings_topic
from tests.chaos.recording import APART_S, Recording
from tests.chaos.stand import Stand, stand
from tests.chaos.subscriber import Subscriber
from tests.helpers.agent import ROOT
from tests.helpers.mosquitto import Broker, Listener, wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

PERIOD_S = 1.0
"""Of a row in the recording: an event that is later by this than the slowest of the control is delayed."""
RATE = 20.0
"""Rows of the quiet stream a second; the loud one sends 20 times as many messages."""

_CONFIG = """
[device]
id = "{device}"
health_every_s = 0.5
[broker]
host = "127.0.0.1"
port = {broker_port}
[[source]]
name = "radio"
type = "mqtt"
[[source]]
name = "gone"
type = "serial"
port = "no-such-port"
[[stream]]
id = "quiet"
source = "radio"
bundle = "tiny"
[[stream]]
id = "loud"
source = "radio"
bundle = "tiny"
[[stream]]
id = "broken"
source = "radio"
bundle = "broken"
[[stream]]
id = "absent"
source = "gone"
bundle = "tiny"
"""

Alert = tuple[str, float, float | None]
"""Type, time and score of an event: what the same readings always give."""


@dataclass(frozen=True)
class Heard:
    """What came of the quiet stream's readings at one agent."""

    readings: int
    """That the agent took in."""
    dropped: int
    """That it counts as `overrun` or `late`."""
    alerts: list[Alert]
    latency_s: list[float]
    """From a reading's way out to its event's arrival."""


@dataclass(frozen=True)
class Isolation:
    """The quiet stream alone, and beside the others, in the same minute."""

    sent: int
    alone: Heard
    beside: Heard

    @property
    def lost(self) -> int:
        """Readings and alerts that are missing, or not the same, beside the others."""
        different = len(set(self.alone.alerts) ^ set(self.beside.alerts))
        return self.sent - self.beside.readings + self.beside.dropped + different

    @property
    def delayed(self) -> int:
        """Alerts that took a row's period longer than any of the control."""
        slowest = max(self.alone.latency_s, default=0.0)
        return sum(latency > slowest + PERIOD_S for latency in self.beside.latency_s)

    @property
    def faultless(self) -> bool:
        """Whether the others cost the quiet stream nothing."""
        return bool(self.alone.alerts) and not self.lost and not self.delayed

    def __str__(self) -> str:
        alone, beside = (f"{statistics.median(run.latency_s) * 1000:.0f} ms" for run in (self.alone, self.beside))
        return (
            f"a stream beside a flood, garbage, a broken bundle and an absent port: {self.sent} readings, "
            f"{len(self.beside.alerts)} alerts, {self.lost} lost, {self.delayed} delayed; from reading to alert "
            f"{beside} (median; control {alone}), at most {max(self.beside.latency_s):.2f} s "
            f"(control {max(self.alone.latency_s):.2f} s)"
        )


def run(folder: Path, seed: int, rows: int = 600) -> Isolation:
    """The same readings to two agents; at one of them the others misbehave."""
    with ExitStack() as stack:
        alone, beside = (_started(folder / name, stack) for name in ("alone", "beside"))
        with _misbehaving(beside.broker):
            sent_at = _send(
                [alone.broker, beside.broker], Recording(seed, "quiet", 1_795_000_000.0, pause_s=APART_S), rows
            )
            for base in (alone, beside):
                _settle(base, rows)
        return Isolation(rows, *(_heard(base, times) for base, times in zip((alone, beside), sent_at, strict=True)))


def _started(folder: Path, stack: ExitStack) -> Stand:
    base = stack.enter_context(stand(folder))
    write_tiny_bundle(folder / "broken")
    (folder / "broken/float32.tflite").write_bytes(b"no model")
    base.configure(_CONFIG)
    base.agent.start()
    wait_for(lambda: "source radio: up" in base.agent.log(), "the agent's subscription", 60)
    return base


def _settle(base: Stand, rows: int) -> None:
    wait_for(lambda: _counts(base.health)["readings"] >= rows, "the readings", 60)
    wait_for(lambda: _all_ended(base.subscriber), "the last end", 60)


def _heard(base: Stand, sent_at: Mapping[float, float]) -> Heard:
    ours = [each for each in base.subscriber.received if each.message.event.stream == "quiet"]
    events = [each.message.event for each in ours]
    counts = _counts(base.health)
    return Heard(
        counts["readings"],
        counts["overrun"] + counts["late"],
        [(event.event_type, event.time, event.score) for event in events],
        [each.at - sent_at[each.message.event.time] for each in ours],
    )


def _send(brokers: Sequence[Broker], recording: Recording, rows: int) -> list[dict[float, float]]:
    """Publish the rows one by one to each; monotonic time at which each was published there, by the row's time."""
    sent_at: list[dict[float, float]] = [{} for _ in brokers]
    with ExitStack() as stack:
        clients = [stack.enter_context(_client(broker)) for broker in brokers]
        due = time.monotonic()
        for number in range(rows):
            row = recording.row(number, calm=number > rows - 40)
            time.sleep(max(0.0, due - time.monotonic()))
            handed = []
            for client, times in zip(clients, sent_at, strict=True):
                times[row.time or 0.0] = time.monotonic()
                handed.append(client.publish(readings_topic("quiet"), encode_readings(row), qos=1))
            for one in handed:
                one.wait_for_publish(10)
            due += 1 / RATE
    return sent_at


@contextmanager
def _misbehaving(broker: Broker) -> Iterator[None]:
    """The loud board floods with good readings and garbage, the broken one's stream has no model."""
    line = [sys.executable, "-m", "tests.chaos.shouting", str(broker.port), str(RATE)]
    shouting = subprocess.Popen(line, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        yield
        assert shouting.poll() is None, "whoever shouts has ended"
    finally:
        shouting.kill()
        shouting.wait()


@contextmanager
def _client(broker: Broker) -> Iterator[paho.Client]:
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect(broker.settings.host, broker.port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


def _counts(health: Listener) -> dict[str, int]:
    payloads = wait_for(lambda: health.on("offbeat/+/health"), "a health message")
    return json.loads(payloads[-1])["streams"]["quiet"]


def _all_ended(subscriber: Subscriber) -> bool:
    types = [each.message.event.event_type for each in subscriber.received if each.message.event.stream == "quiet"]
    return 0 < types.count("new") == types.count("end")
