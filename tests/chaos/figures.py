"""What a trial comes to: one line of the table, and whether it is good enough."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from edge.wire.events import EventError, EventMessage, decode_message

_HEAD = (
    "fault", "times", "agent -9", "broker -9", "committed", "received", "not durable", "lost", "disorder", "orphans",
    "seq back", "unmarked", "recovery s: median, max",
)  # fmt: skip

Number = tuple[str, int]
"""Log and seq."""


@dataclass(frozen=True)
class Figures:
    """One fault's line. From `lost` to `unmarked` all are to be 0."""

    fault: str
    times: int
    agent_kills: int
    """kill -9 of the agent."""
    broker_kills: int
    """kill -9 of the broker."""
    committed: int
    """Events that a COMMIT made visible."""
    received: int
    """Of those, events that the subscriber was given, second copies dropped."""
    not_durable: int
    """Events received that the disk had refused."""
    lost: int
    """Committed and not received, or raised while the disk refused and not received."""
    disorder: int
    """Events given to the subscriber's program after a later one of their log."""
    orphans: int
    """Episodes of which only a part came: no `new`, or no `end` although the agent does not hold it open."""
    seq_back: int
    """First copies that the agent sent after a later one of their log."""
    unmarked: int
    """Second copies that the agent sent with `replayed` false."""
    recovery_s: tuple[float, ...] = ()

    @property
    def faultless(self) -> bool:
        """Whether everything is 0 that has to be."""
        return not (self.lost or self.disorder or self.orphans or self.seq_back or self.unmarked)


def orphans(messages: Iterable[EventMessage]) -> list[tuple[str, str, list[str]]]:
    """Episodes without their beginning or their end: stream, episode, types of the events that came."""
    types: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for message in messages:
        types[message.event.stream, message.event.id].append(message.event.event_type)
    return [(*episode, seen) for episode, seen in types.items() if not {"new", "end"} <= set(seen)]


def backward(numbers: Iterable[Number]) -> int:
    """How many come after a higher one of the same log."""
    highest: dict[str, int] = {}
    found = 0
    for log, seq in numbers:
        found += seq < highest.get(log, 0)
        highest[log] = max(seq, highest.get(log, 0))
    return found


def sent(published: Iterable[tuple[str, bytes]]) -> list[EventMessage]:
    """The events among what the agent published."""
    messages = []
    for topic, payload in published:
        if topic.endswith("/event"):
            try:
                messages.append(decode_message(payload))
            except EventError as error:
                raise AssertionError(f"the agent sent no event on {topic}: {error}") from error
    return messages


def copies(messages: Sequence[EventMessage]) -> tuple[list[Number], int]:
    """The numbers in the order in which each was first sent, and how many second copies had `replayed` false."""
    first: dict[Number, None] = {}
    unmarked = 0
    for message in messages:
        number = (message.log, message.seq)
        unmarked += number in first and not message.replayed
        first.setdefault(number)
    return list(first), unmarked


def table(rows: Sequence[Figures]) -> str:
    """The table, with a line of totals."""
    total = {field.name: sum(getattr(row, field.name) for row in rows) for field in fields(Figures)[1:-1]}
    seconds = tuple(second for row in rows for second in row.recovery_s)
    lines = [_HEAD, *(_cells(row) for row in (*rows, Figures("all", **total, recovery_s=seconds)))]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(_padded, line, widths)).rstrip() for line in lines)


def _padded(cell: str, width: int) -> str:
    return cell.rjust(width) if cell[0].isdecimal() else cell.ljust(width)


def _cells(row: Figures) -> tuple[str, ...]:
    seconds = row.recovery_s
    recovery = f"{statistics.median(seconds):.1f}, {max(seconds):.1f}" if seconds else "-"
    return (*(str(getattr(row, field.name)) for field in fields(Figures)[:-1]), recovery)
