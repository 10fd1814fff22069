"""Formats of devices and of programs around them, as they publish by default."""

from dataclasses import replace

from edge.sources.formats.message import Decoded, Message, board_id, json_object, numbers, single, time_of


class EspHome:
    """ESPHome: `<node>/sensor/<object>/state`, a number or ON and OFF; binary sensors alike."""

    topics = ("+/sensor/+/state", "+/binary_sensor/+/state")

    def decode(self, message: Message) -> Decoded:
        """The node is the board, the object the channel."""
        levels = message.levels
        if len(levels) >= 4 and levels[-1] == "state":
            readings = single(levels[-2], message)
            if readings is not None:
                yield board_id("_".join(levels[:-3])), readings


class HomeAssistant:
    """Home Assistant's mqtt_statestream: `<base>/<domain>/<object>/state`; the base is the board."""

    topics = ("homeassistant/+/+/state",)

    def decode(self, message: Message) -> Decoded:
        """The channel is the entity, `sensor.boiler_pressure`, as in an export of its history."""
        levels = message.levels
        if len(levels) >= 4 and levels[-1] == "state":
            readings = single(f"{levels[-3]}.{levels[-2]}", message)
            if readings is not None:
                yield board_id("_".join(levels[:-3])), readings


class Zigbee2Mqtt:
    """Zigbee2MQTT: `zigbee2mqtt/<friendly name>`, a flat object; `last_seen`, where it is sent, is the time."""

    topics = ("zigbee2mqtt/+",)
    _SKIP = frozenset(("last_seen", "update", "update_available", "device"))

    def decode(self, message: Message) -> Decoded:
        """The friendly name is the board."""
        levels = message.levels
        if len(levels) < 2 or levels[1] == "bridge" or levels[-1] in ("availability", "set", "get"):
            return
        found = json_object(message)
        readings = replace(numbers(found, self._SKIP), time=time_of(found.get("last_seen")))
        yield board_id("_".join(levels[1:])), readings


class Tasmota:
    """Tasmota: `tele/<device>/SENSOR`, an object a sensor. Its time is local and without a zone, and not used."""

    topics = ("tele/+/SENSOR",)
    _SKIP = frozenset(("Time", "TempUnit", "PressureUnit", "SpeedUnit", "TotalStartTime", "Id"))

    def decode(self, message: Message) -> Decoded:
        """The device is the board, channels are like `BME280.Temperature`."""
        levels = message.levels
        if len(levels) >= 3 and levels[-1] == "SENSOR":
            yield board_id("_".join(levels[1:-1])), numbers(json_object(message), self._SKIP)


class Shelly:
    """Shelly: of the second generation on `<device>/events/rpc` and `<device>/status/<part>`; of the first
    `shellies/<device>/…/<quantity>`."""

    topics = ("+/events/rpc", "+/status/+", "shellies/#")
    _SKIP = frozenset(("id", "ts", "by_minute", "minute_ts", "source", "tF", "errors"))

    def decode(self, message: Message) -> Decoded:
        """The device is the board, channels are like `switch:0.apower` or `relay.0.power`."""
        levels = message.levels
        if levels[0] == "shellies":
            yield from self._first(levels, message)
        elif levels[-2:] == ["events", "rpc"]:
            found = json_object(message)
            params = found.get("params")
            if found.get("method") in ("NotifyStatus", "NotifyFullStatus") and isinstance(params, dict):
                yield (
                    board_id("_".join(levels[:-2])),
                    replace(numbers(params, self._SKIP), time=time_of(params.get("ts"))),
                )
        elif len(levels) >= 3 and levels[-2] == "status":
            yield board_id("_".join(levels[:-2])), numbers({levels[-1]: json_object(message)}, self._SKIP)

    def _first(self, levels: list[str], message: Message) -> Decoded:
        last = levels[-1]
        if len(levels) < 3 or last in ("announce", "command", "online", "info", "longpush", "input_event"):
            return
        text = message.text
        if text.startswith("{"):
            yield board_id(levels[1]), numbers({".".join(levels[2:]): json_object(message)}, self._SKIP)
        elif (readings := single(".".join(levels[2:]), message)) is not None and not readings.rejected:
            yield board_id(levels[1]), readings
