"""What users copy from is true: agent.example.toml loads and names every key."""

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any

import attrs
import pytest

from edge.config.settings import AlarmSettings, DeviceSettings, RequestSettings, StreamConfig, load_config
from edge.delivery.settings import DeliverySettings
from edge.detector.bundle.rules import ChannelRules
from edge.detector.events.planned import PlannedException
from edge.history.settings import HistorySettings
from edge.sources.modbus_settings import ModbusDevice, ModbusRegister
from edge.sources.opening import SOURCE_TYPES
from edge.wire.broker import BrokerSettings

EXAMPLE = Path(__file__).resolve().parents[3] / "agent.example.toml"


def uncommented() -> str:
    """The example with every key switched on; two of them exclude each other."""
    return re.sub(r"^# (?=\[|\w+ = )", "", EXAMPLE.read_text(), flags=re.MULTILINE)


def sections() -> dict[str, dict[str, Any]]:
    """Tables of the example by name; a source's under its type."""
    raw = tomllib.loads(uncommented())
    (stream,) = raw["stream"]
    modbus = next(source for source in raw["source"] if source["type"] == "modbus")
    return {
        "modbus device": modbus["device"][0],
        "modbus register": modbus["device"][0]["register"][0],
        "device": raw["device"],
        "broker": raw["broker"],
        "delivery": raw["delivery"],
        "requests": raw["requests"],
        "history": raw["history"],
        "stream": stream,
        "alarm": stream["alarm"],
        "rules": stream["rules"]["vibration"],
        "planned": stream["planned"][0],
        **{source["type"]: source for source in raw["source"]},
    }


KINDS: dict[str, Any] = {
    "device": DeviceSettings,
    "broker": BrokerSettings,
    "delivery": DeliverySettings,
    "requests": RequestSettings,
    "history": HistorySettings,
    "stream": StreamConfig,
    "alarm": AlarmSettings,
    "rules": ChannelRules,
    "planned": PlannedException,
    "modbus device": ModbusDevice,
    "modbus register": ModbusRegister,
    **SOURCE_TYPES,
}


def keys(kind: Any) -> set[str]:
    return {field.name for field in (attrs.fields(kind) if attrs.has(kind) else dataclasses.fields(kind))}


def test_the_example_loads_as_it_is():
    config = load_config(EXAMPLE)

    assert config.stream[0].rules["vibration"].max == 7.1


def test_the_example_loads_with_every_key_switched_on(tmp_path, monkeypatch):
    monkeypatch.setenv("OFFBEAT_PASSWORD", "secret")
    for name in ("ca.pem", "gw-1.pem", "gw-1.key"):
        (tmp_path / name).touch()
    path = tmp_path / "agent.toml"
    path.write_text(re.sub(r"^(serial|password_file) = .*\n", "", uncommented(), flags=re.MULTILINE))

    assert load_config(path).broker.password == "secret"


@pytest.mark.parametrize("section", KINDS)
def test_the_example_names_every_key_of_a_section_and_no_other(section):
    assert set(sections()[section]) == keys(KINDS[section])


@pytest.mark.parametrize(
    "section",
    ["device", "delivery", "alarm", "requests", "history", "mqtt", "serial", "file", "stdin", "iio", "stream"],
)
def test_defaults_that_the_example_gives_are_the_true_ones(section):
    shown = sections()[section]
    for field in attrs.fields(KINDS[section]):
        if isinstance(field.default, str | int | float) and field.default is not None and field.name != "type":
            assert shown[field.name] == field.default, field.name
