"""What the broker keeps for a reader of alerts while its link is lost, and that nothing of it is left behind."""

import uuid
import weakref
from contextlib import suppress

from edge.mqtt.connection import ConnectError, Connection
from edge.mqtt.wishes import Wishes
from edge.wire.broker import BrokerSettings

_SESSION_S = 7 * 86400
"""How long the broker keeps what comes for a reader with a `client_id` that is away, seconds."""
_BRIEF_S = 600
"""The same for one without, whose link is lost; if its process is killed this is left at the broker. MQTT 3.1.1 knows
no time: there the broker keeps it until it is told to forget, or as long as its own configuration says."""
_LONGEST_BYTES = 262_144
"""Of a payload that is read; the longest that an agent sends are rows, some 120 KB."""
_FORGET_S = 1.0
"""How long a reader that ends may take to have the broker forget it, seconds."""


class ReaderSession:
    """The session of a reader: one that stays with a `client_id` of its own, else one that ends with the reader.

    That is when `end` is called, when nobody has the reader any more, or when the interpreter ends, by an exception
    or Ctrl-C as well.
    """

    def __init__(self, broker: BrokerSettings) -> None:
        self._broker = broker
        self._client_id = broker.client_id or f"offbeat-reader-{uuid.uuid4().hex[:12]}"
        self._forget: weakref.finalize[..., ReaderSession] | None = None

    def connection(self) -> Connection:
        """A new one, not yet open, that goes on with the session."""
        session_s = None if self._broker.client_id is None else _SESSION_S
        if session_s is None and self._forget is None:
            self._forget = weakref.finalize(self, _forget, self._broker, self._client_id)
        wishes = Wishes(
            session_s=session_s, brief_session_s=_BRIEF_S, max_payload_bytes=_LONGEST_BYTES, manual_ack=True
        )
        return Connection(self._broker, self._client_id, wishes=wishes)

    def end(self, connection: Connection | None) -> None:
        """Leave the broker, where there is a connection; what is kept for this reader alone is over."""
        with_goodbye = connection is not None and connection.connected and connection.version == "5"
        if connection is not None:
            connection.close(goodbye=True)
        forget, self._forget = self._forget, None
        if forget is not None:
            forget.detach() if with_goodbye else forget()


def _forget(broker: BrokerSettings, client_id: str) -> None:
    """Have the broker drop a session, as a new one that is not kept takes its place."""
    connection = Connection(broker, client_id)
    with suppress(ConnectError):
        connection.open(_FORGET_S)
    connection.close(goodbye=True)
