"""What is no longer served leaves no retained topic that lies, whenever the broker is there."""

import json
from pathlib import Path

import pytest

from edge.agent.left_behind import KeptTopics
from edge.wire.topics import DeviceTopics
from tests.helpers.agent import MQTT, PUMP, config, folder, reload_signal, run
from tests.helpers.mosquitto import wait_for

__all__ = ["folder", "run"]

ROOT = "offbeat/gw-1"


class Broker:
    """What it has retained; it takes nothing while it is away."""

    def __init__(self) -> None:
        self.retained: dict[str, bytes] = {}
        self.there = True

    def retain(self, topic: str, payload: bytes, urgent: bool = True) -> None:  # noqa: ARG002
        if self.there:
            self.retained[topic] = payload

    def holds(self, topic: str, payload: bytes) -> bool:
        return self.retained.get(topic) == payload


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def kept(path: Path, clock: Clock, device: str = "gw-1") -> KeptTopics:
    return KeptTopics(path / "served.json", DeviceTopics(device), clock)


def later(topics: KeptTopics, broker: Broker, clock: Clock) -> list[str]:
    """Two looks, long enough after whatever was before."""
    clock.now += 11.0
    taken = topics.look(broker)
    return taken + topics.look(broker)


def test_a_stream_removed_while_the_agent_was_off_is_cleared_after_a_while(tmp_path):
    clock, broker = Clock(), Broker()
    kept(tmp_path, clock).now(["pump1", "pump2"])

    again = kept(tmp_path, clock)
    again.now(["pump1"])

    assert again.look(broker) == []
    assert later(again, broker, clock) == ["pump2", "pump2"], "its two topics"
    assert broker.retained == {f"{ROOT}/pump2/availability": b"", f"{ROOT}/pump2/state": b""}
    assert later(again, broker, clock) == [], "once"


def test_a_broker_that_is_away_until_after_the_next_start_gets_it_then(tmp_path):
    clock, broker = Clock(), Broker()
    kept(tmp_path, clock).now(["pump1", "pump2"])
    broker.there = False
    for _ in range(3):
        again = kept(tmp_path, clock)
        again.now(["pump1"])
        later(again, broker, clock)
    broker.there = True

    last = kept(tmp_path, clock)
    last.now(["pump1"])
    later(last, broker, clock)

    assert set(broker.retained) == {f"{ROOT}/pump2/availability", f"{ROOT}/pump2/state"}
    assert json.loads((tmp_path / "served.json").read_text())[0]["clear"] == []


def test_a_stream_that_comes_back_is_not_cleared(tmp_path):
    clock, broker = Clock(), Broker()
    topics = kept(tmp_path, clock)
    for streams in (["pump1", "pump2"], ["pump1"], ["pump1", "pump2"]):
        topics.now(streams)

    assert later(topics, broker, clock) == []
    assert broker.retained == {}


def test_a_device_that_was_renamed_takes_all_its_topics_back(tmp_path):
    clock, broker = Clock(), Broker()
    kept(tmp_path, clock).now(["pump1"])

    again = kept(tmp_path, clock, device="gw-2")
    again.now(["pump1"])

    assert later(again, broker, clock) == [], "none of its own"
    assert set(broker.retained) == {
        f"{ROOT}/{name}" for name in ("pump1/state", "pump1/availability", "status", "info", "group")
    }


@pytest.mark.parametrize("content", ["", "{", "7", "[7]", '[{"root": 1}]', '[{"root":"r","device":"d","streams":7}]'])
def test_a_file_that_is_none_is_said_and_written_anew(tmp_path, caplog, content):
    (tmp_path / "served.json").write_text(content)

    kept(tmp_path, Clock()).now(["pump1"])

    assert "cannot be read" in caplog.text
    assert json.loads((tmp_path / "served.json").read_text())[0]["streams"] == ["pump1"]


def test_a_file_of_before_has_nothing_to_clear_yet(tmp_path):
    (tmp_path / "served.json").write_text('[{"root":"offbeat","device":"gw-1","streams":["pump2"]}]')
    clock, broker = Clock(), Broker()
    topics = kept(tmp_path, clock)

    topics.now(["pump1"])
    later(topics, broker, clock)

    assert len(broker.retained) == 2


def test_a_real_broker_keeps_nothing_of_streams_removed_while_the_agent_was_off_or_runs(run, broker):
    two, three = (PUMP.replace("pump1", name) for name in ("pump2", "pump3"))
    agent = run(config(broker.port, MQTT, PUMP, two, three))
    agent.wait_ready()
    everything = broker.listen("offbeat/#")
    wait_for(lambda: everything.on(f"{ROOT}/pump2/availability"), "what is retained")
    assert agent.stop() == 0

    again = run(config(broker.port, MQTT, PUMP, three))
    wait_for(lambda: again.said("ready: pump1, pump3"), "the second start")
    (again.folder / "agent.toml").write_text(config(broker.port, MQTT, PUMP))
    reload_signal(again)
    wait_for(lambda: again.said("reload: 1 streams"), "the reload")
    gone = [f"{ROOT}/{name}/availability" for name in ("pump2", "pump3")]
    wait_for(lambda: all(everything.on(topic)[-1] == b"" for topic in gone), "the clearing", 25.0)
    everything.close()

    late = broker.listen("offbeat/+/+/availability", "offbeat/+/+/state")
    wait_for(lambda: late.on(f"{ROOT}/pump1/availability"), "what is retained still")
    assert {heard.topic.split("/")[2] for heard in late.heard} == {"pump1"}
    late.close()
    assert again.stop() == 0
