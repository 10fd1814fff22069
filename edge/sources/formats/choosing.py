"""The decoder of a source's messages: one line a format."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from edge.sources.formats.devices import EspHome, HomeAssistant, Shelly, Tasmota, Zigbee2Mqtt
from edge.sources.formats.influx import Influx
from edge.sources.formats.message import Decoded, Decoder, Message
from edge.sources.formats.sparkplug import Sparkplug
from edge.wire.readings import Readings

FORMATS: dict[str, Callable[[], Decoder]] = {
    "esphome": EspHome,
    "homeassistant": HomeAssistant,
    "influx": Influx,
    "shelly": Shelly,
    "sparkplug": Sparkplug,
    "tasmota": Tasmota,
    "zigbee2mqtt": Zigbee2Mqtt,
}


class Scaled:
    """A decoder whose values are multiplied and shifted."""

    def __init__(self, decoder: Decoder, scale: Mapping[str, float], offset: Mapping[str, float]) -> None:
        self.topics = decoder.topics
        self._decoder, self._scale, self._offset = decoder, scale, offset

    def decode(self, message: Message) -> Decoded:
        """The decoder's readings, scaled."""
        for board, readings in self._decoder.decode(message):
            yield board, replace(readings, values=self._scaled(readings))

    def _scaled(self, readings: Readings) -> dict[str, float]:
        return {
            name: value * self._scale.get(name, 1.0) + self._offset.get(name, 0.0)
            for name, value in readings.values.items()
        }
