"""What is not judged never looks calm: trouble in health, availability and log, and no state OFF."""

import json
import threading

import pytest

from edge.wire.readings import encode_readings
from tests.helpers.agent import EPISODE, MQTT, PUMP, board, config, folder, health, rows, run
from tests.helpers.mosquitto import wait_for

__all__ = ["folder", "run"]  # fixtures

CALM = rows(1000, 60)
STATE, AVAILABILITY = "offbeat/gw-1/pump1/state", "offbeat/gw-1/pump1/availability"


def states(listener) -> list[str]:
    return [json.loads(payload)["anomaly"] for payload in listener.on(STATE)]


def trouble(listener) -> str:
    return health(listener)["streams"]["pump1"]["trouble"] or ""


def send(publish, readings) -> None:
    for row in readings:
        publish("sensors/pump1/readings", encode_readings(row))


BLIND = {
    "text for values": lambda time: {"time": time, "values": {"flow": "err", "pressure": "err"}},
    "null for values": lambda time: {"time": time, "values": {"flow": None, "pressure": None}},
    "names that nobody knows": lambda time: {"time": time, "values": {"fluss": 1.0, "druck": 2.0}},
    "no values at all": lambda time: {"time": time, "values": {}},
    "a clock that stands": lambda _time: {"time": 1059.0, "values": {"flow": 2.0, "pressure": 1.0}},
    "a clock in milliseconds": lambda time: {"time": time * 1e3 + 1.7e12, "values": {"flow": 2.0, "pressure": 1.0}},
    "readings far apart": lambda time: {"time": 1000 + 20 * (time - 1000), "values": {"flow": 2.0, "pressure": 1.0}},
}


@pytest.mark.parametrize("kind", BLIND)
def test_a_board_that_goes_on_sending_what_cannot_be_judged_is_trouble(run, broker, listener, kind):
    agent = run(config(broker.port, MQTT, PUMP))
    wait_for(lambda: agent.said("source field: up"), "the subscription")
    stop, time = threading.Event(), 1060.0
    with board(broker) as publish:
        send(publish, CALM)
        wait_for(lambda: states(listener)[-1:] == ["OFF"], "a calm stream")
        while not (states(listener)[-1] == "unknown" and listener.on(AVAILABILITY)[-1] == b"offline") and time < 1200:
            publish("sensors/pump1/readings", json.dumps(BLIND[kind](time)).encode())
            time += 1.0
            stop.wait(0.1)
        wait_for(lambda: trouble(listener), "trouble in health")

    assert states(listener)[-1] == "unknown"
    assert listener.on(AVAILABILITY)[-1] == b"offline"
    assert agent.said("stream pump1: not judged: ")
    assert agent.stop() == 0


def test_a_stream_whose_window_fills_is_unknown_not_calm(run, broker, listener):
    agent = run(config(broker.port, MQTT, PUMP))
    wait_for(lambda: agent.said("source field: up"), "the subscription")

    with board(broker) as publish:
        send(publish, CALM[:5])
        wait_for(lambda: states(listener), "a state")
        assert set(states(listener)) == {"unknown"}
        send(publish, CALM[5:])
        wait_for(lambda: states(listener)[-1] == "OFF", "calm once it is judged")
    assert agent.stop() == 0


def test_a_channel_that_gives_nothing_while_others_do_is_named(run, broker, listener):
    agent = run(config(broker.port, MQTT, PUMP))
    wait_for(lambda: agent.said("source field: up"), "the subscription")
    pause, time = threading.Event(), 1060

    with board(broker) as publish:
        send(publish, CALM)
        while (
            "no usable value of channel pressure" not in (trouble(listener) if listener.heard else "") and time < 1300
        ):
            publish("sensors/pump1/readings", json.dumps({"time": time, "values": {"flow": 2.0}}).encode())
            time += 1
            pause.wait(0.1)

    assert "the others are judged" in trouble(listener)
    assert listener.on(AVAILABILITY)[-1] == b"online"
    assert agent.stop() == 0


def test_an_access_list_that_forbids_reading_is_silence_with_a_hint(run, make_broker, tmp_path):
    (tmp_path / "acl").write_text("topic write #\ntopic read offbeat/#\n")
    broker = make_broker(("allow_anonymous true", f"acl_file {tmp_path}/acl")).start()
    listener = broker.listen("#")
    agent = run(config(broker.port, MQTT, PUMP))
    wait_for(lambda: agent.said("source field: up"), "the subscription")

    with board(broker) as publish:
        send(publish, EPISODE)
        wait_for(lambda: "since the start" in trouble(listener), "trouble")

    assert "may this user read it?" in trouble(listener)
    assert states(listener)[-1] == "unknown"
    assert agent.stop() == 0
    listener.close()


def test_a_source_that_is_down_is_the_reason_of_its_streams(run, broker, listener):
    source = MQTT + "[source.broker]\nport = 1\n"
    agent = run(config(broker.port, source, PUMP))

    wait_for(lambda: "source field is down: no broker at localhost:1" in trouble(listener), "trouble")

    assert states(listener) == ["unknown"]
    assert agent.stop() == 0


def test_a_state_folder_that_cannot_be_written_is_said_at_the_start(run, folder, broker, listener):
    (folder / "state").write_text("a file where the folder should be")

    agent = run(config(broker.port, MQTT, PUMP))

    wait_for(lambda: agent.said("takes no events ("), "the folder in the log")
    wait_for(lambda: health(listener)["outbox"]["accepting"] is False, "and in health")
    assert agent.stop() == 0
