"""What a connection wants of the broker, and what it gets from it."""

from dataclasses import dataclass

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PACKET_OVERHEAD = 2048
"""Bytes that a packet may have beside its payload: topic, properties, header."""


class ConnectError(Exception):
    """The broker cannot be reached or refuses; one line with its address and the reason."""


class CredentialsError(ConnectError):
    """A certificate or key that is missing or no PEM; the next connection reads the files again."""


@dataclass(frozen=True, slots=True)
class Message:
    """What the broker sent on a topic that was subscribed to."""

    topic: str
    payload: bytes
    retain: bool
    mid: int
    qos: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What one connection wants of the broker."""

    will_topic: str | None = None
    """Topic that `offline` is retained on when the connection is lost."""
    retained_will: bool = True
    """Whether the will is retained; some brokers keep nothing."""
    session_s: int | None = None
    """How long the broker keeps subscriptions and what comes on them after the connection, seconds; None: not at all.
    MQTT 3.1.1 knows no time: there it is kept for good."""
    brief_session_s: int | None = None
    """As `session_s`, for a client id that nobody uses again: over with a goodbye. With MQTT 3.1.1 it is over once the
    client id has connected without."""
    max_payload_bytes: int | None = None
    """Longest payload that is taken. With MQTT 5 the broker is told to send nothing of more than four times its length;
    what lies between is counted."""
    manual_ack: bool = False
    """Whether messages of QoS 1 are acknowledged by `acknowledge` alone, not as they come."""

    @property
    def kept_s(self) -> int | None:
        """How long the broker keeps the session, seconds, with MQTT 3.1.1 for good; None: not at all."""
        return self.brief_session_s if self.session_s is None else self.session_s

    def properties(self) -> Properties:
        """As MQTT 5 takes them."""
        properties = Properties(PacketTypes.CONNECT)
        if self.kept_s is not None:
            properties.SessionExpiryInterval = self.kept_s
        if self.max_payload_bytes is not None:
            properties.MaximumPacketSize = 4 * self.max_payload_bytes + PACKET_OVERHEAD
        return properties

    def last_properties(self) -> Properties:
        """Those of a goodbye with MQTT 5: a brief session is over with it."""
        properties = Properties(PacketTypes.DISCONNECT)
        if self.session_s is None and self.brief_session_s is not None:
            properties.SessionExpiryInterval = 0
        return properties


def content(kind: str | None) -> Properties | None:
    """What MQTT 5 says beside a message of which its media type is told."""
    if kind is None:
        return None
    properties = Properties(PacketTypes.PUBLISH)
    properties.ContentType = kind
    return properties
