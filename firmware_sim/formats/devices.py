"""Offbeat's own form, and those of devices that speak for themselves."""

import json
import re

from edge.wire.readings import Readings, encode_readings
from edge.wire.topics import readings_topic
from firmware_sim.formats.message import Outgoing, utc


class Offbeat:
    """`<root>/<board>/readings`, one object with time, seq and values."""

    time_told = True
    names = "{}"

    def __init__(self, root: str = "sensors"):
        self.root = root

    def encode(self, board: str, readings: Readings) -> tuple[Outgoing, ...]:
        """One message."""
        return (Outgoing(readings_topic(board, self.root), encode_readings(readings)),)

    def connected(self, board: str) -> Outgoing | None:  # noqa: ARG002
        """No will."""
        return None

    def leaving(self, board: str) -> Outgoing | None:  # noqa: ARG002
        """Nothing."""
        return None


class EspHome(Offbeat):
    """ESPHome: `<node>/sensor/<object>/state`, a retained number for each sensor, and no time.

    Source: ESPHome's MQTT client component; states are retained and `<prefix>/status` is the will, as by default.
    """

    time_told = False

    def encode(self, board: str, readings: Readings) -> tuple[Outgoing, ...]:
        """A message a channel."""
        return tuple(
            Outgoing(f"{board}/sensor/{_object_id(name)}/state", repr(value).encode(), retain=True)
            for name, value in readings.values.items()
        )

    def connected(self, board: str) -> Outgoing | None:
        """The node is `offline` when the connection breaks."""
        return Outgoing(f"{board}/status", b"offline", retain=True)

    def leaving(self, board: str) -> Outgoing | None:
        """The same before a tidy end."""
        return self.connected(board)


class Zigbee2Mqtt(Offbeat):
    """Zigbee2MQTT: `zigbee2mqtt/<friendly name>`, a flat object.

    With `last_seen`, which is sent where `advanced.last_seen` is `ISO_8601`. Source: Zigbee2MQTT, MQTT topics.
    """

    def encode(self, board: str, readings: Readings) -> tuple[Outgoing, ...]:
        """One message."""
        seen = {} if readings.time is None else {"last_seen": f"{utc(readings.time)}Z"}
        return (Outgoing(f"zigbee2mqtt/{board}", _json({**readings.values, **seen})),)


class Tasmota(Offbeat):
    """Tasmota: `tele/<device>/SENSOR`, an object for the sensor, called PUMP here, in an object with the local time.

    That time has no zone, so that subscribers date readings by their arrival. Source: Tasmota, MQTT, telemetry.
    """

    time_told = False
    names = "PUMP.{}"

    def encode(self, board: str, readings: Readings) -> tuple[Outgoing, ...]:
        """One message."""
        time = {} if readings.time is None else {"Time": utc(readings.time, "seconds")}
        return (Outgoing(f"tele/{board}/SENSOR", _json({**time, "PUMP": dict(readings.values)})),)

    def connected(self, board: str) -> Outgoing | None:
        """The will is `Offline`."""
        return Outgoing(f"tele/{board}/LWT", b"Offline", retain=True)

    def leaving(self, board: str) -> Outgoing | None:
        """The same before a tidy end."""
        return self.connected(board)


class Influx(Offbeat):
    """InfluxDB's line protocol as Telegraf's MQTT output sends it: `telegraf/<host>/pump`, a time in ns.

    Source: InfluxData, line protocol reference; Telegraf, outputs.mqtt with its usual topic.
    """

    names = "pump.{}"

    def encode(self, board: str, readings: Readings) -> tuple[Outgoing, ...]:
        """One message with one line."""
        if not readings.values:
            return ()
        fields = ",".join(f"{_escaped(name)}={value!r}" for name, value in readings.values.items())
        time = "" if readings.time is None else f" {round(readings.time * 1e6) * 1000}"
        return (Outgoing(f"telegraf/{board}/pump", f"pump,host={_escaped(board)} {fields}{time}\n".encode()),)


def _object_id(name: str) -> str:
    """As a level of a topic; ESPHome makes such ids of names.

    >>> _object_id("Flow [m3/h]")
    'Flow_m3_h'
    """
    return re.sub(r"[^\w.-]+", "_", name).strip("_") or "_"


def _json(content: dict[str, object]) -> bytes:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _escaped(name: str) -> str:
    """A tag or field key: commas, equals signs and blanks are escaped."""
    return "".join(f"\\{letter}" if letter in ",= " else letter for letter in name)
