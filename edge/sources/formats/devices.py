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
        seen = found.get("last_seen")
        time = time_of(seen, 0.001 if isinstance(seen, int | float) else 1.0)  # `last_seen: epoch` is in ms
        yield board_id("_".join(levels[1:])), numbers(found, self._SKIP, time)


class Tasmota:
    """Tasmota: `tele/<device>/SENSOR`, an object a sensor, also where the full topic is `%topic%/%prefix%`.

    Its time is local and without a zone, and not used.
    """

    topics = ("tele/+/SENSOR", "tele/+/LWT", "+/tele/SENSOR", "+/tele/LWT")
    _SKIP = frozenset(("Time", "TempUnit", "PressureUnit", "SpeedUnit", "TotalStartTime", "Id", "Address"))

    def decode(self, message: Message) -> Decoded:
        """The device is the board, channels are like `BME280.Temperature`."""
        *front, last = message.levels
        board = "_".join(level for level in front if level != "tele")
        if last == "SENSOR":
            yield board_id(board), numbers(json_object(message), self._SKIP)
        elif last == "LWT":
            yield from went_offline(board, message)


class Shelly:
    """Shelly: of the second generation on `<device>/events/rpc` and `<device>/status/<part>`; of the first
    `shellies/<device>/…/<quantity>`."""

    topics = ("+/events/rpc", "+/status/+", "+/online", "shellies/#")
    _SKIP = frozenset(
        ("id", "ts", "by_minute", "minute_ts", "source", "tF", "errors", "mac", "time", "unixtime", "ssid", "sta_ip")
    )
    _CLOCK_SET = 1e9
    """A device that has just started counts its `ts` from 0, Unix seconds."""

    def decode(self, message: Message) -> Decoded:
        """The device is the board, channels are like `switch:0.apower` or `relay.0.power`."""
        levels = message.levels
        prefix = levels[1:] if levels[0] == "shellies" else levels
        if levels[-2:] == ["events", "rpc"]:
            found = json_object(message)
            params = found.get("params")
            if found.get("method") in ("NotifyStatus", "NotifyFullStatus") and isinstance(params, dict):
                ts = params.get("ts")
                time = float(ts) if isinstance(ts, int | float) and ts > self._CLOCK_SET else None
                yield board_id("_".join(prefix[:-2])), numbers(params, self._SKIP, time)
        elif levels[-1] == "online":
            yield from went_offline("_".join(prefix[:-1]), message)
        elif len(prefix) >= 3 and levels[-2] == "status" and message.payload.lstrip().startswith(b"{"):
            yield board_id("_".join(prefix[:-2])), numbers({levels[-1]: json_object(message)}, self._SKIP)
        elif levels[0] == "shellies":
            yield from self._first(levels, message)

    def _first(self, levels: list[str], message: Message) -> Decoded:
        if len(levels) < 3 or {"announce", "command", "info", "longpush", "input_event"} & set(levels[2:]):
            return
        text = message.text
        if text.startswith("{"):
            yield board_id(levels[1]), numbers({".".join(levels[2:]): json_object(message)}, self._SKIP)
        elif (readings := single(".".join(levels[2:]), message)) is not None and not readings.rejected:
            yield board_id(levels[1]), readings
