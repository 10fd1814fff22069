"""What Home Assistant's MQTT discovery wants to know of a gateway and its streams.

Source: https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery, device discovery. One device for the gateway
and one for each stream, so that each machine can be put into a room of its own, and goes with one message.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edge.homeassistant.settings import HomeAssistantSettings
from edge.wire.topics import DeviceTopics

BUTTONS = {"ack": ("Acknowledge", "mdi:check"), "snooze": ("Snooze", "mdi:sleep"), "normal": ("That was normal", None)}
"""Requests that have a button, where the config allows them: name and icon."""
_STATE = "{{ value_json.anomaly if value_json.anomaly in ['ON', 'OFF'] else 'None' }}"
# An agent that starts again sends what may have been sent before. What this entity has seen is not an event to it.
_UNSEEN = (
    "{% set event = value_json.data if value_json.specversion is defined else value_json %}"
    "{% if this.attributes.get('log') == event.log and this.attributes.get('seq', -1) >= event.seq %}"
    "{% else %}{{ event | to_json }}{% endif %}"
)
Message = dict[str, Any]


@dataclass(frozen=True)
class Discovery:
    """Topics and payloads of one gateway. `allowed` are the requests that it answers."""

    topics: DeviceTopics
    settings: HomeAssistantSettings
    version: str
    allowed: Collection[str] = ()

    def topic(self, stream: str | None = None) -> str:
        """Where a stream, or the gateway, is announced."""
        return f"{self.settings.prefix}/device/{self._id(stream)}/config"

    def messages(self, streams: Mapping[str, str | None]) -> Iterator[tuple[str, Message]]:
        """Topic and payload for the gateway and for each of its streams. `streams` gives the bundle's name of each."""
        yield self.topic(), self._message(None, "gateway", self._health())
        for stream, bundle in streams.items():
            yield self.topic(stream), self._message(stream, bundle, self._stream(stream))

    def _id(self, stream: str | None = None) -> str:
        root = self.topics.root.replace("/", "_")
        return "_".join([root, self.topics.device, *([] if stream is None else [stream])])

    def _message(self, stream: str | None, model: str | None, components: Mapping[str, Message]) -> Message:
        device: Message = {"identifiers": [self._id(stream)], "manufacturer": "Offbeat", "sw_version": self.version}
        device["name"] = self.topics.device if stream is None else f"{self.topics.device} {stream}"
        if model is not None:
            device["model"] = model
        if stream is not None:
            device["via_device"] = self._id()
        unique = {
            key: {**component, "unique_id": f"{self._id(stream)}_{key}"}  # stays when a name is changed
            for key, component in components.items()
        }
        return {"device": device, "origin": {"name": "Offbeat", "sw_version": self.version}, "components": unique}

    def _stream(self, stream: str) -> dict[str, Message]:
        state, there = self.topics.state(stream), self._available(self.topics.availability(stream))
        return {
            "problem": {
                "platform": "binary_sensor",
                "name": "Anomaly",
                "device_class": "problem",
                "state_topic": state,
                "value_template": _STATE,
                "json_attributes_topic": state,
                "json_attributes_template": "{{ {'open': value_json.open | default([])} | to_json }}",
                **there,
            },
            "score": {
                "platform": "sensor",
                "name": "Score",
                "state_topic": state,
                "state_class": "measurement",
                "icon": "mdi:gauge",
                "suggested_display_precision": 2,
                "value_template": "{{ value_json.score }}",
                **there,
            },
            **self._episodes(stream),
            **{request: self._button(stream, request) for request in BUTTONS if request in self.allowed},
        }

    def _episodes(self, stream: str) -> dict[str, Message]:
        return {
            # Without availability: an event entity that becomes available again fires its last event once more.
            "episode": {
                "platform": "event",
                "name": "Episode",
                "icon": "mdi:alert-decagram-outline",
                "event_types": ["new", "update", "end"],
                "state_topic": self.topics.event(stream),
                "value_template": _UNSEEN,
                "qos": 1,
            },
            "trouble": {
                "platform": "sensor",
                "name": "Trouble",
                "entity_category": "diagnostic",
                "icon": "mdi:eye-off-outline",
                "state_topic": self.topics.health,
                "value_template": _trouble(stream),
                **self._available(),
            },
        }

    def _button(self, stream: str, request: str) -> Message:
        name, icon = BUTTONS[request]
        fields: Message = {"stream": stream, "by": "Home Assistant"}
        if request == "snooze":
            fields["for_s"] = self.settings.snooze_s
        button = {
            "platform": "button",
            "name": name,
            "command_topic": self.topics.request(request),
            "payload_press": json.dumps(fields),
            "qos": 1,
            **self._available(self.topics.availability(stream)),
        }
        return button if icon is None else {**button, "icon": icon}

    def _health(self) -> dict[str, Message]:
        def figure(name: str, path: str, **more: Any) -> Message:
            # A figure that this system does not give is null there, and `unknown` here.
            template = f"{{{{ value_json.{path} if value_json.{path} is not none else 'None' }}}}"
            common = {"platform": "sensor", "state_topic": self.topics.health, "entity_category": "diagnostic"}
            return {**common, "name": name, "value_template": template, **more, **self._available()}

        measured = {"state_class": "measurement"}
        byte = {"device_class": "data_size", "unit_of_measurement": "B", "suggested_unit_of_measurement": "MB"}
        return {
            "connected": {
                "platform": "binary_sensor",
                "name": "Agent",
                "device_class": "connectivity",
                "entity_category": "diagnostic",
                "state_topic": self.topics.status,
                "payload_on": "online",
                "payload_off": "offline",
            },
            "memory": figure("Memory", "rss_bytes", **byte, **measured),
            "load": figure("Load", "load_1m", icon="mdi:chip", **measured),
            "pending": figure("Events waiting", "outbox.pending", icon="mdi:tray-full", **measured),
        }

    def _available(self, *more: str) -> Message:
        topics = [{"topic": topic} for topic in (self.topics.status, *more)]
        return {"availability": topics, "availability_mode": "all"}


def _trouble(stream: str) -> str:
    # A state is 255 characters at most, and one that counts seconds would fill Home Assistant's history; the whole text
    # is in the log and in health.
    text = f"(value_json.streams['{stream}'].trouble or 'none') | string"
    return f"{{{{ {text} | regex_replace(' for [0-9.]+ ?[a-z]+', '') | truncate(250) }}}}"
