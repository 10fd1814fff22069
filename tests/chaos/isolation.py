"""One stream among misbehaving ones: a flood, garbage, a broken bundle, an absent port. What does it lose?"""

import itertools
import json
import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as paho

from edge.wire.readings import encode_readings
from edge.wire.topics import readings_topic
from tests.chaos.garbage import PIECES
from tests.chaos.recording import Recording
from tests.chaos.stand import Stand, stand
from tests.chaos.subscriber import Subscriber
from tests.helpers.mosquitto import Broker, Listener, wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

PERIOD_S = 1.0
"""Of a row in the recording: an event later than this after its reading is delayed."""
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
    """What came of the quiet stream's readings in one run."""

    readings: int
    """That the agent took in."""
    dropped: int
    """That it counts as `overrun` or `late`."""
    alerts: list[Alert]
    latency_s: list[float]
    """From a reading's way out to its event's arrival."""


@dataclass(frozen=True)
class Isolation:
    """The quiet stream alone, and beside the others."""

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
        """Alerts that came more than a row's period after their reading."""
        return sum(latency > PERIOD_S for latency in self.beside.latency_s)

    @property
    def faultless(self) -> bool:
        """Whether the others cost the quiet stream nothing."""
        return bool(self.alone.alerts) and not self.lost and not self.delayed

    def __str__(self) -> str:
        alone, beside = (f"{statistics.median(run.latency_s) * 1000:.0f} ms" for run in (self.alone, self.beside))
        return (
            f"a stream beside a flood, garbage, a broken bundle and an absent port: {self.sent} readings, "
            f"{len(self.beside.alerts)} alerts, {self.lost} lost, {self.delayed} delayed; from reading to alert "
            f"{beside} (median; alone {alone}), at most {max(self.beside.latency_s):.2f} s"
        )


def run(folder: Path, seed: int, rows: int = 600) -> Isolation:
    """The same readings twice, to two agents: first nobody else sends, then the others misbehave."""
    alone, beside = (_listen(folder / name, seed, rows, name == "beside") for name in ("alone", "beside"))
    return Isolation(rows, alone, beside)


def _listen(folder: Path, seed: int, rows: int, misbehave: bool) -> Heard:
    with stand(folder) as base:
        write_tiny_bundle(folder / "broken")
        (folder / "broken/float32.tflite").write_bytes(b"no model")
        base.configure(_CONFIG)
        base.agent.start()
        wait_for(lambda: "source radio: up" in base.agent.log(), "the agent's subscription")
        with _misbehaving(base.broker) if misbehave else nullcontext():
            sent_at = _send(base.broker, Recording(seed, "quiet", 1_795_000_000.0), rows)
            wait_for(lambda: _counts(base.health)["readings"] >= rows, "the readings", 30)
            wait_for(lambda: _all_ended(base.subscriber), "the last end", 30)
        return _heard(base, sent_at)


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


def _send(broker: Broker, recording: Recording, rows: int) -> dict[float, float]:
    """Publish the rows one by one; monotonic time at which each was published, by the row's time."""
    sent_at = {}
    with _client(broker) as client:
        due = time.monotonic()
        for number in range(rows):
            row = recording.row(number, calm=number > rows - 40)
            time.sleep(max(0.0, due - time.monotonic()))
            sent_at[row.time or 0.0] = time.monotonic()
            client.publish(readings_topic("quiet"), encode_readings(row), qos=1).wait_for_publish(10)
            due += 1 / RATE
    return sent_at


@contextmanager
def _misbehaving(broker: Broker) -> Iterator[None]:
    """The loud board floods with good readings and garbage, the broken one's stream has no model."""
    stop = threading.Event()

    def shout() -> None:
        recording, numbers = Recording(0, "loud", 1_795_000_000.0), itertools.count()
        with _client(broker) as client:
            while not stop.wait(1 / RATE):
                for number in itertools.islice(numbers, 20):
                    good = encode_readings(recording.row(number))
                    payload = good if number % 4 else PIECES[number // 4 % len(PIECES)]
                    client.publish(readings_topic("loud"), payload)
                    client.publish(readings_topic("broken"), payload)

    thread = threading.Thread(target=shout, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join(10)


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
