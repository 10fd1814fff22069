"""Messages as devices and programs send them: written down from their documentation and source, which each names."""

import pytest

from edge.sources.formats.choosing import FORMATS
from edge.sources.formats.devices import EspHome, HomeAssistant, Shelly, Tasmota, Zigbee2Mqtt
from edge.sources.formats.influx import Influx
from edge.sources.formats.mapped import Mapped
from edge.sources.formats.message import Message
from edge.sources.formats.uplinks import UPLINKS
from edge.sources.messages import decoder_of
from edge.sources.settings import MqttSource
from edge.wire.readings import FrameError, Readings
from tests.helpers.documents import blocks


def decoded(decoder, topic: str, payload: str | bytes) -> list:
    data = payload.encode() if isinstance(payload, str) else payload
    return [(board, dict(one.values), one.time) for board, one in decoder.decode(Message(topic, data))]


# ESPHome: MQTT client component, "<topic_prefix>/<component>/<object_id>/state".
@pytest.mark.parametrize(
    ("topic", "payload", "found"),
    [
        ("boiler/sensor/flow_temperature/state", "21.50000", [("boiler", {"flow_temperature": 21.5}, None)]),
        ("boiler/binary_sensor/burner/state", "ON", [("boiler", {"burner": 1.0}, None)]),
        ("boiler/sensor/flow_temperature/state", "nan", []),
        ("boiler/debug", "[I][app:102]", []),
    ],
)
def test_esphome(topic, payload, found):
    assert decoded(EspHome(), topic, payload) == found


# Home Assistant: integration mqtt_statestream, "base_topic/domain/entity/state", state not as JSON.
def test_home_assistant_statestream():
    assert decoded(HomeAssistant(), "homeassistant/sensor/boiler_pressure/state", "1.02") == [
        ("homeassistant", {"sensor.boiler_pressure": 1.02}, None)
    ]
    assert decoded(HomeAssistant(), "homeassistant/sensor/boiler_pressure/state", "unavailable") == []
    assert decoded(HomeAssistant(), "homeassistant/sensor/boiler_pressure/unit_of_measurement", '"bar"') == []


# Zigbee2MQTT: "zigbee2mqtt/FRIENDLY_NAME", the state of an Aqara WSDCGQ11LM and of an MCCGQ11LM.
def test_zigbee2mqtt():
    climate = (
        '{"battery":100,"humidity":45.61,"last_seen":"2024-03-04T08:00:00+00:00","linkquality":120,"temperature":21.5}'
    )
    door = '{"battery":97,"contact":false,"update":{"installed_version":3,"state":"idle"},"voltage":3005}'

    assert decoded(Zigbee2Mqtt(), "zigbee2mqtt/Living room", climate) == [
        ("Living_room", {"battery": 100, "humidity": 45.61, "linkquality": 120, "temperature": 21.5}, 1709539200.0)
    ]
    assert decoded(Zigbee2Mqtt(), "zigbee2mqtt/door", door) == [
        ("door", {"battery": 97, "contact": 0, "voltage": 3005}, None)
    ]
    assert decoded(Zigbee2Mqtt(), "zigbee2mqtt/bridge", "online") == []


# Tasmota: documentation of MQTT, tele/%topic%/SENSOR of a BME280 and of a power monitoring plug.
def test_tasmota():
    air = (
        '{"Time":"2024-03-04T08:00:00","BME280":{"Temperature":21.5,"Humidity":45.1,"DewPoint":9.1,"Pressure":1013.2},'
        '"PressureUnit":"hPa","TempUnit":"C"}'
    )
    plug = '{"Time":"2024-03-04T08:00:00","ENERGY":{"TotalStartTime":"2023-01-01T00:00:00","Total":3.1,"Power":[12,0]}}'

    assert decoded(Tasmota(), "tele/cellar/SENSOR", air) == [
        (
            "cellar",
            {"BME280.Temperature": 21.5, "BME280.Humidity": 45.1, "BME280.DewPoint": 9.1, "BME280.Pressure": 1013.2},
            None,
        )
    ]
    assert decoded(Tasmota(), "tele/plug/SENSOR", plug) == [
        ("plug", {"ENERGY.Total": 3.1, "ENERGY.Power.0": 12.0, "ENERGY.Power.1": 0.0}, None)
    ]


# Shelly: Gen2 documentation of NotifyStatus and of status topics; Gen1 documentation of shellies/<model>-<id>/….
def test_shelly():
    notify = (
        '{"src":"shellyplus1pm-a8032ab1fe78","dst":"x/events","method":"NotifyStatus","params":{"ts":1709539200.12,'
        '"switch:0":{"id":0,"apower":8.9,"current":0.087,"aenergy":{"by_minute":[0.1,0.2],"minute_ts":1,"total":5.2}}}}'
    )

    assert decoded(Shelly(), "shellyplus1pm-a8032ab1fe78/events/rpc", notify) == [
        (
            "shellyplus1pm-a8032ab1fe78",
            {"switch:0.apower": 8.9, "switch:0.current": 0.087, "switch:0.aenergy.total": 5.2},
            1709539200.12,
        )
    ]
    assert decoded(
        Shelly(), "kitchen/status/switch:0", '{"id":0,"output":true,"temperature":{"tC":51.2,"tF":124.2}}'
    ) == [("kitchen", {"switch:0.output": 1.0, "switch:0.temperature.tC": 51.2}, None)]
    assert decoded(Shelly(), "shellies/shellyplug-1/relay/0/power", "61.25") == [
        ("shellyplug-1", {"relay.0.power": 61.25}, None)
    ]
    assert decoded(Shelly(), "shellies/shellyplug-1/online", "true") == []


@pytest.mark.parametrize(
    ("decoder", "topic", "payload", "board"),
    [
        (EspHome(), "boiler/status", "offline", "boiler"),
        (EspHome(), "home/boiler/status", "offline", "home_boiler"),
        (Tasmota(), "tele/cellar/LWT", "Offline", "cellar"),
        (Zigbee2Mqtt(), "zigbee2mqtt/Living room/availability", "offline", "Living_room"),
        (Zigbee2Mqtt(), "zigbee2mqtt/Living room/availability", '{"state":"offline"}', "Living_room"),
        (Shelly(), "shellyplus1pm-a8/online", "false", "shellyplus1pm-a8"),
        (Shelly(), "shellies/shellyplug-1/online", "false", "shellyplug-1"),
    ],
)
def test_a_will_says_that_its_board_is_offline_and_nothing_else(decoder, topic, payload, board):
    assert list(decoder.decode(Message(topic, payload.encode()))) == [(board, Readings({}, offline=True))]
    for other in (b"\xff\xfe", b"{half", b'{"uptime":3}', b"", b"[]"):
        assert list(decoder.decode(Message(topic, other))) == []
    back = payload.lower().replace("offline", "online").replace("false", "true")
    assert list(decoder.decode(Message(topic, back.encode()))) == []


@pytest.mark.parametrize("time", ["2024-03-04T08:00:00Z", "2024-03-04T09:00:00.000+01:00", "2024-03-04 08:00:00"])
def test_a_time_with_and_without_a_zone_is_the_same_instant(time):
    payload = f'{{"last_seen":"{time}","temperature":21.5}}'

    assert decoded(Zigbee2Mqtt(), "zigbee2mqtt/a", payload) == [("a", {"temperature": 21.5}, 1709539200.0)]


# InfluxData: line protocol reference; Telegraf's outputs.mqtt with data_format = "influx".
def test_influx_line_protocol():
    lines = (
        'cpu,cpu=cpu0,host=gw-1 usage_idle=92.5,n=3i,ok=t,text="a, b" 1709539200000000000\n'
        "weather\\ out,location=us\\,mid temp=21.5"
    )

    assert decoded(Influx(), "telegraf/gw-1/cpu", lines) == [
        ("gw-1", {"cpu.cpu0.usage_idle": 92.5, "cpu.cpu0.n": 3.0, "cpu.cpu0.ok": 1.0}, 1709539200.0),
        ("cpu", {"weather out.us,mid.temp": 21.5}, None),
    ]
    with pytest.raises(FrameError, match="line protocol"):
        decoded(Influx(), "telegraf/x", "nonsense")


@pytest.mark.parametrize("payload", [b"\xff", b"\x12\xff", b"{}", bytes(range(256)), b"\x12\x02\x08"])
@pytest.mark.parametrize("name", FORMATS)
def test_garbage_is_a_frame_error_or_nothing(name, payload):
    decoder = FORMATS[name]()
    topic = {"sparkplug": "spBv1.0/a/NDATA/b", "tasmota": "tele/a/SENSOR", "influx": "telegraf/a"}.get(
        name, "zigbee2mqtt/a"
    )

    try:
        list(decoder.decode(Message(topic, payload)))
    except FrameError:
        return


# ChirpStack 4, events "application/ID/device/EUI/event/up"; The Things Stack 3, "v3/APP/devices/ID/up".
def test_uplinks_are_mapped_by_path():
    chirpstack = Mapped(("application/+/device/+/event/up",), board_level=3, below="object", time_path="time")
    things = Mapped(
        ("v3/+/devices/+/up",),
        board_level=3,
        values={"temp": "uplink_message.decoded_payload.t"},
        time_path="received_at",
    )

    assert decoded(
        chirpstack,
        "application/1/device/0102030405060708/event/up",
        '{"time":"2024-03-04T08:00:00+00:00","fCnt":7,"object":{"temperature":21.5,"door":{"open":true}}}',
    ) == [("0102030405060708", {"temperature": 21.5, "door.open": 1.0}, 1709539200.0)]
    assert decoded(
        things,
        "v3/app@ttn/devices/node-1/up",
        '{"received_at":"2024-03-04T08:00:00.5Z","uplink_message":{"decoded_payload":{"t":"21.5"}}}',
    ) == [("node-1", {"temp": 21.5}, 1709539200.5)]


def test_bare_values_are_mapped_by_the_levels_that_a_plus_stands_for():
    settings = MqttSource(name="m", type="mqtt", format="mapped", topics=["site/+/meter/+"], scale={"power": 0.1})
    decoder = decoder_of(settings)
    assert decoder is not None

    assert decoded(decoder, "site/hall/meter/power", "215") == [("hall", {"power": 21.5}, None)]
    (found,) = decoder.decode(Message("site/hall/meter/power", b"broken"))
    assert found == ("hall", Readings({}, rejected=("power",)))


def test_a_mapped_source_wants_topics():
    with pytest.raises(ValueError, match="give topics"):
        MqttSource(name="m", type="mqtt", format="mapped")


@pytest.mark.parametrize(
    ("unit", "time", "found"),
    [
        ("s", "1709539200.5", 1709539200.5),
        ("s", '"1709539200"', 1709539200.0),
        ("ms", "1709539200500", 1709539200.5),
        ("s", '"2024-03-04T09:00:00+01:00"', 1709539200.0),
        ("ms", '"2024-03-04T08:00:00Z"', 1709539200.0),
        ("s", "null", None),
    ],
)
def test_times_are_taken_by_path_and_unit(unit, time, found):
    settings = MqttSource(
        name="m", type="mqtt", format="mapped", topics=["a/+"], time_path="meta.at.0", below="v", time_unit=unit
    )
    decoder = decoder_of(settings)
    assert decoder is not None

    assert decoded(decoder, "a/b", f'{{"meta":{{"at":[{time}]}},"v":{{"x":1}}}}') == [("b", {"x": 1.0}, found)]


@pytest.mark.parametrize("time", ['"yesterday"', "true", '{"s":1}'])
def test_a_time_that_is_none_costs_its_message_alone(time):
    decoder = Mapped(("a/+",), time_path="t")

    with pytest.raises(FrameError, match="not understood as a time"):
        decoded(decoder, "a/b", f'{{"t":{time},"x":1}}')


@pytest.mark.parametrize(
    ("format_", "topic", "payload"),
    [
        ("esphome", "pump/sensor/flow/state", "215"),
        ("tasmota", "tele/pump/SENSOR", '{"flow":215}'),
        ("influx", "telegraf/pump", "flow,host=pump x=215"),
    ],
)
def test_values_of_every_format_are_scaled_and_shifted(format_, topic, payload):
    name = "flow.x" if format_ == "influx" else "flow"
    settings = MqttSource(name="m", type="mqtt", format=format_, scale={name: 0.1}, offset={name: -40.0})
    decoder = decoder_of(settings)
    assert decoder is not None

    ((_, values, _),) = decoded(decoder, topic, payload)
    assert values == {name: pytest.approx(-18.5)}


@pytest.mark.parametrize("payload", ["21.5 °C", "21.5°C", '"21.5"', " 21.5\n", "2.15e1", "+21.5"])
def test_a_bare_value_may_have_a_unit_or_be_text(payload):
    assert decoded(Mapped(("a/+",)), "a/flow", payload) == [("flow", {"flow": 21.5}, None)]


# The settings of docs/how-to/read-sensors.md, as they stand there.
def test_the_mappings_of_the_how_to_are_those_of_discover():
    text = "".join(block.text for block in blocks("toml") if block.file.name == "read-sensors.md")

    for name, uplink in UPLINKS.items():
        assert "\n".join([f'name = "{name}"', 'type = "mqtt"', *uplink.settings()]) in text
