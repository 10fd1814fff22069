"""Against Home Assistant itself, in the environment that OFFBEAT_HOMEASSISTANT names (`make test-integrations`)."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.wire.readings import encode_readings
from tests.helpers.agent import EPISODE, MQTT, PUMP, board, config, folder, rows, run
from tests.helpers.mosquitto import Broker, missing, wait_for

__all__ = ["folder", "run"]  # fixtures
pytestmark = pytest.mark.integration
HERE = Path(__file__).parent
BLUEPRINT = HERE.parents[2] / "edge/homeassistant/blueprints/notify_episode.yaml"
ON = "[homeassistant]\ndiscovery = true\n"
AGENT = "binary_sensor.gw_1_agent"
PROBLEM, EVENT = "binary_sensor.gw_1_pump1_anomaly", "event.gw_1_pump1_episode"


class Home:
    """Home Assistant in a process of its own; what it says, line by line."""

    def __init__(self, python: str, port: int, folder: Path) -> None:
        self.said: list[dict[str, Any]] = []
        line = [python, str(HERE / "core.py"), str(port), str(folder), str(BLUEPRINT)]
        self.log = folder.with_suffix(".log")
        self.process = subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log.open("wb"), text=True
        )
        threading.Thread(target=self._read, daemon=True).start()
        self.wait(lambda: any("ready" in one for one in self.said), "Home Assistant", 60)

    def wait(self, condition, what: str, timeout_s: float = 20) -> None:
        def alive() -> Any:
            assert self.process.poll() is None, self.log.read_text()
            return condition()

        try:
            wait_for(alive, f"{what}; its log: {self.log}", timeout_s)
        except AssertionError:
            print(*self.said[-40:], sep="\n")
            raise

    def call(self, **what: Any) -> None:
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def states(self, entity: str) -> list[str | None]:
        return [one["state"] for one in self.said if one.get("entity") == entity]

    def state(self, entity: str) -> str | None:
        return next(iter(reversed(self.states(entity))), None)

    def events(self) -> list[dict[str, Any]]:
        """What the event entity fired, each by its attributes."""
        fired = [one["attributes"] for one in self.said if one.get("entity") == EVENT]
        return [one for one in fired if one.get("event_type")]

    @property
    def notified(self) -> list[dict[str, Any]]:
        return [one["notified"] for one in self.said if "notified" in one]

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait(30)

    def _read(self) -> None:
        for line in self.process.stdout:
            self.said.append(json.loads(line))


@pytest.fixture
def home(broker: Broker, tmp_path: Path) -> Iterator[Home]:
    python = os.environ.get("OFFBEAT_HOMEASSISTANT", "")
    if not Path(python).is_file():
        missing("Home Assistant (OFFBEAT_HOMEASSISTANT, the Python that has it; make test-integrations)")
    (tmp_path / "home").mkdir()
    one = Home(python, broker.port, tmp_path / "home")
    yield one
    one.stop()


def test_an_episode_from_its_announcement_to_one_notification(run, broker, home):
    agent = run(config(broker.port, MQTT, PUMP) + ON)
    home.wait(lambda: home.state(AGENT) == "on", "the entities and their subscriptions")
    wait_for(lambda: agent.said("source field: up"), "the subscription")
    home.call(automate=EVENT)
    home.wait(lambda: any("automated" in one for one in home.said), "the automation")

    with board(broker) as publish:
        for row in EPISODE[:120]:
            publish("sensors/pump1/readings", encode_readings(row))
        home.wait(lambda: home.state(PROBLEM) == "on", "the problem")
        for row in EPISODE[120:]:
            publish("sensors/pump1/readings", encode_readings(row))
        home.wait(lambda: home.state(PROBLEM) == "off", "calm")

    home.wait(lambda: any(one["event_type"] == "end" for one in home.events()), "the end")
    home.wait(lambda: len(home.notified) >= 2, "the notifications")
    first, last = home.notified[0], home.notified[-1]
    assert first["title"].startswith("gw-1 pump1: ")
    assert "flow" in first["message"]
    assert first["data"]["image"] == f"http://gateway:8080/episode/{first['data']['tag']}.png"
    assert last["title"] == "gw-1 pump1: over"
    assert {one["data"]["tag"] for one in home.notified} == {home.events()[0]["id"]}
    assert agent.stop() == 0


def test_an_agent_that_is_killed_ten_times_notifies_once(run, broker, home):
    text = config(broker.port, MQTT, PUMP) + ON
    agent = run(text)
    home.wait(lambda: home.state(AGENT) == "on", "the entities and their subscriptions")
    wait_for(lambda: agent.said("source field: up"), "the subscription")
    home.call(automate=EVENT)
    with board(broker) as publish:
        for row in EPISODE[:125]:
            publish("sensors/pump1/readings", encode_readings(row))
    home.wait(lambda: home.notified, "the notification")

    for number in range(10):
        agent.process.send_signal(signal.SIGKILL)
        agent.process.wait(10)
        home.wait(lambda: home.state(AGENT) == "off" and home.state(PROBLEM) == "unavailable", "the last will")
        agent = run(text)
        wait_for(lambda one=agent: one.said("source field: up"), "the subscription")
        home.wait(lambda: home.state(AGENT) == "on", "the agent to be there again")
        with board(broker) as publish:
            for row in rows(1125 + 20 * number, 20, fault=range(1100, 2000)):
                publish("sensors/pump1/readings", encode_readings(row))
        home.wait(lambda: home.state(PROBLEM) == "on", "the entities to be there again")

    openings = [one for one in home.notified if not one["title"].endswith("over")]
    assert len(openings) == 1
    new = [one for one in home.events() if one["event_type"] == "new"]
    assert len({one["id"] for one in new}) == 1
    assert agent.stop() == 0


def test_a_stream_that_goes_leaves_no_entity(run, broker, home):
    agent = run(config(broker.port, MQTT, PUMP, 'id = "pump2"\nbundle = "tiny"\nsource = "field"\n') + ON)
    second = "binary_sensor.gw_1_pump2_anomaly"
    home.wait(lambda: home.state(second) is not None, "the entity")

    (agent.folder / "agent.toml").write_text(config(broker.port, MQTT, PUMP) + ON)
    agent.process.send_signal(signal.SIGHUP)

    home.wait(lambda: home.states(second)[-1] is None, "the entity to go")
    assert home.state(PROBLEM) is not None
    assert agent.stop() == 0


def test_the_buttons_reach_the_agent(run, broker, home):
    allowed = '[requests]\nallow = ["ack", "snooze", "normal"]\n'
    agent = run(config(broker.port, MQTT, PUMP) + ON + allowed)
    home.wait(lambda: home.state(AGENT) == "on", "the entities and their subscriptions")
    wait_for(lambda: agent.said("source field: up"), "the subscription")
    with board(broker) as publish:
        for row in EPISODE[:120]:
            publish("sensors/pump1/readings", encode_readings(row))
        home.wait(lambda: home.state(PROBLEM) == "on", "the problem")
        for button in ("acknowledge", "snooze"):
            home.call(domain="button", service="press", data={"entity_id": f"button.gw_1_pump1_{button}"})

        def marked() -> bool:
            shown = [one["attributes"].get("open", []) for one in home.said if one.get("entity") == PROBLEM]
            return any(one["acknowledged"] and one["snoozed_until"] for open_ in shown for one in open_)

        home.wait(marked, "the marks in the state")
    assert agent.stop() == 0
