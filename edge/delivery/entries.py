"""Events that wait for delivery, and those that the disk refused."""

import uuid
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass
from typing import NamedTuple

from edge.wire.events import Event, EventMessage


class Position(NamedTuple):
    """Where an entry stands in the order of sending; compares as the entries were put."""

    generation: int
    """How many files were set aside before this one, since the process started."""
    seq: int
    """The entry's `seq` in the file, or the last one before an entry that is only in memory."""
    in_memory: int
    """0 for an entry in the file, else the entry's `seq` in the log of the memory queue."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event with its place in its log."""

    event: Event
    log: str
    seq: int
    position: Position
    inherited: bool = False
    """Whether it was there when this process opened the file: an earlier one may have sent it."""

    @property
    def durable(self) -> bool:
        """Whether it is on disk."""
        return self.position.in_memory == 0

    def message(self, device: str, replayed: bool) -> EventMessage:
        """The entry as it travels."""
        return EventMessage(self.event, device, self.log, self.seq, replayed, self.durable)


class MemoryQueue:
    """At most `max_entries` events, in a log of their own: a file's numbers belong to what is in the file.

    A full queue drops its oldest `update`, or else its oldest event.
    """

    def __init__(self, max_entries: int, dropped: Counter[str]) -> None:
        self._max_entries, self._dropped = max_entries, dropped
        self._entries: list[Entry] = []
        self.log = uuid.uuid4().hex
        self.last_seq = 0

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, event: Event, generation: int, file_seq: int) -> Entry:
        """Keep an event that stands after `file_seq` in the order of sending."""
        self.last_seq += 1
        entry = Entry(event, self.log, self.last_seq, Position(generation, file_seq, self.last_seq))
        self._entries.append(entry)
        if len(self._entries) > self._max_entries:
            self._drop_one()
        return entry

    def pending(self, after: Position | None) -> list[Entry]:
        """Entries behind a position, oldest first."""
        return [entry for entry in self._entries if after is None or entry.position > after]

    def acknowledge(self, entries: Container[Entry]) -> None:
        """A broker has these."""
        self._entries = [entry for entry in self._entries if entry not in entries]

    def _drop_one(self) -> None:
        victim = next((old for old in self._entries if old.event.event_type == "update"), self._entries[0])
        self._entries.remove(victim)
        self._dropped[victim.event.event_type] += 1
