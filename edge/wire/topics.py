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
    """Where a board publishes its readings, `{"time": …, "seq": …, "values": {…}}`; `+` for every board."""
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
        """Retained: version, bundles with variant, runtime and members that take part, config schema."""
        return f"{self.root}/{self.device}/info"

    @property
    def health(self) -> str:
        """Load, memory, times of inference and commit, outbox, link, sources, counts of each stream."""
        return f"{self.root}/{self.device}/health"

    @property
    def group(self) -> str:
        """Retained: streams that fail together, `{"id": …, "since": …, "members": […]}`; see the page on groups."""
        return f"{self.root}/{self.device}/group"

    @property
    def check(self) -> str:
        """Where `offbeat-edge check` publishes and reads it back."""
        return f"{self.root}/{self.device}/check"

    def availability(self, stream: str) -> str:
        """Retained `online` / `offline`: whether the stream's board is heard and the stream is served."""
        return f"{self.root}/{self.device}/{stream}/availability"

    def state(self, stream: str) -> str:
        """Retained: `{"anomaly": …, "score": …, "event_id": …, "time": …, "open": […]}`; `ON`, `OFF`, `commissioning`
        or `unknown`, with every open episode; see the page on state."""
        return f"{self.root}/{self.device}/{stream}/state"

    def event(self, stream: str) -> str:
        """The `new`, `update` and `end` of each episode, QoS 1, from the outbox; see the events' page."""
        return f"{self.root}/{self.device}/{stream}/event"

    def snapshot(self, stream: str) -> str:
        """An episode's rows around start and peak with what was expected, QoS 1; see the page on snapshots."""
        return f"{self.root}/{self.device}/{stream}/snapshot"

    def request(self, command: str) -> str:
        """A command and its arguments, `{"transaction": …, …}`; answered where `[requests] allow` names it."""
        return f"{self.root}/{self.device}/request/{command}"

    def response(self, command: str) -> str:
        """The answer, `{"status": "ok", "data": …, "transaction": …}`."""
        return f"{self.root}/{self.device}/response/{command}"
