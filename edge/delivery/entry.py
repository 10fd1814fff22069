"""An event as it waits in the outbox."""

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
