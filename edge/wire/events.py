"""Anomaly events: the types that the detector makes and the message that subscribers read."""

import json
from dataclasses import asdict, dataclass, field
from importlib import resources
from typing import Any, Literal, get_args

from edge.wire.fields import (
    FieldError,
    choice,
    flag,
    integer,
    number,
    objects,
    optional_number,
    optional_object,
    text,
)
from edge.wire.payload import encode_payload, jsonable
from edge.wire.topics import valid_id

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
        EventError: a field is missing or of the wrong type.
    """
    try:
        rule, window, model = (optional_object(body, name) for name in ("rule", "window", "model"))
        return Event(
            event_type=choice(body, "event_type", get_args(EventType)),
            id=text(body, "id"),
            stream=text(body, "stream"),
            kind=choice(body, "kind", get_args(Kind)),
            start_time=number(body, "start_time"),
            end_time=optional_number(body, "end_time"),
            time=number(body, "time"),
            score=optional_number(body, "score"),
            top_score=optional_number(body, "top_score"),
            severity=choice(body, "severity", get_args(Severity)),
            return_period_s=optional_number(body, "return_period_s"),
            contributors=tuple(_contributor(part) for part in objects(body, "contributors")),
            rule=None if rule is None else _rule(rule),
            window=None if window is None else _window(window),
            model=None if model is None else ModelRef(text(model, "name"), text(model, "sha256")),
        )
    except FieldError as error:
        raise EventError(f"no event: {error}") from error


def decode_message(payload: bytes | str) -> EventMessage:
    """The message in an event topic's payload; keys that a newer sender added are ignored.

    Raises:
        EventError: no JSON, another schema, or not what the published schema allows.
    """
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise EventError(f"an event wants JSON: {error}") from error
    if not isinstance(body, dict) or body.get("schema") != SCHEMA_VERSION:
        found = body.get("schema") if isinstance(body, dict) else type(body).__name__
        raise EventError(f"event schema {str(found)[:40]!r}; this reader knows {SCHEMA_VERSION}")
    event = event_from_dict(body)
    try:
        message = EventMessage(
            event,
            text(body, "device"),
            text(body, "log"),
            integer(body, "seq"),
            flag(body, "replayed"),
            flag(body, "durable"),
        )
    except FieldError as error:
        raise EventError(f"no event message: {error}") from error
    if broken := _broken_rule(message):
        raise EventError(f"no event message: {broken}")
    return message


def _contributor(body: dict[str, Any]) -> Contributor:
    return Contributor(
        text(body, "channel"),
        number(body, "share"),
        optional_number(body, "value"),
        optional_number(body, "expected"),
        text(body, "unit"),
    )


def _rule(body: dict[str, Any]) -> RuleHit:
    limit, value = optional_number(body, "limit"), optional_number(body, "value")
    return RuleHit(text(body, "name"), text(body, "channel"), limit, value)


def _window(body: dict[str, Any]) -> WindowSpan:
    return WindowSpan(number(body, "start"), number(body, "end"), integer(body, "rows"))


def _broken_rule(message: EventMessage) -> str | None:
    """What the published schema demands beyond the types of single fields; None when all is well."""
    event = message.event
    by_rule = event.kind in ("rule", "sensor")
    holds = {
        "device and stream want letters, digits, _ and -": valid_id(message.device) and valid_id(event.stream),
        "id and log are not empty": bool(event.id and message.log),
        "seq starts at 1": message.seq >= 1,
        "end_time comes with the end, and only then": (event.end_time is None) == (event.event_type != "end"),
        "kinds rule and sensor carry a rule, the others none": (event.rule is None) != by_rule,
        "a rule has no score": not by_rule or (event.score is None and event.top_score is None),
        "shares are 0 to 1": all(0 <= part.share <= 1 for part in event.contributors),
        "a window has rows": event.window is None or event.window.rows >= 1,
    }
    return next((rule for rule, held in holds.items() if not held), None)
