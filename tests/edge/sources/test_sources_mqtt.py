"""Readings over MQTT, from a real broker: boards, garbage, outages, refusals."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator

import paho.mqtt.client as paho
import pytest

from edge.sources.intake import Arrival, Intake
from edge.sources.mqtt import MqttReader
from edge.sources.settings import MqttSource, SourceError
from edge.wire.broker import BrokerSettings
from edge.wire.readings import Readings, encode_readings
from tests.helpers.mosquitto import Broker, wait_for

Read = Callable[..., tuple[Intake, list[Arrival]]]


@pytest.fixture
def read() -> Iterator[Read]:
    """Starts a source on a broker; its intake and the arrivals as they come."""
    with contextlib.ExitStack() as stack:

        def start(broker: BrokerSettings, **settings) -> tuple[Intake, list[Arrival]]:
            arrivals: list[Arrival] = []
            intake = Intake("field", lambda arrival, _wait: arrivals.append(arrival), {})
            reader = MqttReader(MqttSource(name="field", type="mqtt", **settings), intake, broker, "reader")
            reader.start()
            stack.callback(reader.stop)
            return intake, arrivals

        yield start


def publish(broker: Broker, *messages: tuple[str, bytes], retain: bool = False) -> None:
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for topic, payload in messages:
        client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


def frame(flow: float, time: float | None = None) -> bytes:
    return encode_readings(Readings({"flow": flow}, time))


def test_every_board_below_the_root_is_read_and_no_other_topic(read, broker):
    intake, arrivals = read(broker.settings, root="plant/hall-2")
    wait_for(lambda: intake.up, "the subscription")

    publish(
        broker,
        ("plant/hall-2/a/readings", frame(1)),
        ("plant/hall-2/b/readings", frame(2)),
        ("plant/hall-2/b/status", b"online"),
        ("plant/hall-2/x/b/readings", frame(3)),
        ("sensors/a/readings", frame(4)),
        ("plant/hall-2/a/readings", frame(5)),
    )

    wait_for(lambda: len(arrivals) == 3, "three frames")
    assert [(item.board, item.readings.values["flow"]) for item in arrivals] == [("a", 1), ("b", 2), ("a", 5)]


def test_garbage_is_counted_and_the_next_frame_read(read, broker):
    intake, arrivals = read(broker.settings, time_unit="ms")
    wait_for(lambda: intake.up, "the subscription")

    publish(
        broker,
        ("sensors/a/readings", b"\xff" * 100),
        ("sensors/a/readings", b"[" * 100_000),
        ("sensors/a/readings", frame(1, time=1500.0)),
    )

    wait_for(lambda: arrivals, "the good frame")
    assert intake.bad_frames == 2
    assert arrivals[0].readings.time == 1.5


def test_retained_readings_are_too_old_to_count(read, broker):
    publish(broker, ("sensors/a/readings", frame(1)), retain=True)
    intake, arrivals = read(broker.settings)
    wait_for(lambda: intake.up, "the subscription")

    publish(broker, ("sensors/a/readings", frame(2)))

    wait_for(lambda: arrivals, "the fresh frame")
    assert [item.readings.values["flow"] for item in arrivals] == [2]


def test_a_broker_that_restarts_or_comes_late_is_read_again(read, make_broker):
    broker = make_broker()
    intake, arrivals = read(broker.settings)
    wait_for(lambda: "no broker at" in str(intake.health().get("down")), "the failure")

    for flow in (1, 2):
        broker.start()
        wait_for(lambda: intake.up, "the subscription")
        publish(broker, ("sensors/a/readings", frame(flow)))
        wait_for(lambda flow=flow: len(arrivals) == flow, "the frame")
        broker.kill()
        wait_for(lambda: not intake.up, "the loss")


def test_a_refused_login_is_named(read, make_broker, tmp_path):
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "joe", "right"], check=True)
    broker = make_broker(("allow_anonymous false", f"password_file {passwords}")).start()

    intake, _ = read(broker.settings)

    wait_for(lambda: "Not authorized" in str(intake.health().get("down")), "the refusal")


def test_a_certificate_that_is_missing_is_refused_at_the_start(read, tmp_path):
    with pytest.raises(SourceError, match="certificates of localhost:8883"):
        read(BrokerSettings(port=8883, ca=tmp_path / "none.pem"))


def test_a_burst_is_read_whole_and_in_order(read, broker):
    intake, arrivals = read(broker.settings)
    wait_for(lambda: intake.up, "the subscription")

    publish(broker, *((f"sensors/{'ab'[number % 2]}/readings", frame(number)) for number in range(1000)))

    wait_for(lambda: len(arrivals) == 1000, "all frames")
    assert [item.readings.values["flow"] for item in arrivals] == list(range(1000))


def test_a_source_that_is_stopped_reads_no_more(broker):
    arrivals: list[Arrival] = []
    intake = Intake("field", lambda arrival, _wait: arrivals.append(arrival), {})
    reader = MqttReader(MqttSource(name="field", type="mqtt"), intake, broker.settings, "reader")
    reader.start()
    wait_for(lambda: intake.up, "the subscription")

    reader.stop()
    publish(broker, ("sensors/a/readings", frame(1)))

    assert arrivals == []
    assert "disconnected" in broker.log() or "closed" in broker.log()


@pytest.mark.parametrize(
    ("settings", "topic", "payload", "found"),
    [
        ({"format": "esphome"}, "boiler/sensor/flow/state", b"2.5", ("boiler", {"flow": 2.5})),
        ({"format": "zigbee2mqtt"}, "zigbee2mqtt/pump1", b'{"flow":2.5}', ("pump1", {"flow": 2.5})),
        (
            {"format": "mapped", "topics": ["up/+"], "values": {"flow": "a.f"}, "scale": {"flow": 0.1}},
            "up/p1",
            b'{"a":{"f":"25"}}',
            ("p1", {"flow": 2.5}),
        ),
        ({"topics": ["hall/+/data"]}, "hall/p1/data", b'{"values":{"flow":2.5}}', ("p1", {"flow": 2.5})),
    ],
)
def test_messages_of_other_devices_are_read_from_a_broker(read, broker, settings, topic, payload, found):
    intake, arrivals = read(broker.settings, **settings)
    wait_for(lambda: intake.up, "the subscription")

    publish(broker, (topic, b"\xff"), (topic, payload))

    wait_for(lambda: arrivals, "the message")
    assert (arrivals[0].board, dict(arrivals[0].readings.values)) == found
    assert intake.bad_frames == 1


def test_retained_messages_count_where_that_is_configured(read, broker):
    publish(broker, ("boiler/sensor/flow/state", b"2.5"), retain=True)

    _, arrivals = read(broker.settings, format="esphome", retained=True)

    wait_for(lambda: arrivals, "the retained message")
    publish(broker, ("boiler/sensor/flow/state", b""), retain=True)
