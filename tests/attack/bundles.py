"""A bundle replaced in use by cp, slow writes, in place, mv and half a copy, again and again under load."""

import random
import threading
from pathlib import Path

from edge.detector.bundle.files import load_bundle
from edge.wire.readings import encode_readings
from tests.edge.agent.test_passing_states import COPIES, by_cp, info, other_bundle
from tests.helpers.agent import MQTT, PUMP, Agent, board, config, rows
from tests.helpers.mosquitto import Broker, wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

TIMES = 100


def run(folder: Path, rounds: float) -> tuple[bool, str]:
    """Whether the agent never ended and always served the old or the new bundle; the figures."""
    (folder / "broker").mkdir(parents=True)
    write_tiny_bundle(folder / "tiny")
    write_tiny_bundle(folder / "first")
    kinds = [folder / "first", other_bundle(folder)]
    known = {load_bundle(kind).sha256 for kind in kinds}
    broker = Broker(folder / "broker").start()
    listener, stop = broker.listen("offbeat/#"), threading.Event()
    agent = Agent(folder, config(broker.port, MQTT, PUMP))
    try:
        wait_for(lambda: agent.said("source field: up"), "the subscription")
        load = threading.Thread(target=_load, args=(broker, stop))
        load.start()
        times = _replace(folder, kinds, max(1, round(TIMES * rounds)))
        wait_for(lambda: info(listener) == [load_bundle(folder / "tiny").sha256], "the last bundle", 30.0)
        stop.set()
        load.join()
        alive = agent.process.poll() is None
        served = {one for payload in listener.on("offbeat/gw-1/info") for one in _hashes(payload)}
        ended = agent.stop()
        return alive and ended == 0 and served <= known, f"{times} replacements, 0 ends, hashes served: {len(served)}"
    finally:
        stop.set()
        agent.process.kill()
        listener.close()
        broker.kill()


def _replace(folder: Path, kinds: list[Path], each: int) -> int:
    chance, count = random.Random(1), 0
    for number in range(each):
        for copy in COPIES.values():
            copy(kinds[(number + count) % 2], folder / "tiny")
            count += 1
            threading.Event().wait(chance.uniform(0.0, 0.5))
    by_cp(kinds[number % 2], folder / "tiny")
    return count


def _load(broker: Broker, stop: threading.Event) -> None:
    with board(broker) as publish:
        for row in rows(1000, 10_000_000):
            publish("sensors/pump1/readings", encode_readings(row))
            if stop.wait(0.005):
                return


def _hashes(payload: bytes) -> list[str]:
    import json

    return [one["sha256"] for one in json.loads(payload)["bundles"]]
