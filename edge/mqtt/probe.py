"""Tries a broker as an agent would use it, and leaves again."""

import time
import uuid

from edge.mqtt.connection import ConnectError, Connection
from edge.wire.broker import BrokerSettings

_ALERT_BYTES = 4096
"""What an event of a stream of many channels comes to, with its peak."""
_ECHO_S = 3.0
"""How long what was published may take to come back, seconds."""


def probe(settings: BrokerSettings, client_id: str, timeout_s: float = 4.0, topic: str | None = None) -> str:
    """Connect, publish on `topic` and read it back, and leave; the MQTT version and the broker's limits, in words.

    Take a `client_id` that nobody else is using, and a topic that nobody reads.

    Raises:
        ConnectError: one of these does not work, and which.
    """
    connection = Connection(settings, client_id)
    try:
        connection.open(timeout_s)
        told = f"MQTT {connection.version}"
        if connection.granted.max_packet_bytes is not None:
            told += f", packets up to {connection.granted.max_packet_bytes} bytes"
        elif connection.version == "3.1.1":
            told += ", which cannot refuse long messages nor tell what an access list refuses; set message_size_limit"
        else:
            told += ", packets of any length; set max_packet_size: while the broker takes in 100 MB, alerts wait"
        if topic is not None:
            _require_room(connection)
            told += f"; {_echo(connection, topic)}"
        return told
    finally:
        connection.close(goodbye=True)


def _require_room(connection: Connection) -> None:
    """That the broker takes what an agent publishes."""
    if connection.granted.max_qos < 1:
        raise ConnectError(f"{connection.address}: it takes QoS 0 alone, and alerts want QoS 1: max_qos in its config")
    if connection.granted.max_packet_bytes is not None and connection.granted.max_packet_bytes < _ALERT_BYTES:
        limit = f"it takes {connection.granted.max_packet_bytes} bytes at most, and an alert may have {_ALERT_BYTES}"
        raise ConnectError(f"{connection.address}: {limit}: raise max_packet_size in its config")


def _echo(connection: Connection, topic: str) -> str:
    payload = uuid.uuid4().hex.encode()
    connection.subscribe([topic])
    connection.publish(topic, payload)
    came = False
    until = time.monotonic() + _ECHO_S
    while connection.connected and not came and (left_s := until - time.monotonic()) > 0:
        connection.step(left_s)
        came = any(message.payload == payload for message in connection.messages)
        if connection.refused:
            raise ConnectError(f"{connection.address}: publishing on {topic} is refused: {connection.refused[0][1]}")
        for _, refusal in connection.subscribed:
            if refusal is not None:
                raise ConnectError(f"{connection.address}: the subscription to {topic} is refused: {refusal}")
    if not came:
        taken = "was taken" if connection.acknowledged else "was not acknowledged"
        raise ConnectError(
            f"{connection.address}: what was published on {topic} {taken} and did not come back in {_ECHO_S:g} s; "
            "let this user write to and read from it in the broker's access list"
        )
    return f"published on {topic} and read back"
