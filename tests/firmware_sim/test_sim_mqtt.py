"""MQTT against a real Mosquitto."""

import json
import threading
from itertools import pairwise

import pytest

from edge.wire.broker import BrokerSettings
from edge.wire.readings import Readings, decode_readings
from firmware_sim.__main__ import main
from firmware_sim.links.errors import LinkError
from firmware_sim.links.mqtt import MqttLink
from firmware_sim.machine.channels import NAMES
from tests.helpers.mosquitto import wait_for

START = "2026-01-05T00:00:00Z"
OPTIONS = ("--speed", "max", "--start", START, "--quiet")


def test_every_reading_arrives_once_in_order_in_the_payload_of_the_wire(broker, listener):
    assert main(["mqtt", "--port", str(broker.port), "--duration", "10m", *OPTIONS]) == 0

    wait_for(lambda: len(listener.on("sensors/pump1/readings")) == 600, "600 readings")
    readings = [decode_readings(payload) for payload in listener.on("sensors/pump1/readings")]
    assert [reading.seq for reading in readings] == list(range(600))
    assert set(readings[0].values) == set(NAMES)
    assert all(0.8 < later.time - earlier.time < 1.2 for earlier, later in pairwise(readings))
    assert 1767571200.0 < readings[0].time < 1767571201.0


def test_two_boards_send_on_topics_of_their_own_and_side_by_side(broker, listener):
    main(["mqtt", "--port", str(broker.port), "--duration", "1m", "--boards", "2", "--root", "plant", *OPTIONS])

    wait_for(lambda: len(listener.heard) == 120, "120 readings")
    topics = [heard.topic for heard in listener.heard]
    assert set(topics[:4]) == {"plant/pump1/readings", "plant/pump2/readings"}
    assert topics.count("plant/pump1/readings") == 60


def test_equal_seeds_send_equal_payloads(broker, listener):
    for _ in range(2):
        main(["mqtt", "--port", str(broker.port), "--duration", "2m", "--seed", "7", *OPTIONS])

    wait_for(lambda: len(listener.heard) == 240, "240 readings")
    payloads = [heard.payload for heard in listener.heard]
    assert payloads[:120] == payloads[120:]


def test_no_broker_is_one_line_and_exit_code_2(broker, capsys):
    broker.kill()

    assert main(["mqtt", "--port", str(broker.port)]) == 2

    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"{broker.port} cannot be reached" in error


def test_a_refused_user_is_told_so(make_broker, tmp_path, capsys):
    (tmp_path / "passwords").write_text("")
    broker = make_broker((f"password_file {tmp_path / 'passwords'}", "allow_anonymous false")).start()

    assert main(["mqtt", "--port", str(broker.port)]) == 2

    assert "Not authorized; see --username" in capsys.readouterr().err


def test_what_listens_but_is_no_broker_is_told_so():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        link = MqttLink(BrokerSettings(host="127.0.0.1", port=server.getsockname()[1]), threading.Event())
        with pytest.raises(LinkError, match="gave no answer"):
            link.open(timeout_s=0.3)
        link.close()


@pytest.mark.parametrize("qos", [0, 1])
def test_while_the_broker_is_away_readings_are_lost_and_counted_then_it_goes_on(broker, listener, qos):
    link = MqttLink(broker.settings, threading.Event(), qos)
    link.open()
    link.send("b", Readings({"x": 1.0}))
    wait_for(lambda: listener.on("sensors/b/readings"), "the first reading")

    broker.kill()
    wait_for(lambda: not link.client.is_connected(), "the loss of the connection")
    link.send("b", Readings({"x": 2.0}))
    broker.start()
    wait_for(link.client.is_connected, "the connection")
    wait_for(lambda: listener.subscribed == 2, "the listener, which hears no message of QoS 0 while it is away")
    link.send("b", Readings({"x": 3.0}))

    wait_for(lambda: len(listener.on("sensors/b/readings")) == 2, "the last reading")
    link.close()
    assert [json.loads(payload)["values"]["x"] for payload in listener.on("sensors/b/readings")] == [1.0, 3.0]
    assert link.lost == 1
