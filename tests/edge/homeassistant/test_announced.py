"""An agent with a real broker: what it announces to Home Assistant comes, comes again, and goes."""

import json

from tests.helpers.agent import MQTT, PUMP, board, config, folder, reload_signal, run
from tests.helpers.mosquitto import wait_for

__all__ = ["folder", "run"]  # fixtures
ON = "[homeassistant]\ndiscovery = true\n"
SECOND = 'id = "pump2"\nbundle = "tiny"\nsource = "field"\n'
PUMP1, PUMP2 = (f"homeassistant/device/offbeat_gw-1_{stream}/config" for stream in ("pump1", "pump2"))


def last(listener, topic: str) -> bytes | None:
    return next(reversed(listener.on(topic)), None)


def test_each_stream_is_announced_and_again_when_home_assistant_starts(run, broker, listener):
    agent = run(config(broker.port, MQTT, PUMP, SECOND) + ON)

    wait_for(lambda: last(listener, PUMP1) and last(listener, PUMP2), "both announcements")
    assert json.loads(last(listener, PUMP1))["device"]["model"] == "tiny"

    with board(broker) as publish:
        publish("homeassistant/status", b"online")
    wait_for(lambda: len(listener.on(PUMP1)) == len(listener.on(PUMP2)) == 2, "both once more")
    assert agent.stop() == 0


def test_a_stream_that_goes_is_taken_back(run, broker, listener):
    agent = run(config(broker.port, MQTT, PUMP, SECOND) + ON)
    wait_for(lambda: last(listener, PUMP2), "the announcement")

    (agent.folder / "agent.toml").write_text(config(broker.port, MQTT, PUMP) + ON)
    reload_signal(agent)

    wait_for(lambda: last(listener, PUMP2) == b"", "the empty announcement")
    assert last(listener, PUMP1)
    assert agent.stop() == 0


def test_what_went_while_the_agent_was_off_is_taken_back(run, broker, listener):
    first = run(config(broker.port, MQTT, PUMP, SECOND) + ON)
    wait_for(lambda: last(listener, PUMP2), "the announcement")
    assert first.stop() == 0

    agent = run(config(broker.port, MQTT, PUMP))  # without Home Assistant

    wait_for(lambda: last(listener, PUMP1) == last(listener, PUMP2) == b"", "empty announcements", 30)
    assert agent.stop() == 0
