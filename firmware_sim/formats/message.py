"""What encoders share: a message to publish, and times as text."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from edge.wire.readings import Readings


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for the broker."""

    topic: str
    payload: bytes
    retain: bool = False


class Encoder(Protocol):
    """Turns the readings of one board into messages. It may keep what it said before, as births of Sparkplug."""

    time_told: bool
    """Whether its messages carry the board's time; a subscriber dates the others by their arrival."""
    names: str
    """How a subscriber calls the channel `flow`, with `{}` in its place."""

    def encode(self, board: str, readings: Readings) -> tuple[Outgoing, ...]:
        """The messages that carry `readings`."""

    def connected(self, board: str) -> Outgoing | None:
        """A connection begins: its last will, if devices of the kind leave one."""

    def leaving(self, board: str) -> Outgoing | None:
        """What is published before a tidy end."""


def utc(time: float, spec: str = "milliseconds") -> str:
    """Unix seconds as ISO 8601 in UTC without a zone.

    >>> utc(1709539200.25), utc(1709539200.25, "seconds")
    ('2024-03-04T08:00:00.250', '2024-03-04T08:00:00')
    """
    return datetime.fromtimestamp(round(time, 3), UTC).replace(tzinfo=None).isoformat(timespec=spec)


def milliseconds(time: float) -> int:
    """Unix seconds as whole Unix milliseconds."""
    return round(time * 1000.0)
