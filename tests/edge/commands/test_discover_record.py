"""From a broker with strangers' sensors to settings and to a training file."""

import argparse
import threading

import numpy as np
import paho.mqtt.client as paho
import pytest

from edge.commands.discover import discover, told, whole
from edge.commands.record import Recorder, record, record_sources
from edge.commands.survey import Survey
from edge.config.settings import load_config
from edge.sources.formats.mapped import matches
from edge.sources.formats.message import Message
from edge.sources.intake import Arrival, Intake
from edge.sources.messages import Messages
from edge.wire.broker import BrokerSettings
from edge.wire.readings import Readings
from train.read.tables import ReadOptions, read_table

START = 1_709_539_200.0


def test_what_is_heard_is_listed_with_rates_and_settings_to_paste():
    survey = Survey()
    for second in range(5):
        survey.take(Message("boiler/sensor/flow/state", b"2.5"), float(second))
        survey.take(Message("sensors/pump1/readings", b'{"values":{"vibration":1}}'), float(second))
        survey.take(Message("unknown/thing", b"hello"), float(second))

    table, settings = told(survey, None)
    text = "\n".join([*table, *settings])

    assert "esphome         boiler                  flow                                      1 s  2.5" in text
    assert '[[source]]\nname = "esphome"\ntype = "mqtt"\nformat = "esphome"' in text
    assert '[[stream]]\nid = "pump1"\nsource = "offbeat"\nbundle = "bundles/pump1"' in text
    assert "unknown/thing: hello" in text


def test_recorded_files_are_read_by_train(tmp_path):
    recorder = Recorder(tmp_path, 10**9, wall=lambda: START)
    for second in range(50):
        for channel in ("a", "b"):
            recorder.take(Arrival("s", "pump1", Readings({channel: second / 7}, START + second), float(second), START))
    recorder.close()

    (file,) = tmp_path.glob("*.csv.gz")
    table = read_table(file, ReadOptions())

    assert file.name == "pump1-2024-03-04T080000.csv.gz"
    assert table.channels == ("a", "b")
    np.testing.assert_array_equal(table.values[:, 0], np.arange(50) / 7)
    assert table.times[0] == START


def test_the_oldest_files_go_where_there_are_too_many_bytes(tmp_path):
    day = [START]
    recorder = Recorder(tmp_path, 200, wall=lambda: day[0])
    for number in range(4):
        day[0] = START + 86400 * number
        for second in range(100):
            recorder.take(Arrival("s", "p", Readings({"a": second * 1.1}), 20.0 * (100 * number + second), day[0]))
    recorder.close()

    assert "p-2024-03-04T080000.csv.gz" not in {path.name for path in tmp_path.iterdir()}
    assert "p-2024-03-07T080000.csv.gz" in {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("command", [discover, record])
def test_a_broker_is_listened_to(broker, tmp_path, command, monkeypatch):
    monkeypatch.setattr("signal.signal", lambda *_: None)
    said: list[str] = []
    options = argparse.Namespace(seconds=3.0, bundle=None, format="esphome", topic=[], out=tmp_path, max_bytes=10**6)
    options.write = options.config = options.password_file = None
    listening = threading.Thread(target=command, args=(options, broker.settings, said.append))
    listening.start()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    while listening.is_alive():
        client.publish("boiler/sensor/flow/state", b"2.5", qos=1)
        listening.join(0.3)
    client.loop_stop()

    text = "\n".join(said)
    assert "boiler" in text if command is discover else " values in " in text
    assert command is discover or list(tmp_path.glob("boiler-*.csv.gz"))


def test_sources_of_any_type_are_recorded_without_a_bundle(tmp_path, monkeypatch):
    monkeypatch.setattr("signal.signal", lambda *_: None)
    (tmp_path / "sensors/iio:device0").mkdir(parents=True)
    (tmp_path / "sensors/iio:device0/in_temp_input").write_text("21500\n")
    tables = tmp_path / "sources.toml"
    tables.write_text(
        '[[source]]\nname = "bus"\ntype = "iio"\nroot = "sensors"\ndevices = ["iio:device0"]\n'
        'board = "rack"\nperiod_s = 0.1\n'
        '[source.channels]\ntemp = "inlet"\n'
    )
    said: list[str] = []
    options = argparse.Namespace(sources=tables, seconds=1.0, out=tmp_path / "out", max_bytes=10**6)

    assert record_sources(options, said.append) == 0

    (file,) = (tmp_path / "out").glob("rack-*.csv.gz")
    table = read_table(file, ReadOptions())
    assert table.channels == ("inlet",)
    assert set(table.values[:, 0]) == {21500.0}
    assert " values in " in said[0]


@pytest.mark.parametrize("text", ["", '[[source]]\nname = "tape"\ntype = "file"\npath = "x.csv"\n', "[[source]]\n"])
def test_sources_that_cannot_be_recorded_are_refused(tmp_path, text):
    tables = tmp_path / "sources.toml"
    tables.write_text(text)
    said: list[str] = []

    assert record_sources(argparse.Namespace(sources=tables, out=tmp_path), said.append) == 2
    assert str(tables) in said[0]


def test_what_discover_prints_steers_no_terminal(monkeypatch):
    def heard(_broker, _seconds, survey, _stop) -> None:
        survey.take(Message("odd/\x1b]0;x/\u202e", b"\xc2\x9b2J\x1b[1m"), 1.0)
        survey.take(Message("sensors/p1/readings", '{"values":{"fl\u009bow":1}}'.encode()), 1.0)

    monkeypatch.setattr("edge.commands.discover.listen", heard)
    lines: list[str] = []
    options = argparse.Namespace(seconds=1.0, bundle=None, write=None)

    discover(options, BrokerSettings(), lines.append)

    assert any("odd/?]0;x/?: ?2J?[1m" in line for line in lines)
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("homeassistant/sensor/flow/state", "homeassistant"),
        ("boiler/sensor/flow/state", "esphome"),
        ("tele/boiler/SENSOR", "tasmota"),
        ("shellies/boiler/temperature", "shelly"),
    ],
)
def test_a_topic_that_two_formats_could_have_is_that_of_the_closer_one(topic, name):
    survey = Survey()
    survey.take(Message(topic, b"{}" if "SENSOR" in topic else b"2.5"), 0.0)
    survey.take(Message(topic, b'{"S":{"T":2.5}}' if "SENSOR" in topic else b"2.5"), 1.0)

    assert [found for found, _ in survey.boards] == [name]


def test_what_only_the_broker_remembers_is_listed_and_not_watched():
    survey = Survey()
    survey.take(Message("gone/sensor/flow/state", b"2.5"), 0.0, retained=True)
    survey.take(Message("gone/status", b"offline"), 0.0)

    table, settings = told(survey, None)

    assert "retained" in table[1]
    assert settings == []


EVERY = {
    "offbeat": ("sensors/status/readings", b'{"values":{"flow":2.0,"pressure":5.0}}', "status"),
    "zigbee2mqtt": ("zigbee2mqtt/pump 1", b'{"flow":2.0,"pressure":5.0}', "pump_1"),
    "tasmota": ("tele/pump_1/SENSOR", b'{"flow":2.0,"pressure":5.0}', "pump_1"),
    "influx": ("telegraf/pump3/m", b"m,host=pump3 flow=2,pressure=5 1709539200000000000", "pump3"),
    "chirpstack": (
        "application/1/device/0102/event/up",
        b'{"time":"2024-03-04T08:00:00Z","object":{"flow":2.0,"pressure":5.0}}',
        "0102",
    ),
    "thethingsstack": (
        "v3/app@ttn/devices/node-1/up",
        b'{"received_at":"2024-03-04T08:00:00Z","uplink_message":{"decoded_payload":{"flow":2.0,"pressure":5.0}}}',
        "node-1",
    ),
}


def test_the_settings_that_are_printed_read_every_board_that_was_heard(broker, tmp_path):
    survey = Survey()
    for topic, payload, _ in EVERY.values():
        survey.take(Message(topic, payload), 0.0)
    file = tmp_path / "agent.toml"
    file.write_text(whole(broker.settings, None, told(survey, None)[1]))

    config = load_config(file)
    streams = {stream.source: stream for stream in config.stream}
    assert {name: stream.board for name, stream in streams.items()} == {name: one[2] for name, one in EVERY.items()}
    assert len({stream.id for stream in config.stream}) == len(EVERY)
    assert streams["tasmota"].time_from == streams["offbeat"].time_from == "arrival"
    assert streams["chirpstack"].time_from == streams["influx"].time_from == "reading"
    for source in config.source:
        arrivals: list[Arrival] = []
        messages = Messages(source, Intake(source.name, lambda one, _wait, to=arrivals: to.append(one), {}))
        topic, payload, board = EVERY[source.name]
        assert any(matches(pattern, topic.split("/")) for pattern in messages.topics)
        messages.take(topic, payload, False)
        assert [one.board for one in arrivals] == [board]
        assert sorted(arrivals[0].readings.values.values()) == [2.0, 5.0]


def test_a_file_that_is_there_is_not_written_over(tmp_path):
    file = tmp_path / "agent.toml"
    file.write_text("mine")
    said: list[str] = []
    options = argparse.Namespace(write=file, seconds=0.0, bundle=None, password_file=None)

    assert discover(options, BrokerSettings(), said.append) == 2
    assert "is there already" in said[0]
    assert file.read_text() == "mine"
