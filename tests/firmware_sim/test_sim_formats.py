"""The board's messages as devices send them: through a real Mosquitto into the agent's source with that preset."""

import threading
import tomllib
from collections.abc import Iterator

import pytest

from edge.sources.intake import Arrival, Intake
from edge.sources.mqtt import MqttReader
from edge.sources.settings import MqttSource
from edge.wire.readings import Readings
from firmware_sim.__main__ import main
from firmware_sim.board.fleet import messages
from firmware_sim.board.plan import plan_run
from firmware_sim.formats.choosing import FORMATS, source_of
from firmware_sim.formats.sparkplug import Sparkplug
from firmware_sim.links.mqtt import MqttDevices, MqttLink
from firmware_sim.machine.channels import NAMES
from firmware_sim.options.arguments import build_parser
from tests.helpers.mosquitto import wait_for

START = "2026-01-05T00:00:00Z"
RUN = ["--duration", "2m", "--boards", "2", "--missing", "0.05", "--speed", "max", "--start", START]
OTHERS = [name for name in FORMATS if name != "offbeat"]


def settings_of(name: str) -> MqttSource:
    """The `[[source]]` that the simulator prints."""
    return MqttSource(**tomllib.loads(source_of(name, NAMES))["source"][0], qos=1)


@pytest.fixture
def hear(broker) -> Iterator:
    """Starts the agent's source of a format; what arrives."""
    readers: list[MqttReader] = []

    def start(settings: MqttSource) -> tuple[Intake, list[Arrival]]:
        arrivals: list[Arrival] = []
        intake = Intake("field", lambda arrival, _wait: arrivals.append(arrival), settings.channels)
        readers.append(MqttReader(settings, intake, broker.settings, f"reader{len(readers)}"))
        readers[-1].start()
        wait_for(lambda: intake.up, "the subscription")
        return intake, arrivals

    yield start
    for reader in readers:
        reader.stop()


def by_board(pairs) -> dict[str, list[tuple[float | None, dict[str, float]]]]:
    found: dict[str, list] = {}
    for board, readings in pairs:
        found.setdefault(board, []).append((readings.time, dict(readings.values)))
    return found


@pytest.mark.parametrize("name", OTHERS)
def test_the_preset_gives_the_readings_of_the_own_format(name, broker, hear):
    sent = by_board(
        (board, one.readings) for one, board in messages(plan_run(build_parser().parse_args(["mqtt", *RUN])))
    )
    total = sum(len(values) for rows in sent.values() for _, values in rows)

    intake, arrivals = hear(settings_of(name))
    assert main(["mqtt", "--port", str(broker.port), "--format", name, "--quiet", *RUN]) == 0

    wait_for(lambda: sum(len(one.readings.values) for one in arrivals) >= total, f"{total} values")
    assert intake.bad_frames == 0
    # At its end a board says that it is offline, which has no values.
    heard = by_board((one.board, one.readings) for one in arrivals if one.readings.values)
    assert heard.keys() == sent.keys() == {"pump1", "pump2"}
    for board, rows in sent.items():
        if name == "esphome":  # a message a channel
            assert [pair for _, values in rows for pair in values.items()] == [
                pair for _, values in heard[board] for pair in values.items()
            ]
            continue
        assert [values for _, values in heard[board]] == [values for _, values in rows]
        if FORMATS[name](NAMES, "").time_told:
            assert [time for time, _ in heard[board]] == pytest.approx([time for time, _ in rows], abs=1e-6)
        else:
            assert {time for time, _ in heard[board]} == {None}


def test_a_format_that_carries_no_time_is_said_to_and_the_source_to_paste_is_shown(broker, capsys):
    assert main(["mqtt", "--port", str(broker.port), "--format", "tasmota", "--duration", "5", "--speed", "max"]) == 0

    told = capsys.readouterr().err
    assert "tasmota sends no time" in told
    assert 'format = "tasmota"' in told
    assert '"PUMP.flow" = "flow"' in told


def test_google_s_protobuf_reads_the_sparkplug_payloads_by_the_published_field_numbers():
    payload = sparkplug_payload()
    encoder = Sparkplug(("flow", "pressure"))
    encoder.connected("pump1")
    birth, data = (
        payload.FromString(encoder.encode("pump1", Readings(values, time))[0].payload)
        for values, time in (({"flow": -2.5}, 1709539200.25), ({"pressure": 3.0}, 1709539201.0))
    )

    assert (birth.timestamp, birth.seq, data.seq) == (1709539200250, 0, 1)
    assert [(one.name, one.alias, one.datatype) for one in birth.metrics] == [
        ("bdSeq", 0, 4), ("Node Control/Rebirth", 0, 11), ("flow", 1, 10), ("pressure", 2, 10)
    ]  # fmt: skip
    assert (birth.metrics[0].long_value, birth.metrics[1].boolean_value) == (0, False)
    assert (birth.metrics[2].double_value, birth.metrics[3].is_null) == (-2.5, True)
    assert [(one.name, one.alias, one.double_value) for one in data.metrics] == [("", 2, 3.0)]


def test_every_sparkplug_connection_is_born_with_the_number_that_its_will_dies_with(broker, listener):
    link = MqttDevices(["a"], lambda board: MqttLink(broker.settings, threading.Event(), 1, Sparkplug(["x"]), board))
    payload = sparkplug_payload()
    link.open()
    link.send("a", Readings({"x": 1.0}, 1.0))
    wait_for(lambda: listener.on("spBv1.0/offbeat-sim/NBIRTH/a"), "the first birth")
    client = link.links["a"].client
    broker.kill()
    wait_for(lambda: not client.is_connected(), "the loss of the connection")
    broker.start()
    wait_for(client.is_connected, "the connection")
    link.send("a", Readings({"x": 2.0}, 2.0))
    link.close()

    wait_for(lambda: listener.on("spBv1.0/offbeat-sim/NDEATH/a"), "the death")
    births = [payload.FromString(one) for one in listener.on("spBv1.0/offbeat-sim/NBIRTH/a")]
    death = payload.FromString(listener.on("spBv1.0/offbeat-sim/NDEATH/a")[-1])
    numbers = [one.metrics[0].long_value for one in births]
    assert len(births) == 2
    assert numbers[1] > numbers[0]
    assert death.metrics[0].long_value == numbers[1]


def test_an_esphome_board_that_dies_is_offline_by_its_will(broker, listener):
    link = MqttLink(broker.settings, threading.Event(), 1, FORMATS["esphome"](NAMES, ""), "pump1")
    link.open()
    link.client.socket().close()  # as when its power goes

    wait_for(lambda: listener.on("pump1/status") == [b"offline"], "the will")
    link.client.loop_stop()


def sparkplug_payload():
    """The message of sparkplug_b.proto, Eclipse Tahu, as far as it is used: numbers and types as published there."""
    pool = pytest.importorskip("google.protobuf.descriptor_pool")
    from google.protobuf import descriptor_pb2, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="sparkplug_b.proto", package="org.eclipse.tahu.protobuf")
    kinds = descriptor_pb2.FieldDescriptorProto
    outer = file.message_type.add(name="Payload")
    inner = outer.nested_type.add(name="Metric")
    for name, number, kind in (
        ("name", 1, kinds.TYPE_STRING), ("alias", 2, kinds.TYPE_UINT64), ("timestamp", 3, kinds.TYPE_UINT64),
        ("datatype", 4, kinds.TYPE_UINT32), ("is_null", 7, kinds.TYPE_BOOL), ("int_value", 10, kinds.TYPE_UINT32),
        ("long_value", 11, kinds.TYPE_UINT64), ("float_value", 12, kinds.TYPE_FLOAT),
        ("double_value", 13, kinds.TYPE_DOUBLE), ("boolean_value", 14, kinds.TYPE_BOOL),
    ):  # fmt: skip
        inner.field.add(name=name, number=number, type=kind, label=kinds.LABEL_OPTIONAL)
    outer.field.add(name="timestamp", number=1, type=kinds.TYPE_UINT64, label=kinds.LABEL_OPTIONAL)
    outer.field.add(
        name="metrics", number=2, type=kinds.TYPE_MESSAGE, label=kinds.LABEL_REPEATED,
        type_name=".org.eclipse.tahu.protobuf.Payload.Metric",
    )  # fmt: skip
    outer.field.add(name="seq", number=3, type=kinds.TYPE_UINT64, label=kinds.LABEL_OPTIONAL)
    found = pool.DescriptorPool()
    found.Add(file)
    return message_factory.GetMessageClass(found.FindMessageTypeByName("org.eclipse.tahu.protobuf.Payload"))
