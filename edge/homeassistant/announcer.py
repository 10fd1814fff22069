"""Announces the gateway when it is connected, when Home Assistant is born, and when its streams change."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from edge.homeassistant.discovery import Discovery
from edge.wire.payload import encode_payload

log = logging.getLogger(__name__)


@dataclass
class Announcer:
    """Keeps what is announced current. `retain(topic, payload)` keeps a topic's payload at the broker."""

    discovery: Discovery
    retain: Callable[[str, bytes], None]
    again: Callable[[str], None]
    """Send a topic's payload anew although the broker has it."""
    _announced: dict[str, None] = field(default_factory=dict)

    @property
    def birth_topic(self) -> str:
        """Where Home Assistant says `online` when it has started."""
        return f"{self.discovery.settings.prefix}/status"

    @property
    def topics(self) -> list[str]:
        """What is announced."""
        return list(self._announced)

    def announce(self, streams: Mapping[str, str | None]) -> None:
        """From here on these are the streams, each with the name of its bundle; what is gone is taken back."""
        messages = dict(self.discovery.messages(streams))
        for topic in [topic for topic in self._announced if topic not in messages]:
            self.retain(topic, b"")
            del self._announced[topic]
        for topic, message in messages.items():
            self.retain(topic, encode_payload(message))
            self._announced[topic] = None

    def heard(self, payload: bytes) -> None:
        """A message on the birth topic. Runs in the delivery thread."""
        if payload == b"online":
            log.debug("Home Assistant has started; announced again: %d devices", len(self._announced))
            for topic in list(self._announced):
                self.again(topic)
