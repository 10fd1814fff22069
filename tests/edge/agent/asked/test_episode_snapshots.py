"""Snapshots of episodes, by an agent that is a process of its own, over a real broker."""

import json

import jsonschema
import pytest

from edge.wire.readings import encode_readings
from edge.wire.snapshot import Part, Series, Snapshot, encode_snapshot, snapshot_schema
from tests.helpers.agent import EPISODE, MQTT, PUMP, board, config, events, folder, run
from tests.helpers.mosquitto import wait_for

__all__ = ["folder", "run"]

TOPIC = "offbeat/gw-1/pump1/snapshot"
ALLOWED = '[requests]\nallow = ["snapshot"]\n'


def test_an_episode_is_shown_with_its_new_its_end_and_when_it_is_asked_for(run, broker, listener):
    agent = run(ALLOWED + config(broker.port, MQTT, PUMP))
    wait_for(lambda: agent.said("source field: up"), "the subscription")
    with board(broker) as publish:
        for row in EPISODE[:115]:
            publish("sensors/pump1/readings", encode_readings(row))
        wait_for(lambda: listener.on(TOPIC), "the first snapshot")
        event_id = events(listener)[0]["id"]
        publish("offbeat/gw-1/request/snapshot", json.dumps({"event_id": event_id}).encode())
        wait_for(lambda: len(listener.on(TOPIC)) == 2, "the one that was asked for")
        for row in EPISODE[115:]:
            publish("sensors/pump1/readings", encode_readings(row))
        wait_for(lambda: len(listener.on(TOPIC)) == 3, "the last one")
    assert agent.stop() == 0

    new, asked, end = (json.loads(payload) for payload in listener.on(TOPIC))
    for body in (new, asked, end):
        jsonschema.validate(body, snapshot_schema())
        assert (body["event_id"], body["stream"], body["device"]) == (event_id, "pump1", "gw-1")
    assert [body["occasion"] for body in (new, asked, end)] == ["new", "request", "end"]
    assert [[part["around"] for part in body["parts"]] for body in (new, asked, end)] == [
        ["start"],
        ["start", "peak"],
        ["start", "peak"],
    ]
    start, peak = end["parts"]
    assert start["time"][-1] == events(listener)[0]["time"]
    assert peak["time"][0] <= events(listener)[-1]["peak"]["time"] <= peak["time"][-1]
    flow = start["channels"][0]
    assert flow["channel"] == "flow"
    assert flow["value"][-1] == pytest.approx(EPISODE[int(start["time"][-1]) - 1000].values["flow"], rel=1e-4)
    assert flow["expected"][-1] is not None
    assert flow["tolerance"][-1] > 0


def shot(channels: int, rows: int) -> Snapshot:
    figures = (1.2345,) * rows
    series = tuple(Series(f"channel_{n}", "mm/s", figures, figures, figures) for n in range(channels))
    part = Part("start", tuple(1_767_225_600.0 + n for n in range(rows)), figures, series)
    return Snapshot("e1", "gw-1", "p1", "anomaly", "end", 1.0, (part, part))


@pytest.mark.parametrize(("channels", "rows"), [(3, 60), (52, 60), (500, 60), (1, 60), (500, 1)])
def test_a_snapshot_is_bounded_and_says_what_it_leaves_out(channels, rows):
    payload = encode_snapshot(shot(channels, rows))
    body = json.loads(payload)

    jsonschema.validate(body, snapshot_schema())
    assert len(payload) <= 65_536
    assert len(body["parts"][0]["channels"]) + body["omitted_channels"] == channels
    assert body["parts"][0]["channels"][0]["channel"] == "channel_0"
    assert (body["omitted_channels"], body["every"]) == (0, 1) or channels > 3
