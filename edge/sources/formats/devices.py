"""Formats of devices and of programs around them, as they publish by default."""

from edge.sources.formats.message import Decoded, Message, board_id, json_object, numbers, single, time_of, went_offline


class EspHome:
    """ESPHome: `<node>/sensor/<object>/state`, a number or ON and OFF; binary sensors alike. Will: `<node>/status`."""

    topics = ("+/sensor/+/state", "+/binary_sensor/+/state", "+/status")

    def decode(self, message: Message) -> Decoded:
        """The node is the board, the object the channel."""
        levels = message.levels
        if len(levels) >= 4 and levels[-1] == "state":
            readings = single(levels[-2], message)
            if readings is not None:
                yield board_id("_".join(levels[:-3])), readings
        elif levels[-1] == "status" and len(levels) >= 2:
            yield from went_offline("_".join(levels[:-1]), message)


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

    topics = ("zigbee2mqtt/+", "zigbee2mqtt/+/availability")
    _SKIP = frozenset(("last_seen", "update", "update_available", "device"))

    def decode(self, message: Message) -> Decoded:
        """The friendly name is the board."""
        levels = message.levels
        if len(levels) < 2 or levels[1] == "bridge" or levels[-1] in ("set", "get"):
            return
        if levels[-1] == "availability":
            yield from went_offline("_".join(levels[1:-1]), message)
            return
        found = json_object(message)
        yield board_id("_".join(levels[1:])), numbers(found, self._SKIP, time_of(found.get("last_seen")))


class Tasmota:
    """Tasmota: `tele/<device>/SENSOR`, an object a sensor. Its time is local and without a zone, and not used."""

    topics = ("tele/+/SENSOR", "tele/+/LWT")
    _SKIP = frozenset(("Time", "TempUnit", "PressureUnit", "SpeedUnit", "TotalStartTime", "Id"))

    def decode(self, message: Message) -> Decoded:
        """The device is the board, channels are like `BME280.Temperature`."""
        levels = message.levels
        if len(levels) >= 3 and levels[-1] == "SENSOR":
            yield board_id("_".join(levels[1:-1])), numbers(json_object(message), self._SKIP)
        elif len(levels) >= 3 and levels[-1] == "LWT":
            yield from went_offline("_".join(levels[1:-1]), message)


class Shelly:
    """Shelly: of the second generation on `<device>/events/rpc` and `<device>/status/<part>`; of the first
    `shellies/<device>/…/<quantity>`."""

    topics = ("+/events/rpc", "+/status/+", "+/online", "shellies/#")
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
                yield board_id("_".join(levels[:-2])), numbers(params, self._SKIP, time_of(params.get("ts")))
        elif len(levels) >= 2 and levels[-1] == "online":
            yield from went_offline("_".join(levels[:-1]), message)
        elif len(levels) >= 3 and levels[-2] == "status":
            yield board_id("_".join(levels[:-2])), numbers({levels[-1]: json_object(message)}, self._SKIP)

    def _first(self, levels: list[str], message: Message) -> Decoded:
        last = levels[-1]
        if last == "online" and len(levels) == 3:
            yield from went_offline(levels[1], message)
        if len(levels) < 3 or last in ("announce", "command", "online", "info", "longpush", "input_event"):
            return
        text = message.text
        if text.startswith("{"):
            yield board_id(levels[1]), numbers({".".join(levels[2:]): json_object(message)}, self._SKIP)
        elif (readings := single(".".join(levels[2:]), message)) is not None and not readings.rejected:
            yield board_id(levels[1]), readings
