"""How many messages one long fault makes, and how late an alert is: `python -m tests.bench.alerts [faults|latency]`.

`faults`: 8 hours of each kind of fault of the simulated pump through models/pump, as many messages as its episodes
make, beside what an update a minute would be. `latency`: from a reading handed to the broker to the alert at a
subscriber, beyond the rows that the detector itself waits for.
"""

import csv
import io
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import edge
from edge.watch.wording import alert_line
from edge.wire.events import Event, EventMessage
from edge.wire.readings import encode_readings
from tests.helpers.agent import EPISODE, MQTT, PUMP, Agent, board, config
from tests.helpers.mosquitto import Broker, wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

_BUNDLE = Path(__file__).resolve().parents[2] / "models" / "pump"
_KINDS = ("bearing_wear", "cavitation", "blockage", "leak", "electrical_imbalance", "lost_coupling", "stuck.flow")
_LEAD_S, _FAULT_S = 900.0, 8 * 3600.0
_ROUNDS = 20


def messages_of(kind: str) -> list[Event]:
    """The events of one fault of 8 hours, and of an hour and a half after it, in which it is told that it is over."""
    fault = f"{kind}@15m+8h"
    line = [
        sys.executable,
        "-m",
        "firmware_sim",
        "csv",
        "--hours",
        "9.75",
        "--fault",
        fault,
        "--time",
        "unix",
        "--quiet",
    ]
    recorded = subprocess.run(line, check=True, capture_output=True, text=True).stdout
    detector = edge.Detector.load(_BUNDLE)
    events: list[Event] = []
    for row in csv.DictReader(io.StringIO(recorded)):
        values = {name: float(value) if value else None for name, value in row.items() if name != "time"}
        for outcome in detector.update(float(row["time"]), values):
            events += outcome.events
    begin = float(next(csv.DictReader(io.StringIO(recorded)))["time"]) + _LEAD_S
    return [event for event in events if event.time >= begin]


def opposite(event: Event) -> bool:
    """Whether an update reads as if all were well: a score under the level, or a rarity of minutes, without calming."""
    if event.event_type != "update" or event.calming:
        return False
    line = alert_line(EventMessage(event, "gw-1", "log", 1))
    often = "about once in" in line and any(f" {word}" in line.split("about once in")[1][:12] for word in _SOON)
    return often or (event.score is not None and event.score < 1)


_SOON = ("minute", "second")


def faults() -> None:
    """Print a table."""
    print(f"{'8 h of':22} episodes messages  new upd calm end  opposite  one a minute  snapshots")
    for kind in _KINDS:
        events = messages_of(kind)
        by = {
            name: sum(one.event_type == name and not one.calming for one in events) for name in ("new", "update", "end")
        }
        calm, wrong = sum(one.calming for one in events), sum(map(opposite, events))
        ids = {one.id for one in events}
        lasted = sum(one.end_time - one.start_time for one in events if one.end_time is not None)
        print(
            f"{kind:22} {len(ids):8} {len(events):8}  {by['new']:3} {by['update']:3} {calm:4} {by['end']:3}  {wrong:8}"
            f"  {lasted / 60 + 2 * len(ids):12.0f}  {by['new'] + by['end']:9}",
            flush=True,
        )


def latency() -> None:
    """Print the median and the worst of `_ROUNDS` faults, in periods of the stream."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_tiny_bundle(folder / "tiny")
        (folder / "mosquitto").mkdir()
        broker = Broker(folder / "mosquitto").start()
        try:
            taken = _faults_over(broker, folder)
        finally:
            broker.stop()
    print(f"reading that completes the alert to subscriber: median {statistics.median(taken):.3f} s, "
          f"worst {max(taken):.3f} s of {len(taken)}; a period is 1 s")  # fmt: skip


def _faults_over(broker: Broker, folder: Path) -> list[float]:
    """Seconds from the row on which the detector alone alerts to the subscriber's callback, of several episodes."""
    alerting = _alerting_row(folder)
    taken = []
    for number in range(_ROUNDS):
        own = folder / f"agent{number}"
        own.mkdir()
        write_tiny_bundle(own / "tiny")
        listener, agent = broker.listen("offbeat/#"), Agent(own, config(broker.port, MQTT, PUMP))
        try:
            wait_for(lambda agent=agent: agent.said("source field: up"), "the subscription")
            with board(broker) as publish:
                for row in EPISODE[:alerting]:
                    publish("sensors/pump1/readings", encode_readings(row))
                pause = threading.Event()
                pause.wait(0.3)
                sent = time.monotonic()
                publish("sensors/pump1/readings", encode_readings(EPISODE[alerting]))
                wait_for(lambda listener=listener: listener.on("offbeat/gw-1/pump1/event"), "the alert")
                taken.append(time.monotonic() - sent)
            agent.stop()
        finally:
            listener.close()
            agent.process.kill()
    return taken


def _alerting_row(folder: Path) -> int:
    """The reading with which a detector of the same bundle alerts, counted from 0."""
    detector = edge.Detector.load(folder / "tiny")
    for number, row in enumerate(EPISODE):
        if any(outcome.events for outcome in detector.update(row.time, row.values)):
            return number
    raise SystemExit("the fault is not found")


if __name__ == "__main__":
    for part in sys.argv[1:] or ["faults", "latency"]:
        {"faults": faults, "latency": latency}[part]()
        print(json.dumps({"part": part}), file=sys.stderr)
