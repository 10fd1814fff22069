"""Where an event waits when the disk refuses it."""

import uuid
from collections import Counter
from collections.abc import Container

from edge.delivery.entry import Entry, Position
from edge.wire.events import Event


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
