"""The kinds of sources that `offbeat-edge init` knows: each the lines of a `[[source]]` that runs as it stands."""

import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

from edge.sources.formats.uplinks import UPLINKS


class Kind(NamedTuple):
    """A kind of source."""

    about: str
    place: str
    """What `KIND=PLACE` names, with the default; empty where nothing is to be named."""
    lines: Callable[[str, Sequence[str]], list[str]]
    """From the place and the bundle's channels, the lines below `name`."""


def _of_format(name: str) -> Kind:
    return Kind(f"boards that publish as {name} does", "", lambda _place, _channels: _mqtt(f'format = "{name}"'))


def _of_uplink(name: str) -> Kind:
    return Kind(f"uplinks of {name}", "", lambda _place, _channels: _mqtt(*UPLINKS[name].settings()))


def _mqtt(*more: str) -> list[str]:
    return ['type = "mqtt"                    # at the broker of the alerts; [source.broker] names another', *more]


def _mapped(place: str, _channels: Sequence[str]) -> list[str]:
    return _mqtt(
        'format = "mapped"                # any JSON: every number in it is a channel',
        f"topics = [{json.dumps(place)}]        # the first + is the board",
        '# values = { temp = "object.temperature" }   # only these, by their path',
    )


def _serial(place: str, _channels: Sequence[str]) -> list[str]:
    return ['type = "serial"', f"port = {json.dumps(place)}", "baud = 115200"]


def _file(place: str, _channels: Sequence[str]) -> list[str]:
    return [
        'type = "file"',
        f"path = {json.dumps(place)}           # CSV, or a JSON object a line",
        'board = "{board}"',
        "# speed = 1.0                    # at its own pace; else as fast as it can be scored",
    ]


def _stdin(_place: str, _channels: Sequence[str]) -> list[str]:
    return ['type = "stdin"                   # CSV, or a JSON object a line', 'board = "{board}"']


def _modbus(place: str, channels: Sequence[str]) -> list[str]:
    lines = ['type = "modbus"', f'host = {json.dumps(place)}           # or serial = "/dev/ttyUSB0" for RTU']
    lines += ["period_s = {period}", "[[source.device]]", 'board = "{board}"', "unit_id = 1"]
    for number, channel in enumerate(channels):
        note = "    # on the wire, from 0: take addresses, kind and type from the device's manual" if not number else ""
        lines += ["[[source.device.register]]", f"name = {json.dumps(channel)}", f"address = {2 * number}{note}"]
        lines += ['kind = "holding"', 'type = "float32"']
    return lines


def _iio(_place: str, _channels: Sequence[str]) -> list[str]:
    return [
        'type = "iio"                     # sensors that the kernel reads',
        'board = "{board}"                # one board for all; devices = ["bme280"] takes some',
        "period_s = {period}",
    ]


KINDS: dict[str, Kind] = {
    "mqtt": Kind("boards that publish to sensors/<board>/readings", "", lambda _place, _channels: _mqtt()),
    **{name: _of_format(name) for name in ("esphome", "tasmota", "zigbee2mqtt", "shelly")},
    **{name: _of_format(name) for name in ("homeassistant", "influx", "sparkplug")},
    "mapped": Kind("any JSON over MQTT", "meters/+/state", _mapped),
    **{name: _of_uplink(name) for name in UPLINKS},
    "serial": Kind("boards on a serial line", "/dev/ttyUSB0", _serial),
    "modbus": Kind("devices that answer Modbus", "127.0.0.1", _modbus),
    "iio": Kind("sensors that the kernel reads", "", _iio),
    "file": Kind("a recording", "recording.csv", _file),
    "stdin": Kind("lines on standard input", "", _stdin),
}
"""By the name that `init` takes."""


def table(kind: str, place: str, board: str, period_s: float, channels: Sequence[str]) -> list[str]:
    """The whole `[[source]]`, named after its kind."""
    chosen = KINDS[kind]
    fill = {"{board}": board, "{period}": f"{float(period_s):g}"}
    lines = chosen.lines(place or chosen.place, channels)
    for mark, text in fill.items():
        lines = [line.replace(mark, text) for line in lines]
    return [f"[[source]]                        # {chosen.about}", f'name = "{kind}"', *lines]
