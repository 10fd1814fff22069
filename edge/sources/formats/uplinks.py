"""Uplinks of LoRaWAN network servers, which the format `mapped` reads: the settings that do it.

Sources: ChirpStack 4, integrations, events; The Things Stack 3, MQTT server.
"""

from dataclasses import dataclass

from edge.sources.formats.mapped import Mapped


@dataclass(frozen=True)
class Uplink:
    """Where a server's uplink has what; the fields are keys of `[[source]]`."""

    topics: tuple[str, ...]
    board_level: int
    below: str
    time_path: str

    def decoder(self) -> Mapped:
        """What reads it."""
        return Mapped(self.topics, board_level=self.board_level, below=self.below, time_path=self.time_path)

    def settings(self) -> list[str]:
        """Lines of a `[[source]]`."""
        topics = ", ".join(f'"{topic}"' for topic in self.topics)
        paths = [f'below = "{self.below}"', f'time_path = "{self.time_path}"']
        return ['format = "mapped"', f"topics = [{topics}]", f"board_level = {self.board_level}", *paths]


UPLINKS = {
    "chirpstack": Uplink(("application/+/device/+/event/up",), 3, "object", "time"),
    "thethingsstack": Uplink(("v3/+/devices/+/up",), 3, "uplink_message.decoded_payload", "received_at"),
}
