"""The demo's programs: they end with it, and their failures are told; both brokers; the recorder."""

import json
import sys

import paho.mqtt.client as paho
import pytest

from edge.wire.readings import Readings, encode_readings
from firmware_sim.demo.__main__ import main
from firmware_sim.demo.broker import HOST, broker
from firmware_sim.demo.plan import BOARD, DEVICE
from firmware_sim.demo.processes import DemoError, Processes
from firmware_sim.demo.recorder import Recorder
from tests.helpers.mosquitto import executable, wait_for

_SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
_STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('on'); time.sleep(600)",
]


def test_programs_end_with_the_demo_even_when_it_is_interrupted(tmp_path):
    programs = []

    def demo() -> None:
        with Processes(tmp_path) as processes:
            programs.append(processes.start("sleeper", _SLEEP))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo()
    assert programs[0].poll() is not None


def test_a_program_that_does_not_end_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("firmware_sim.demo.processes.STOP_S", 0.2)
    with Processes(tmp_path) as processes:
        program = processes.start("stubborn", _STUBBORN)
        wait_for(lambda: processes.log("stubborn").read_text(), "the program to ignore SIGTERM")

    assert program.poll() == -9


def test_a_program_that_fails_is_named_with_its_last_words(tmp_path):
    with Processes(tmp_path) as processes:
        processes.start("agent", [sys.executable, "-c", "raise SystemExit('no bundle there')"])
        with pytest.raises(DemoError, match="agent ended with status 1: no bundle there"):
            processes.wait_for(lambda: False, "the agent", 30.0)


def test_waiting_too_long_says_for_what(tmp_path):
    with Processes(tmp_path) as processes, pytest.raises(DemoError, match=r"waited 0.1 s for the moon"):
        processes.wait_for(lambda: False, "the moon", 0.1)


@pytest.mark.parametrize("use_amqtt", [False, True], ids=["mosquitto", "amqtt"])
def test_the_recorder_hears_readings_and_status_through_the_broker(tmp_path, use_amqtt):
    if not use_amqtt and executable() is None:
        pytest.skip("mosquitto is missing")
    with (
        Processes(tmp_path) as processes,
        broker(processes, tmp_path, use_amqtt) as (name, port),
        Recorder(HOST, port) as recorder,
    ):
        assert ("amqtt" in name) == use_amqtt
        assert recorder.subscribed.wait(10)
        board = paho.Client(paho.CallbackAPIVersion.VERSION2)
        board.connect(HOST, port)
        board.loop_start()
        board.publish(f"sensors/{BOARD}/readings", b"no json", qos=1)
        board.publish(f"sensors/{BOARD}/readings", encode_readings(Readings({"flow": 3.5}, 100.0)), qos=1)
        board.publish(f"offbeat/{DEVICE}/status", b"online", qos=1, retain=True)
        board.publish(f"offbeat/{DEVICE}/health", json.dumps({"rss_bytes": 1}), qos=1)
        wait_for(lambda: recorder.health, "the last message")
        board.disconnect()
        board.loop_stop()

    times, values = recorder.readings()
    assert times.tolist() == [100.0]
    assert values[0, 1] == 3.5
    assert recorder.status == "online"


def test_a_model_to_use_again_must_be_there(tmp_path, capsys):
    assert main(["--again", "--out", str(tmp_path)]) == 2

    assert "no model of an earlier demo" in capsys.readouterr().err
