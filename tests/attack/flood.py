"""A publisher that sends 100 MB payloads, deep JSON and a million names, beside a quiet stream; what is resident."""

import json
import time
from pathlib import Path

from edge.wire.readings import encode_readings
from tests.helpers.agent import MQTT, PUMP, Agent, board, config, health, rows
from tests.helpers.mosquitto import Broker, wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

MINUTES, MOST_MB = 10.0, 10.0
_NAMES = json.dumps({"values": {f"channel-{number}": number for number in range(1_000_000)}}).encode()
PAYLOADS = {
    "100 MB": b" " * 100_000_000, "deep JSON": b"[" * 60_000, "deeper": b'{"values":' * 100_000, "names": _NAMES,
    "names below the bound": json.dumps({"values": {f"c{number}": number for number in range(5000)}}).encode(),
}  # fmt: skip


def run(folder: Path, rounds: float) -> tuple[bool, str]:
    """Whether memory stays within 10 MB and the quiet stream's rows are all scored; the curve."""
    (folder / "broker").mkdir(parents=True)
    write_tiny_bundle(folder / "tiny")
    broker = Broker(folder / "broker").start()
    listener, curve, sent = broker.listen("offbeat/#"), [], 0
    agent = Agent(folder, config(broker.port, MQTT, PUMP))
    try:
        wait_for(lambda: agent.said("source field: up"), "the subscription")
        until = time.monotonic() + 60 * MINUTES * rounds
        with board(broker) as publish:
            for row in rows(1000, 100):
                publish("sensors/pump1/readings", encode_readings(row))
            wait_for(lambda: health(listener)["streams"]["pump1"]["rows"] >= 98, "rows before the flood")
            before = health(listener)["rss_bytes"]
            while time.monotonic() < until:
                for board_name, payload in zip(("pump1", "stranger") * 3, PAYLOADS.values(), strict=False):
                    publish(f"sensors/{board_name}/readings", payload)
                sent += 1
                publish("sensors/pump1/readings", encode_readings(rows(1100 + sent, 1)[0]))
                curve.append((health(listener)["rss_bytes"] - before) / 1e6)
        wait_for(lambda: health(listener)["streams"]["pump1"]["rows"] >= 98 + sent - 2, "the quiet rows")
        counted = health(listener)["sources"]["field"]["bad_frames"]
        told = f"{sent} rounds, +{max(curve):.1f} MB at most, +{curve[-1]:.1f} at the end, {counted} counted as bad"
        return max(curve) <= MOST_MB and agent.stop() == 0, told
    finally:
        agent.process.kill()
        listener.close()
        broker.kill()
