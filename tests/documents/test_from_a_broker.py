"""docs/how-to/from-a-broker-to-alerts.md: its commands, run one after the other as they stand there.

Options for haste are put behind them, where the last of two counts: another broker, shorter recordings and training.
"""

import importlib.util
import json
import math
import os
import random
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from tests.helpers.documents import ROOT, blocks
from tests.helpers.mosquitto import Broker, Listener, missing, wait_for

PAGE = ROOT / "docs/how-to/from-a-broker-to-alerts.md"
MODULES = {"offbeat-edge": "edge", "offbeat-train": "train"}
HASTE = {
    "discover": "--seconds 3 --host 127.0.0.1 --port {port}",
    "record": "--seconds 45",
    "fit": "--epochs 2 --window 8",
    "check": "",
    "run": "",
}
EVERY_S = 0.2


class Sensors:
    """Three sensors of one ESPHome node: each publishes its own state, retained, with five decimals."""

    def __init__(self, broker: Broker) -> None:
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.will_set("boiler/status", "offline", retain=True)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        self._leaving = threading.Event()
        self.fault = 0.0
        """Added to the flow temperature, which is 37 to 43."""
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._leaving.set()
        self._thread.join()
        self._client.loop_stop()

    def _run(self) -> None:
        chance = random.Random(1)
        number = 0
        self._client.publish("boiler/status", "online", retain=True)
        while not self._leaving.wait(EVERY_S):
            number += 1
            swing = math.sin(number * EVERY_S / 2)
            values = {"flow": 40 + 3 * swing + self.fault, "return": 30 + 2 * swing, "pressure": 1.5 + 0.1 * swing}
            for name, value in values.items():
                payload = f"{value + chance.gauss(0, 0.02):.5f}"
                self._client.publish(f"boiler/sensor/{name}/state", payload, retain=True)


@pytest.fixture
def sensors(broker) -> Iterator[Sensors]:
    found = Sensors(broker)
    yield found
    found.stop()


def commands() -> list[list[str]]:
    """The lines of the page's one block of shell, as words."""
    (block,) = [block for block in blocks("sh") if block.file == PAGE]
    return [shlex.split(line) for line in block.text.splitlines() if line.strip()]


def ours(words: list[str], port: int, folder: Path) -> list[str]:
    """A command as it is run here; a pattern of files as the shell would give it."""
    program, command, *rest = words
    given = [str(path) for word in rest for path in (sorted(folder.glob(word)) if "*" in word else [word])]
    return [sys.executable, "-m", MODULES[program], command, *given, *shlex.split(HASTE[command].format(port=port))]


def test_they_are_six_at_most_and_begin_with_the_installation():
    first, *others = commands()

    assert first == ["pip", "install", ".[train]"]
    assert [words[1] for words in others] == list(HASTE)
    assert len(commands()) <= 6


@pytest.mark.timeout(600)
def test_the_commands_of_the_page_end_in_an_agent_that_finds_a_fault(sensors, broker, listener, tmp_path):
    if importlib.util.find_spec("tensorflow") is None:
        missing("tensorflow (pip install 'offbeat[train]')")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    *before, last = commands()[1:]
    for words in before:
        line = ours(words, broker.port, tmp_path)
        done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=400)
        assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}\n{done.stderr}"
    log = tmp_path / "agent.log"
    line = ours(last, broker.port, tmp_path)
    with log.open("wb") as errors:
        agent = subprocess.Popen(line, cwd=tmp_path, env=environment, stderr=errors)
    try:
        wait_for(lambda: "OFF" in anomalies(listener), f"a judgement; {log.read_text()}", 120.0)
        sensors.fault = 15.0
        wait_for(lambda: events(listener), f"an event; {log.read_text()}", 120.0)
    finally:
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(20) == 0
    assert events(listener)[0]["stream"] == "boiler"


def anomalies(listener: Listener) -> list[str]:
    """What the stream's state said; the device is called as the computer."""
    return [json.loads(payload)["anomaly"] for payload in listener.on("offbeat/+/boiler/state")]


def events(listener: Listener) -> list[dict]:
    found = map(json.loads, listener.on("offbeat/+/boiler/event"))
    return [one for one in found if one["kind"] == "anomaly"]
