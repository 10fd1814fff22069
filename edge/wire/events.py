"""Anomaly events: the types that the detector makes and the message that subscribers read."""

import json
from dataclasses import asdict, dataclass, field, fields
from importlib import resources
from typing import Any, Literal

from edge.wire.payload import encode_payload, jsonable

SCHEMA_VERSION = 1
EventType = Literal["new", "update", "end"]
Kind = Literal["anomaly", "drift", "rule", "sensor"]
Severity = Literal["info", "warning", "critical"]


class EventError(ValueError):
    """A message that is no event of a schema known here."""


@dataclass(frozen=True, slots=True)
class Contributor:
    """One channel's part in an event."""

    channel: str
    share: float
    """Part of the score, 0 to 1; the shares of an event add up to at most 1."""
    value: float | None
    """Last reading, in `unit`; None while it is missing."""
    expected: float | None
    """What the model expected there, in `unit`."""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class RuleHit:
    """The rule behind an event of kind `rule` or `sensor`."""

    name: str
    channel: str
    limit: float | None
    value: float | None


@dataclass(frozen=True, slots=True)
class WindowSpan:
    """The window that the event's latest score was computed on."""

    start: float
    """Unix seconds."""
    end: float
    """Unix seconds."""
    rows: int


@dataclass(frozen=True, slots=True)
class ModelRef:
    """The bundle that scored: its name and the SHA-256 of its manifest, hexadecimal."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Event:
    """What the detector says of one episode; all events of an episode carry its id.

    Scores are in units of the alarm level (1.0). Times are Unix seconds of the readings.
    """

    event_type: EventType
    id: str
    stream: str
    kind: Kind
    start_time: float
    """Onset of the episode."""
    end_time: float | None
    """End of the episode; None until `event_type` is `end`."""
    time: float
    """Time of the row that caused this event."""
    score: float | None
    top_score: float | None
    severity: Severity
    return_period_s: float | None
    """On normal data such a score comes about once in this time; None beyond what the data can tell."""
    contributors: tuple[Contributor, ...] = ()
    rule: RuleHit | None = None
    window: WindowSpan | None = None
    model: ModelRef | None = None


@dataclass(frozen=True, slots=True)
class EventMessage:
    """An event as it travels: `(device, log, seq)` identifies the message, `seq` orders it within `log`."""

    event: Event
    device: str
    log: str
    seq: int
    replayed: bool = False
    """True whenever it may have been sent before, or was pending when the connection came up."""
    durable: bool = True
    """False when the disk refused the commit and the event came from memory."""
    schema: int = field(default=SCHEMA_VERSION)


def event_schema() -> dict[str, Any]:
    """The published JSON Schema of an event message."""
    return json.loads(resources.files("edge.wire").joinpath("event.schema.json").read_text("utf-8"))


def event_to_dict(event: Event) -> dict[str, Any]:
    """The event as plain JSON types; numbers that are not finite become null."""
    return jsonable(asdict(event))


def message_to_dict(message: EventMessage) -> dict[str, Any]:
    """The message as plain JSON types, in the published order of fields."""
    body = event_to_dict(message.event)
    head = {"schema": message.schema, "event_type": body.pop("event_type"), "id": body.pop("id")}
    return {
        **head,
        "log": message.log,
        "seq": message.seq,
        "device": message.device,
        **body,
        "replayed": message.replayed,
        "durable": message.durable,
    }


def encode_message(message: EventMessage) -> bytes:
    """The JSON payload of an event topic."""
    return encode_payload(message_to_dict(message))


def event_from_dict(body: dict[str, Any]) -> Event:
    """The event in a dict as `event_to_dict` makes it; unknown keys are ignored.

    Raises:
        EventError: a field is missing or of the wrong shape.
    """
    try:
        return Event(
            event_type=body["event_type"],
            id=str(body["id"]),
            stream=str(body["stream"]),
            kind=body["kind"],
            start_time=float(body["start_time"]),
            end_time=None if body["end_time"] is None else float(body["end_time"]),
            time=float(body["time"]),
            score=body["score"],
            top_score=body["top_score"],
            severity=body["severity"],
            return_period_s=body["return_period_s"],
            contributors=tuple(_known(Contributor, part) for part in body.get("contributors") or ()),
            rule=_known(RuleHit, body.get("rule")),
            window=_known(WindowSpan, body.get("window")),
            model=_known(ModelRef, body.get("model")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EventError(f"no event: {type(error).__name__} {error}") from error


def decode_message(payload: bytes | str) -> EventMessage:
    """The message in an event topic's payload; keys that a newer sender added are ignored.

    Raises:
        EventError: no JSON, another schema, or fields missing.
    """
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise EventError(f"an event wants JSON: {error}") from error
    if not isinstance(body, dict) or body.get("schema") != SCHEMA_VERSION:
        found = body.get("schema") if isinstance(body, dict) else type(body).__name__
        raise EventError(f"event schema {found!r}; this reader knows {SCHEMA_VERSION}")
    try:
        return EventMessage(
            event_from_dict(body),
            str(body["device"]),
            str(body["log"]),
            int(body["seq"]),
            bool(body["replayed"]),
            bool(body["durable"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise EventError(f"no event message: {type(error).__name__} {error}") from error


def _known(kind: type, body: dict[str, Any] | None) -> Any:
    if body is None:
        return None
    return kind(**{part.name: body[part.name] for part in fields(kind) if part.name in body})
