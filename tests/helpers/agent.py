"""An agent as users run it, in a process of its own, and what it is fed with. Import the fixtures that you use."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import paho.mqtt.client as paho
import pytest

from edge.wire.events import event_schema
from edge.wire.readings import Readings
from tests.helpers.mosquitto import Broker, wait_for
from tests.helpers.tiny_bundle import WINDOW, normal, write_tiny_bundle

NO_THREADS = """
import os, threading
original = threading.Thread.start
def start(self):
    if os.path.exists(os.environ["OFFBEAT_NO_THREADS"]):
        raise RuntimeError("can't start new thread")
    original(self)
threading.Thread.start = start
"""
"""A sitecustomize: no thread can be had while the file that it names is there."""
ROOT = Path(__file__).resolve().parents[2]
FAULT = 6.0
"""Added to a flow of 1 to 3."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where agent.toml lies, with a bundle `tiny` beside it."""
    write_tiny_bundle(tmp_path / "tiny")
    return tmp_path


class Agent:
    """`python -m edge run` with its log."""

    def __init__(self, folder: Path, config: str, **environment: str) -> None:
        self.folder, self.log = folder, folder / "agent.log"
        (folder / "agent.toml").write_text(config)
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        self.process = self._command(
            "run", stdout=subprocess.DEVNULL, stderr=self.log.open("ab"), stdin=subprocess.PIPE
        )

    def _command(self, name: str, **streams) -> subprocess.Popen[bytes]:
        line = [sys.executable, "-m", "edge", name, "--config", str(self.folder / "agent.toml")]
        return subprocess.Popen(line, env=self._environment, **streams)

    def said(self, text: str) -> bool:
        assert self.process.poll() in (None, 0), self.log.read_text()
        return text in self.log.read_text()

    def wait_ready(self) -> None:
        wait_for(lambda: self.said("ready: "), "the agent to be ready")

    def send_lines(self, lines: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(lines)
        self.process.stdin.flush()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)


@pytest.fixture
def run(folder: Path) -> Iterator[Callable[..., Agent]]:
    agents: list[Agent] = []

    def start(config: str, **environment: str) -> Agent:
        agents.append(Agent(folder, config, **environment))
        return agents[-1]

    yield start
    for agent in agents:
        if agent.process.poll() is None:
            agent.process.kill()
            agent.process.wait(10)
        if agent.process.stdin:
            with contextlib.suppress(BrokenPipeError):
                agent.process.stdin.close()


def reload_signal(agent: Agent) -> None:
    """Have the config read again."""
    agent.process.send_signal(signal.SIGHUP)


def config(port: int, sources: str, *streams: str, broker: str = "") -> str:
    head = f'[device]\nid = "gw-1"\nhealth_every_s = 0.2\n[broker]\nhost = "127.0.0.1"\nport = {port}\n{broker}\n'
    return head + sources + "".join(f"[[stream]]\n{stream}\n" for stream in streams)


MQTT = '[[source]]\nname = "field"\ntype = "mqtt"\n'
PUMP = 'id = "pump1"\nbundle = "tiny"\nsource = "field"\n'


def rows(start: int, count: int, fault: range = range(0)) -> list[Readings]:
    def values(time: int) -> dict[str, float]:
        usual = normal(time)
        return {**usual, "flow": usual["flow"] + FAULT} if time in fault else usual

    return [Readings(values(time), float(time), time - start) for time in range(start, start + count)]


EPISODE = rows(1000, 200, fault=range(1100, 1130))
"""Normal, 30 rows of a fault, normal again."""
COMMISSIONED = 160
"""Rows that a stream of its own calibration takes, and that come before the fault below."""
LONGER = rows(1100 - COMMISSIONED, 100 + COMMISSIONED, fault=range(1100, 1130))
"""The same with more normal rows before it."""


def as_csv(readings: list[Readings]) -> str:
    return "time,flow,pressure\n" + "".join(
        f"{row.time},{row.values['flow']},{row.values['pressure']}\n" for row in readings
    )


@contextlib.contextmanager
def board(broker: Broker) -> Iterator[Callable[[str, bytes], None]]:
    """A client that publishes, QoS 1, and waits for the acknowledgement."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect(broker.settings.host, broker.settings.port)
    client.loop_start()
    yield lambda topic, payload: client.publish(topic, payload, qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


def events(listener, stream: str = "pump1") -> list[dict]:
    """Each event once, in order: delivery is at least once."""
    heard = [json.loads(payload) for payload in listener.on(f"offbeat/gw-1/{stream}/event")]
    once = {(event["log"], event["seq"]): event for event in reversed(heard)}
    return sorted(once.values(), key=lambda event: event["seq"])


def health(listener) -> dict:
    """The newest health message."""
    payloads = wait_for(lambda: listener.on("offbeat/gw-1/health"), "a health message")
    return json.loads(payloads[-1])


def assert_whole_episode(found: list[dict]) -> None:
    types = [event["event_type"] for event in found]
    assert types[0] == "new"
    assert types[-1] == "end"
    assert set(types[1:-1]) <= {"update"}
    assert len({event["id"] for event in found}) == 1
    assert 1100 <= found[0]["time"] <= 1100 + WINDOW
    assert found[0]["time"] - found[0]["start_time"] <= WINDOW
    assert found[0]["contributors"][0]["channel"] == "flow"
    for event in found:
        jsonschema.validate(event, event_schema())


def first_episode(listener) -> list[dict]:
    found = wait_for(
        lambda: (seen := events(listener)) and any(e["event_type"] == "end" for e in seen) and seen, "an end"
    )
    return [event for event in found if event["id"] == found[0]["id"]]
