"""The examples run, with the committed bundle and a real broker, and do what they say."""

import json
import subprocess
import sys

import pytest
from paho.mqtt import publish

from edge import Detector
from edge.examples import calibrate_device, score_readings
from edge.wire.events import EventMessage, encode_message
from edge.wire.topics import DeviceTopics
from firmware_sim.__main__ import main as simulate
from tests.helpers.alerts import alert
from tests.helpers.documents import ROOT
from tests.helpers.mosquitto import Broker, wait_for

PUMP = "models/pump"


@pytest.fixture
def faulty(tmp_path) -> str:
    """A quarter of an hour with a fault in the middle."""
    path = tmp_path / "fault.csv"
    assert simulate(["csv", "--out", str(path), "--duration", "15m", "--seed", "5", "--fault", "cavitation@5m+5m"]) == 0
    return str(path)


def test_scoring_a_file_prints_rows_in_alarm_and_whole_episodes(faulty, capsys):
    score_readings.main(PUMP, faulty)

    lines = capsys.readouterr().out.splitlines()
    events = [line.split() for line in lines if "score" not in line]
    new = [id_ for _, what, _, id_ in events if what == "new"]
    assert new
    assert sorted(new) == sorted(id_ for _, what, _, id_ in events if what == "end")
    assert any("score" in line and "expected" in line for line in lines)


def test_calibrating_writes_a_state_that_another_detector_goes_on_with(tmp_path, capsys):
    normal, state = tmp_path / "normal.csv", tmp_path / "pump-7.json"
    assert simulate(["csv", "--out", str(normal), "--duration", "30m", "--seed", "6", "--quiet"]) == 0

    calibrate_device.main(PUMP, str(normal), str(state))

    assert "pump is calibrated" in capsys.readouterr().out
    detector = Detector.load(PUMP)
    detector.restore(json.loads(state.read_text("utf-8")))
    assert detector.snapshot()["calibration"] is not None


def test_reading_alerts_prints_each_alert(broker: Broker):
    event = alert(1)
    payload = encode_message(EventMessage(event, "gw-1", "log", 1))
    program = [sys.executable, "-u", "-m", "edge.examples.read_alerts", "127.0.0.1", str(broker.port)]
    with subprocess.Popen(program, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as running:
        try:
            wait_for(lambda: "SUBSCRIBE" in broker.log(), "the example to subscribe")
            publish.single(DeviceTopics("gw-1").event(event.stream), payload, 1, hostname="127.0.0.1", port=broker.port)
            assert running.stdout is not None
            line = running.stdout.readline()
        finally:
            running.terminate()

    assert line.startswith(f"gw-1/{event.stream}: {event.event_type} {event.kind}")
