"""What a reader of alerts calls back with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from edge.wire.events import EventMessage

OnEvent = Callable[[EventMessage, bytes], None]
"""Gets each alert once, in order, with its payload as it came."""
OnState = Callable[[str, str, dict[str, Any]], None]
"""Gets device, stream and the body of each `state`; an empty one where the topic was cleared."""
OnStatus = Callable[[str, bool], None]
"""Gets device and whether it is online."""
OnAvailability = Callable[[str, str, bool], None]
"""Gets device, stream and whether it is online; offline is a stream that is silent or not served."""
OnResponse = Callable[[str, str, dict[str, Any]], None]
"""Gets device, command and the answer to a request."""
OnLink = Callable[[bool, str], None]
"""Gets changes of the reader's own connection: there or not, and address or reason."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps alerts from being read."""

    kind: Literal["unreadable", "missing", "refused"]
    """`unreadable`: an alert that is none, or of a newer schema; `missing`: numbers `first` to `last` of a log did not
    come; `refused`: a subscription, but not that to alerts."""
    where: str
    """Device and stream, device, or topic."""
    reason: str
    log: str = ""
    first: int = 0
    last: int = 0


OnTrouble = Callable[[Trouble], None]
