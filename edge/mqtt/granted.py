"""What a broker takes, as it says when it lets a client in."""

from dataclasses import dataclass
from typing import Any

IN_FLIGHT = 20
"""Messages of QoS 1 without an acknowledgement, where the broker names no lower number."""


@dataclass(frozen=True)
class Granted:
    """MQTT 5, section 3.2.2.3; of 3.1.1 the defaults."""

    max_packet_bytes: int | None = None
    """Longest packet that the broker takes, where it says so."""
    max_qos: int = 2
    """Highest quality of service that it takes."""
    max_inflight: int = IN_FLIGHT
    """Messages of QoS 1 that it takes before it has acknowledged one; with more it hangs up."""
    retains: bool = True
    """Whether it keeps retained values; else they are sent without being kept."""


def granted(properties: Any) -> Granted:
    """By the properties of a CONNACK, None of 3.1.1."""
    return Granted(
        getattr(properties, "MaximumPacketSize", None),
        getattr(properties, "MaximumQoS", 2),
        min(IN_FLIGHT, getattr(properties, "ReceiveMaximum", IN_FLIGHT)),
        bool(getattr(properties, "RetainAvailable", 1)),
    )
