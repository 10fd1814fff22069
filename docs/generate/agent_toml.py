"""docs/reference/agent-toml.md: every key, from the classes that agent.toml is read into."""

import inspect

from docs.generate.markdown import page, prose, table
from docs.generate.source import Field, fields_of
from edge.config.settings import AlarmSettings, BundleRequestSettings, DeviceSettings, RequestSettings, StreamConfig
from edge.delivery.settings import DeliverySettings
from edge.detector.bundle.rules import ChannelRules
from edge.detector.events.planned import PlannedException
from edge.history.settings import HistorySettings
from edge.sources.modbus_settings import ModbusDevice, ModbusRegister
from edge.sources.opening import SOURCE_TYPES
from edge.wire.broker import BrokerSettings

_INTRODUCTION = """From the settings classes of `edge/config`, `edge/sources`, `edge/delivery`, `edge/wire` and
`edge/detector`. [agent.example.toml](../../agent.example.toml) shows all keys in one file. Relative paths are relative
to the config's folder, `${NAME}` in a string is the environment variable NAME, and a key that is not listed here is
refused with the nearest one that is."""
_SECTIONS: dict[str, type] = {
    "[device]": DeviceSettings,
    "[broker]": BrokerSettings,
    "[delivery]": DeliverySettings,
    "[requests]": RequestSettings,
    "[requests.bundles]": BundleRequestSettings,
    "[history]": HistorySettings,
    **{f'[[source]] type = "{name}"': kind for name, kind in SOURCE_TYPES.items()},
    "[[source.device]] of modbus": ModbusDevice,
    "[[source.register]] and [[source.device.register]] of modbus": ModbusRegister,
    "[[stream]]": StreamConfig,
    "[stream.alarm]": AlarmSettings,
    "[[stream.planned]]": PlannedException,
    "[stream.rules.CHANNEL]": ChannelRules,
}
_TYPES = {
    "str": "text", "int": "whole number", "float": "number", "bool": "true or false", "Path": "path",
    "TimeUnit": '`"s"` or `"ms"`', "Repeat": '`"no"`, `"daily"`, `"weekly"` or `"yearly"`',
    "list[str]": "array of text", "Mapping[str, str]": "table of text", "datetime.datetime": "date and time",
    "BrokerSettings": "table, as `[broker]`", "AlarmSettings": "table",
    "BundleRequestSettings": "table", "tuple[PlannedException, ...]": "tables",
    "tuple[ModbusDevice, ...]": "tables", "tuple[ModbusRegister, ...]": "tables", "list[float]": "array of numbers",
    "Mapping[str, float]": "table of numbers",
    "Kind": '`"holding"`, `"input"`, `"coil"` or `"discrete"`', "Order": '`"big"` or `"little"`',
    "RegisterType": "int16, uint16, int32, uint32, int64, uint64, float32, float64 or bit",
    "Mapping[str, ChannelRules]": "a table for each channel",
}  # fmt: skip


def agent_toml() -> str:
    """The page."""
    return page("agent.toml", _INTRODUCTION, *(_section(name, kind) for name, kind in _SECTIONS.items()))


def _section(name: str, kind: type) -> str:
    about = prose((inspect.getdoc(kind) or "").split("\n\nRaises:")[0].split("]: ")[-1])
    rows = [(f"`{one.name}`", _type(one.kind), _default(one), one.about) for one in fields_of(kind)]
    return f"## {name}\n\n{about[:1].upper()}{about[1:]}\n\n" + table(["key", "value", "default", "meaning"], rows)


def _type(kind: str) -> str:
    """In words; what may be left out shows in the default."""
    plain = kind.removesuffix(" | None")
    if plain.startswith("Literal["):
        values = [part.strip().replace("'", '"') for part in plain[len("Literal[") : -1].split(",")]
        return " or ".join(f"`{value}`" for value in values)
    return _TYPES.get(plain, f"`{plain}`")


def _default(one: Field) -> str:
    if one.default is None:
        return "required"
    if one.default == "None":
        return ""
    if one.default.endswith("()"):
        return "none" if one.default == "()" else "as listed there"
    text = one.default.removeprefix("Path(").removesuffix(")").replace("'", '"').replace("_", "")
    return f"`{text.lower() if text in ('True', 'False') else text}`"
