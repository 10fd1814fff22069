"""The retained `state` of a stream: whether it is in alarm, and every episode that is open."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any, Literal, get_args

from edge.wire.events import Kind, Severity
from edge.wire.fields import (
    FieldError,
    choice,
    flag,
    integer,
    number,
    objects,
    optional,
    optional_number,
    text,
    where_known,
)
from edge.wire.payload import jsonable

Standing = Literal["ON", "OFF", "commissioning", "unknown"]
MOST_LISTED = 32
"""Open episodes that a state lists, and snoozes: some 10 kB, which every subscriber gets with each change. A bundle
of 500 channels may break 2,500 rules at once; how many more there are is in `more`."""


class StateError(ValueError):
    """A payload that is no state."""


@dataclass(frozen=True, slots=True)
class EpisodeNow:
    """How an open episode stands at a row of which nothing was said."""

    top_score: float | None
    calming: bool = False
    occurrences: int = 1


@dataclass(frozen=True, slots=True)
class OpenEpisode:
    """An episode that is not over."""

    id: str
    kind: Kind
    severity: Severity
    start_time: float
    """Onset, Unix seconds."""
    top_score: float | None
    """The highest score so far; None for rules."""
    channel: str | None
    """The first contributor, or the rule's channel; None where none is known."""
    rule: str | None = None
    """Name of the rule, for kinds rule and sensor."""
    calming: bool = False
    """Whether its alarm has gone off, while it is waited for whether it comes back."""
    acknowledged: bool = False
    acknowledged_at: float | None = None
    """When, Unix seconds; None while it is not."""
    acknowledged_by: str | None = None
    """Who, where that was given."""
    snoozed_until: float | None = None
    """Nothing is said of it before then, Unix seconds; None while it is not snoozed."""
    group: str | None = None
    """Of what failed together."""
    occurrences: int = 1
    """How often it has been in alarm; of what comes and goes, 2 and more. Whether it is now, `calming` says."""


@dataclass(frozen=True, slots=True)
class Snoozed:
    """A condition of which nothing is said for a while, whether it is open or not."""

    event_id: str
    """Of the episode that it was asked for with; `unsnooze` takes it."""
    kind: Kind
    until: float
    """Unix seconds."""
    rule: str | None = None
    channel: str | None = None
    """The rule's; None for an anomaly and a drift, which are of the whole stream."""
    at: float | None = None
    """When that was asked for, Unix seconds."""
    by: str | None = None
    """By whom, where that was given."""
    flaps: int = 0
    """Episodes that began since, and were kept back."""


@dataclass(frozen=True, slots=True)
class StreamState:
    """What the retained topic says of one stream."""

    anomaly: Standing
    """`ON`: an episode of any kind is open. `OFF`: judged and calm. `commissioning`: no score yet, and no rule is
    broken. `unknown`: not judged."""
    score: float | None
    time: float
    """Of the row, Unix seconds."""
    open: tuple[OpenEpisode, ...] = ()
    """The worst first, then the oldest; at most `MOST_LISTED`."""
    more: int = 0
    """Open episodes beyond those."""
    snoozed: tuple[Snoozed, ...] = ()
    planned: str | None = None
    """Name of the planned exception that keeps back what is said of the stream now."""

    @property
    def event_id(self) -> str | None:
        """Of the anomaly that is open, else of the first episode in `open`."""
        anomalies = (one.id for one in self.open if one.kind == "anomaly")
        return next(anomalies, self.open[0].id if self.open else None)

    @property
    def alarm(self) -> tuple[Any, ...]:
        """What is told at once when it changes; the figures can wait."""
        told = [
            (one.id, one.severity, one.calming, one.acknowledged, one.snoozed_until, one.group, one.occurrences)
            for one in self.open
        ]
        return self.anomaly, tuple(told), self.more, self.snoozed, self.planned


def listed(episodes: Sequence[OpenEpisode]) -> tuple[tuple[OpenEpisode, ...], int]:
    """The episodes as a state lists them, and how many it leaves out; the anomaly is always among them."""
    severities = get_args(Severity)
    ordered = sorted(
        episodes, key=lambda one: (-severities.index(one.severity), one.kind != "anomaly", one.start_time, one.id)
    )
    return tuple(ordered[:MOST_LISTED]), max(0, len(ordered) - MOST_LISTED)


def state_to_dict(state: StreamState) -> dict[str, Any]:
    """The payload as plain JSON types, in the published order of fields."""
    body = jsonable(asdict(state))
    head = {"anomaly": body.pop("anomaly"), "score": body.pop("score"), "event_id": state.event_id}
    return {**head, **body}


def state_from_dict(body: Mapping[str, Any]) -> StreamState:
    """The state in a decoded payload, also of an older device, which lists nothing.

    Raises:
        StateError: a field is missing or of the wrong type.
    """
    try:
        return StreamState(
            choice(body, "anomaly", get_args(Standing)),
            optional_number(body, "score"),
            number(body, "time"),
            tuple(_open_of(part) for part in _listed(body, "open")),
            where_known(body, "more", integer, 0),
            tuple(_snoozed_of(part) for part in _listed(body, "snoozed")),
            where_known(body, "planned", _text, None),
        )
    except FieldError as error:
        raise StateError(f"no state: {error}") from error


def state_schema() -> dict[str, Any]:
    """The published JSON Schema of a stream's state."""
    return json.loads(resources.files("edge.wire").joinpath("schemas/state.schema.json").read_text("utf-8"))


_text = optional(text)


def _listed(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    nothing: list[dict[str, Any]] = []
    return where_known(body, name, objects, nothing)


def _open_of(body: Mapping[str, Any]) -> OpenEpisode:
    return OpenEpisode(
        text(body, "id"),
        choice(body, "kind", get_args(Kind)),
        choice(body, "severity", get_args(Severity)),
        number(body, "start_time"),
        optional_number(body, "top_score"),
        _text(body, "channel"),
        where_known(body, "rule", _text, None),
        where_known(body, "calming", flag, False),
        where_known(body, "acknowledged", flag, False),
        where_known(body, "acknowledged_at", optional_number, None),
        where_known(body, "acknowledged_by", _text, None),
        where_known(body, "snoozed_until", optional_number, None),
        where_known(body, "group", _text, None),
        where_known(body, "occurrences", integer, 1),
    )


def _snoozed_of(body: Mapping[str, Any]) -> Snoozed:
    return Snoozed(
        text(body, "event_id"),
        choice(body, "kind", get_args(Kind)),
        number(body, "until"),
        where_known(body, "rule", _text, None),
        where_known(body, "channel", _text, None),
        where_known(body, "at", optional_number, None),
        where_known(body, "by", _text, None),
        where_known(body, "flaps", integer, 0),
    )
