"""Anomaly events: the types that the detector makes and the message that subscribers read."""

import json
from dataclasses import asdict, dataclass, field
from importlib import resources
from typing import Any, Literal, get_args

from edge.wire.envelope import opened
from edge.wire.event_parts import (
    Contributor,
    Direction,
    ModelRef,
    Peak,
    Reason,
    RuleHit,
    WindowSpan,
    contributors_in,
    model_of,
    peak_of,
    rule_of,
    window_of,
)
from edge.wire.fields import (
    FieldError,
    choice,
    flag,
    integer,
    nested,
    number,
    optional,
    optional_number,
    text,
    where_known,
)
from edge.wire.payload import encode_payload, jsonable
from edge.wire.topics import valid_id

__all__ = [
    "SCHEMA_VERSION",
    "Contributor",
    "Direction",
    "Event",
    "EventError",
    "EventMessage",
    "EventType",
    "Kind",
    "ModelRef",
    "Peak",
    "Reason",
    "RuleHit",
    "Severity",
    "WindowSpan",
    "decode_message",
    "encode_message",
    "event_from_dict",
    "event_schema",
    "event_to_dict",
    "message_to_dict",
]

SCHEMA_VERSION = 1
EventType = Literal["new", "update", "end"]
Kind = Literal["anomaly", "drift", "rule", "sensor"]
Severity = Literal["info", "warning", "critical"]


class EventError(ValueError):
    """A message that is no event of a schema known here."""


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
    """On normal data such a score comes about once in this time; None where it is rarer than the data can tell."""
    contributors: tuple[Contributor, ...] = ()
    rule: RuleHit | None = None
    window: WindowSpan | None = None
    model: ModelRef | None = None
    peak: Peak | None = None
    """The loudest row of the episode so far, also between two events; None without a score, and where an older
    version began the episode."""
    calming: bool = False
    """True on an `update` that is the last before the episode calms."""
    group: str | None = None
    """Of the streams that fail together, the id of the first one's episode, perhaps this one's own; None where an
    older version began the episode."""
    suppressed: int = 0
    """Episodes of the same condition that a snooze has kept back before this message."""
    ended_by: str | None = None
    """Of an `end` that was told although the episode was not over, what ended it: `recalibrated`, somebody had the
    stream forget what it learnt."""
    occurrences: int = 1
    """How often the same has been in alarm, this time with it: 2 and more for what came back, at first as an episode of
    its own, then as this one, which stays open while it is quiet."""


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
    """The event in a dict as `event_to_dict` makes it, or made it in an older version; unknown keys are ignored.

    Raises:
        EventError: a field is missing or of the wrong type.
    """
    try:
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
            contributors=contributors_in(body),
            rule=optional(nested(rule_of))(body, "rule"),
            window=optional(nested(window_of))(body, "window"),
            model=optional(nested(model_of))(body, "model"),
            peak=where_known(body, "peak", optional(nested(peak_of)), None),
            calming=where_known(body, "calming", flag, False),
            group=where_known(body, "group", optional(text), None),
            suppressed=where_known(body, "suppressed", integer, 0),
            ended_by=where_known(body, "ended_by", optional(text), None),
            occurrences=where_known(body, "occurrences", integer, 1),
        )
    except FieldError as error:
        raise EventError(f"no event: {error}") from error


def decode_message(payload: bytes | str) -> EventMessage:
    """The message in an event topic's payload, in an envelope or none; keys that a newer sender added are ignored.

    Raises:
        EventError: no JSON, another schema, or not what the published schema allows.
    """
    try:
        body = opened(json.loads(payload))
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


def _broken_rule(message: EventMessage) -> str | None:
    """What the published schema demands beyond the types of single fields; None when all is well."""
    event = message.event
    by_rule = event.kind in ("rule", "sensor")
    parts = event.contributors if event.peak is None else event.contributors + event.peak.contributors
    holds = {
        "device and stream want letters, digits, _ and -": valid_id(message.device) and valid_id(event.stream),
        "id and log are not empty": bool(event.id and message.log),
        "seq starts at 1": message.seq >= 1,
        "end_time comes with the end, and only then": (event.end_time is None) == (event.event_type != "end"),
        "kinds rule and sensor carry a rule, the others none": (event.rule is None) != by_rule,
        "a rule has no score": not by_rule or (event.score is None and event.top_score is None),
        "a rule has no peak": not by_rule or event.peak is None,
        "shares are 0 to 1": all(0 <= part.share <= 1 for part in parts),
        "a tolerance is 0 or more": all(part.tolerance is None or part.tolerance >= 0 for part in parts),
        "suppressed is 0 or more": event.suppressed >= 0,
        "occurrences is 1 or more": event.occurrences >= 1,
        "a window has rows": event.window is None or event.window.rows >= 1,
    }
    return next((rule for rule, held in holds.items() if not held), None)
