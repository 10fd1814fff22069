"""The encoder of a run's messages: one line a format."""

from collections.abc import Callable, Sequence

from firmware_sim.formats.devices import EspHome, Influx, Offbeat, Tasmota, Zigbee2Mqtt
from firmware_sim.formats.message import Encoder
from firmware_sim.formats.sparkplug import Sparkplug

FORMATS: dict[str, Callable[[Sequence[str], str], Encoder]] = {
    "offbeat": lambda _channels, root: Offbeat(root),
    "esphome": lambda *_: EspHome(),
    "zigbee2mqtt": lambda *_: Zigbee2Mqtt(),
    "tasmota": lambda *_: Tasmota(),
    "sparkplug": lambda channels, _root: Sparkplug(channels),
    "influx": lambda *_: Influx(),
}
"""Name to what makes the encoder of one board, from its channels and the root of Offbeat's own topics."""


def source_of(name: str, channels: Sequence[str]) -> str:
    """The `[[source]]` of an agent that reads it, as TOML; it gives the channels their own names back."""
    names = FORMATS[name](channels, "sensors").names
    lines = ["[[source]]", 'name = "field"', 'type = "mqtt"', f'format = "{name}"']
    if names != "{}":
        pairs = ", ".join(f'"{names.format(one)}" = "{one}"' for one in channels)
        lines.append(f"channels = {{ {pairs} }}")
    return "\n".join(lines)
