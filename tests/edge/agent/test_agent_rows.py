"""The request `rows` to an agent that is a process of its own, over a real broker, and its archive."""

import gzip
import json

import pytest

from edge.history.keeper import Rows
from edge.wire.readings import encode_readings
from tests.helpers.agent import EPISODE, MQTT, PUMP, board, config, first_episode, folder, run
from tests.helpers.mosquitto import wait_for

__all__ = ["folder", "run"]
ALLOWED = '[requests]\nallow = ["rows"]\n[history]\nrecent_rows = 150\nbefore_rows = 40\narchive_bytes = 1000000\n'
STREAM = f"{PUMP}max_future_s = inf\n"


def asked(broker, listener, **fields) -> dict:
    before = len(listener.on("offbeat/gw-1/response/rows"))
    with board(broker) as publish:
        publish("offbeat/gw-1/request/rows", json.dumps(fields).encode())
    wait_for(lambda: len(listener.on("offbeat/gw-1/response/rows")) > before, "an answer")
    return json.loads(listener.on("offbeat/gw-1/response/rows")[-1])


def send(broker) -> None:
    with board(broker) as publish:
        for readings in EPISODE:
            publish("sensors/pump1/readings", encode_readings(readings))


def test_rows_around_an_alert_are_served_and_survive_a_restart(broker, listener, run, folder):
    settings = config(broker.port, MQTT, STREAM) + ALLOWED
    agent = run(settings)
    agent.wait_ready()
    send(broker)
    event = first_episode(listener)[-1]

    # The end is sent first, and written to the rows' file then.
    wait_for(lambda: (kept := Rows(folder / "state").around(event["id"])) and kept.end_time, "the end of the rows")
    around = asked(broker, listener, event_id=event["id"], transaction=7)
    recent = asked(broker, listener, stream="pump1", since=1150.0)
    refused = asked(broker, listener, event_id="none")

    data = around["data"]
    assert (around["status"], around["transaction"]) == ("ok", 7)
    assert (data["stream"], data["kind"], data["end_time"]) == ("pump1", "anomaly", event["end_time"])
    at = data["times"].index(1110.0)
    usual = EPISODE[110]
    assert usual.time == 1110.0
    assert data["values"]["flow"][at] == pytest.approx(usual.values["flow"], rel=1e-6)
    assert data["scores"][at] > 1.0
    assert abs(data["expected"]["flow"][at] - data["values"]["flow"][at]) > data["tolerance"]["flow"][at] > 0
    assert data["times"][0] == event["start_time"] - 40
    assert data["times"][-1] == event["time"]
    assert recent["data"]["times"][0] == 1150.0
    assert refused["status"] == "error"
    assert "no rows are kept of an episode none" in refused["message"]

    assert agent.stop() == 0
    (file,) = (folder / "state/archive/pump1").iterdir()
    lines = gzip.decompress(file.read_bytes()).decode().splitlines()
    assert lines[0] == 'time,"flow","pressure"'
    assert len(lines) >= 190

    before = len(listener.on("offbeat/gw-1/health"))
    run(settings)
    wait_for(lambda: len(listener.on("offbeat/gw-1/health")) > before, "the agent to be connected again")
    assert asked(broker, listener, event_id=event["id"])["data"] == data
    kept = Rows(folder / "state").around(event["id"])
    assert kept is not None
    assert len(kept) == data["rows"]


def test_without_leave_rows_are_kept_and_not_served(broker, listener, run, folder):
    agent = run(config(broker.port, MQTT, STREAM))
    agent.wait_ready()
    send(broker)
    event = first_episode(listener)[-1]
    wait_for(lambda: (kept := Rows(folder / "state").around(event["id"])) and kept.end_time, "the end of the rows")

    answer = asked(broker, listener, event_id=event["id"])

    assert answer["status"] == "error"
    assert "not allowed" in answer["message"]
    kept = Rows(folder / "state").around(event["id"])
    assert kept is not None
    assert len(kept) > 30
    assert not (folder / "state/archive").exists()
