"""Streams that fail together: one id for all their events, so that whoever notifies speaks once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from edge.wire.events import Event

WINDOW_S = 10.0
"""Episodes that begin so soon after a group's first belong to it, seconds of stream time. A power dip reaches all
boards of a plant within some periods; twice of it takes in more that is chance where many streams alarm by themselves,
half of it splits boards that send every 5 s."""
_MOST_MEMBERS = 200
"""Names that the topic lists: some 4 kB."""


@dataclass
class _Group:
    id: str
    since: float
    members: dict[str, str] = field(default_factory=dict)  # stream of each episode that is open
    silent_of: set[str] = field(default_factory=set)  # sources of which silent streams are in it


@dataclass
class Groups:
    """Which episodes of one device belong together. The id of a group is that of its first episode.

    Episodes of kind `sensor` because nothing is read any more belong together where they share a source, whenever
    each stream's own time for it runs out.
    """

    window_s: float = WINDOW_S
    sources: Mapping[str, str] = field(default_factory=dict)
    """Stream to its source."""
    changed: bool = True
    """Whether `body` is another than when this was made false."""
    _of: dict[str, str] = field(default_factory=dict)  # the group of each episode that is open
    _groups: dict[str, _Group] = field(default_factory=dict)

    def stamped(self, event: Event) -> Event:
        """The event with its group; each is given out once, in order."""
        if event.id not in self._of and event.event_type != "new":
            return event  # begun by a version that knew of no groups
        id_ = self._of.get(event.id) or self._join(event)
        if event.event_type == "end":
            self.forget(event.id)
        return replace(event, group=id_)

    def of(self, event_id: str) -> str | None:
        """The group of an open episode."""
        return self._of.get(event_id)

    def since(self, event_id: str) -> float | None:
        """When that began, Unix seconds of stream time."""
        id_ = self._of.get(event_id)
        return None if id_ is None else self._groups[id_].since

    def restore(self, event: Event, id_: str, since: float) -> None:
        """An episode that was open when the agent ended is of this group."""
        group = self._groups.setdefault(id_, _Group(id_, since))
        self._add(group, event)

    def forget(self, event_id: str) -> None:
        """An episode is over."""
        id_ = self._of.pop(event_id, None)
        if id_ is not None:
            self._groups[id_].members.pop(event_id, None)
            self.changed = True

    def keep_only(self, stream: str, open_: Collection[str]) -> None:
        """Of this stream only these episodes are open."""
        for group in self._groups.values():
            for event_id in [id_ for id_, whose in group.members.items() if whose == stream and id_ not in open_]:
                self.forget(event_id)

    def body(self) -> dict[str, Any]:
        """What the retained topic says: the largest group of several streams, and the others."""
        told = [(group, sorted(set(group.members.values()))) for group in self._groups.values()]
        ordered = sorted((one for one in told if len(one[1]) > 1), key=lambda one: (-len(one[1]), one[0].since))
        bodies = [
            {"id": group.id, "since": group.since, "members": streams[:_MOST_MEMBERS],
             "more": max(0, len(streams) - _MOST_MEMBERS)}
            for group, streams in ordered
        ]  # fmt: skip
        first = bodies[0] if bodies else {"id": None, "since": None, "members": [], "more": 0}
        return {**first, "others": bodies[1:9]}

    def _join(self, event: Event) -> str:
        self._prune(event.time)
        source = self._silent_source(event)
        for group in reversed(self._groups.values()):
            together = source is not None and source in group.silent_of and bool(group.members)
            if together or abs(event.time - group.since) <= self.window_s:
                break
        else:
            group = self._groups[event.id] = _Group(event.id, event.time)
        self._add(group, event)
        return group.id

    def _add(self, group: _Group, event: Event) -> None:
        group.members[event.id] = event.stream
        if (source := self._silent_source(event)) is not None:
            group.silent_of.add(source)
        self._of[event.id] = group.id
        self.changed = True

    def _silent_source(self, event: Event) -> str | None:
        silent = event.rule is not None and event.rule.name == "silent"
        return self.sources.get(event.stream) if silent else None

    def _prune(self, now: float) -> None:
        over = [one.id for one in self._groups.values() if not one.members and abs(now - one.since) > self.window_s]
        for id_ in over:
            del self._groups[id_]
