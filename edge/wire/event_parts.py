"""What an event consists of: contributors, the peak, a rule, a window, a model; and how they are read.

Fields that came after version 0.1 have defaults, which hold where an older writer did not know them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from edge.wire.fields import (
    choice,
    integer,
    number,
    objects,
    optional,
    optional_number,
    text,
    where_known,
)

Direction = Literal["above", "below"]
Reason = Literal["level", "relation", "noise", "pattern"]


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
    tolerance: float | None = None
    """How far from `expected` normal rows stay, in `unit`, 0 or more; None where that is not known."""
    direction: Direction | None = None
    """On which side of `expected` the value is; None where either is missing or the side says nothing."""
    reason: Reason | str | None = None
    """What is unusual: the channel's own `level`, its `relation` to the others, more or less `noise`, or another
    `pattern` in time. None where that is not known; a newer device may know other words."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The row with the highest score of an episode so far."""

    time: float
    """Unix seconds."""
    score: float
    return_period_s: float | None
    """Of that score; None as in the event."""
    contributors: tuple[Contributor, ...] = ()
    """Of that row."""


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


def contributors_in(body: Mapping[str, Any]) -> tuple[Contributor, ...]:
    """Those that a decoded event or peak lists; raises `FieldError`, as all here."""
    return tuple(_contributor(part) for part in objects(body, "contributors"))


def peak_of(body: Mapping[str, Any]) -> Peak:
    """Out of its JSON object."""
    rare_s = optional_number(body, "return_period_s")
    return Peak(number(body, "time"), number(body, "score"), rare_s, contributors_in(body))


def rule_of(body: Mapping[str, Any]) -> RuleHit:
    """Out of its JSON object."""
    limit, value = optional_number(body, "limit"), optional_number(body, "value")
    return RuleHit(text(body, "name"), text(body, "channel"), limit, value)


def window_of(body: Mapping[str, Any]) -> WindowSpan:
    """Out of its JSON object."""
    return WindowSpan(number(body, "start"), number(body, "end"), integer(body, "rows"))


def model_of(body: Mapping[str, Any]) -> ModelRef:
    """Out of its JSON object."""
    return ModelRef(text(body, "name"), text(body, "sha256"))


def _contributor(body: Mapping[str, Any]) -> Contributor:
    return Contributor(
        text(body, "channel"),
        number(body, "share"),
        optional_number(body, "value"),
        optional_number(body, "expected"),
        text(body, "unit"),
        where_known(body, "tolerance", optional_number, None),
        where_known(body, "direction", _direction, None),
        where_known(body, "reason", optional(text), None),
    )


_direction = optional(lambda body, name: choice(body, name, get_args(Direction)))
