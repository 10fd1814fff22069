"""What people made of a stream's alerts: acknowledged until they clear, snoozed for a while.

The senses are those of ISA-18.2 and of OPC UA Part 9: to acknowledge is to have seen an alarm, to snooze is their
shelving. What is suppressed by design is planned in the config instead (`edge.detector.events.planned`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, get_args

from edge.wire.events import Event, Kind, Severity, event_from_dict, event_to_dict

LONGEST_BY = 200
"""Characters of a name that is kept."""
_OWED = 4
"""Ends that a snooze may keep back, at most: that of the episode it began with, and of one that broke through."""
_RECENT = 8
"""Conditions that may still be snoozed after their episode is over."""
_SEVERITIES: tuple[str, ...] = get_args(Severity)  # the worst last


def key_of(event: Event) -> str:
    """The condition that an event is of, as a stream's snapshot keeps it: the score, the drift, or one rule.

    >>> key_of(Event("new", "e1", "pump1", "drift", 1.0, None, 1.0, 1.0, 1.0, "warning", None))
    'drift'
    """
    if event.rule is not None:
        return f"{event.rule.name}:{event.rule.channel}"
    return "drift" if event.kind == "drift" else ""


@dataclass
class Mark:
    """An episode that somebody has seen."""

    at: float
    """Unix seconds."""
    by: str
    severity: str
    """As it was seen; worse than that is to be seen again."""


@dataclass
class Snooze:
    """A condition of which nothing is said for a while, also if it comes back as another episode."""

    event_id: str
    """Of the episode that was snoozed."""
    kind: Kind
    until: float
    """Unix seconds."""
    at: float
    by: str
    severity: str
    """What is worse breaks through, once."""
    rule: str | None = None
    channel: str | None = None
    flaps: int = 0
    """Episodes that began since."""
    untold: str | None = None
    """The open one of these, if nothing was said of it."""
    owed: list[dict[str, Any]] = field(default_factory=list)
    """Ends of episodes of which something was said, to be told after it."""


@dataclass(frozen=True)
class Recent:
    """What is needed to snooze a condition."""

    event_id: str
    kind: Kind
    severity: str
    rule: str | None
    channel: str | None


def recent_of(event: Event) -> Recent:
    """Of an event."""
    rule, channel = (None, None) if event.rule is None else (event.rule.name, event.rule.channel)
    return Recent(event.id, event.kind, event.severity, rule, channel)


@dataclass
class Attention:
    """What is acknowledged and snoozed of one stream. Times are Unix seconds of the wall clock."""

    acknowledged: dict[str, Mark] = field(default_factory=dict)
    """By the episode's id."""
    snoozed: dict[str, Snooze] = field(default_factory=dict)
    """By the condition's key."""
    recent: dict[str, Recent] = field(default_factory=dict)
    """By the condition's key, the last that are over."""

    def passed(self, events: Iterable[Event]) -> list[Event]:
        """The events that are told; what a snooze keeps back is remembered."""
        return [told for event in events for told in self._passed(event)]

    def _passed(self, event: Event) -> list[Event]:
        mark = self.acknowledged.get(event.id)
        if mark is not None and (event.event_type == "end" or _worse(event.severity, mark.severity)):
            del self.acknowledged[event.id]
        key = key_of(event)
        if event.event_type == "end":
            self.recent.pop(key, None)
            self.recent[key] = recent_of(event)
            self.recent = dict(list(self.recent.items())[-_RECENT:])
        snooze = self.snoozed.get(key)
        return [event] if snooze is None else self._through(snooze, event)

    def _through(self, snooze: Snooze, event: Event) -> list[Event]:
        if event.event_type == "end":
            if snooze.untold == event.id:
                snooze.untold = None
            else:
                snooze.owed = [*snooze.owed, event_to_dict(event)][-_OWED:]
            return []
        if event.event_type == "new" and snooze.untold != event.id:
            snooze.flaps, snooze.untold = snooze.flaps + 1, event.id
        if not _worse(event.severity, snooze.severity):
            return []
        snooze.severity = event.severity
        return [self._told(snooze, event)]

    def _told(self, snooze: Snooze, event: Event) -> Event:
        """An open episode's event, as the first one where nothing was said of it, with what was kept back so far."""
        first = snooze.untold == event.id
        flaps, snooze.flaps = snooze.flaps, 0
        if first:
            snooze.untold = None
        return replace(event, event_type="new" if first else "update", suppressed=max(0, flaps - first))

    def acknowledge(self, event: Event, at: float, by: str) -> None:
        """Somebody has seen an open episode."""
        self.acknowledged.setdefault(event.id, Mark(at, by[:LONGEST_BY], event.severity))

    def snooze(self, key: str, what: Recent, until: float, at: float, by: str) -> None:
        """Say nothing of a condition until then. Where it is snoozed already, only the time is another."""
        known = self.snoozed.get(key)
        if known is not None:
            known.until, known.at, known.by = until, at, by[:LONGEST_BY]
            return
        self.snoozed[key] = Snooze(
            what.event_id, what.kind, until, at, by[:LONGEST_BY], what.severity, what.rule, what.channel
        )

    def due(self, now: float, longest_s: float) -> list[str]:
        """Conditions whose snooze is over; also those that a clock set back would make last longer than is allowed."""
        return [key for key, one in self.snoozed.items() if now >= one.until or one.until - now > longest_s + 1]

    def release(self, key: str, open_: Event | None) -> list[Event]:
        """Say of a condition again what there is: ends that were kept back, and that it is `open_` where it is."""
        snooze = self.snoozed.pop(key)
        events = [event_from_dict(body) for body in snooze.owed]
        return events if open_ is None else [*events, self._told(snooze, open_)]

    def snoozed_by(self, event_id: str) -> str | None:
        """The key of what was snoozed with this episode, or is kept back as this one."""
        return next((key for key, one in self.snoozed.items() if event_id in (one.event_id, one.untold)), None)

    def marked(self, open_: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        """The open episodes with what is kept back marked; what is no longer open is forgotten.

        `held` is for versions that know of no snooze: they take it for a planned exception's.
        """
        ids = {part["event"]["id"] for part in open_.values()}
        self.acknowledged = {id_: mark for id_, mark in self.acknowledged.items() if id_ in ids}
        for snooze in self.snoozed.values():
            snooze.untold = snooze.untold if snooze.untold in ids else None
        untold = {one.untold for one in self.snoozed.values()} - {None}
        return {
            key: {**part, "held": True, "shelved": True} if part["event"]["id"] in untold else dict(part)
            for key, part in open_.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, for the ledger."""
        return {
            "acknowledged": {id_: asdict(mark) for id_, mark in self.acknowledged.items()},
            "snoozed": {key: asdict(one) for key, one in self.snoozed.items()},
            "recent": {key: asdict(one) for key, one in self.recent.items()},
        }


def unmarked(open_: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The open episodes as the detector knows them, which knows of no snoozes and groups."""
    plain = {}
    for key, part in open_.items():
        ours = ("group", "shelved", "held") if part.get("shelved") else ("group",)
        plain[key] = {name: value for name, value in part.items() if name not in ours}
    return plain


def attention_from_dict(body: Mapping[str, Any]) -> Attention:
    """What `to_dict` wrote; nothing where an older version wrote.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is malformed.
    """
    snoozed = {str(key): Snooze(**part) for key, part in body.get("snoozed", {}).items()}
    for one in snoozed.values():
        one.until, one.at = float(one.until), float(one.at)
        one.owed = [event_to_dict(event_from_dict(event)) for event in one.owed]
    return Attention(
        {str(id_): Mark(**part) for id_, part in body.get("acknowledged", {}).items()},
        snoozed,
        {str(key): Recent(**part) for key, part in body.get("recent", {}).items()},
    )


def _worse(one: str, other: str) -> bool:
    return _SEVERITIES.index(one) > _SEVERITIES.index(other)
