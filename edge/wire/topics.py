"""The MQTT topics, in one place."""

import re
from dataclasses import dataclass

_ID = re.compile(r"[a-zA-Z0-9_-]+")
RESERVED_STREAMS = frozenset({"status", "info", "health", "request", "response"})
"""Words that follow the device in a topic of its own; a stream cannot be called so."""


def valid_id(name: str) -> bool:
    """Whether a device, board or channel-free id may stand as one level of a topic."""
    return _ID.fullmatch(name) is not None


def valid_stream_id(name: str) -> bool:
    """Whether a stream may be called so: a valid id that is no reserved word."""
    return valid_id(name) and name not in RESERVED_STREAMS


def readings_topic(board: str, root: str = "sensors") -> str:
    """Where a board publishes its readings; `+` for every board."""
    return f"{root}/{board}/readings"


def board_of(topic: str, root: str = "sensors") -> str | None:
    """The board of a readings topic, or None where the topic is another's."""
    prefix, suffix = f"{root}/", "/readings"
    if not (topic.startswith(prefix) and topic.endswith(suffix)):
        return None
    board = topic[len(prefix) : -len(suffix)]
    return board if valid_id(board) else None


@dataclass(frozen=True, slots=True)
class DeviceTopics:
    """The topics of one device below `root`. `device` may be `+` in a subscription.

    >>> DeviceTopics("gw-1").event("pump1")
    'offbeat/gw-1/pump1/event'
    """

    device: str
    root: str = "offbeat"

    @property
    def status(self) -> str:
        """Retained `online` / `offline`; also the last will."""
        return f"{self.root}/{self.device}/status"

    @property
    def info(self) -> str:
        """Retained: version, bundles, config schema."""
        return f"{self.root}/{self.device}/info"

    @property
    def health(self) -> str:
        """Load, memory, inference times, outbox depth, per-stream counts."""
        return f"{self.root}/{self.device}/health"

    @property
    def check(self) -> str:
        """Where `offbeat-edge check` publishes and reads it back."""
        return f"{self.root}/{self.device}/check"

    def availability(self, stream: str) -> str:
        """Retained `online` / `offline` of one stream's sensor."""
        return f"{self.root}/{self.device}/{stream}/availability"

    def state(self, stream: str) -> str:
        """Retained: is the stream in alarm now."""
        return f"{self.root}/{self.device}/{stream}/state"

    def event(self, stream: str) -> str:
        """The alerts themselves, through the outbox."""
        return f"{self.root}/{self.device}/{stream}/event"

    def request(self, command: str) -> str:
        """Where a command to the device is sent."""
        return f"{self.root}/{self.device}/request/{command}"

    def response(self, command: str) -> str:
        """Where the device answers that command."""
        return f"{self.root}/{self.device}/response/{command}"
