"""Planned exceptions: a maintenance window or a holiday, in which nothing is said of a stream."""

import datetime
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from edge.wire.events import Event
from edge.wire.moments import utc

log = logging.getLogger(__name__)

Repeat = Literal["no", "daily", "weekly", "yearly"]
_EVERY: Mapping[str, datetime.timedelta] = {
    "daily": datetime.timedelta(days=1),
    "weekly": datetime.timedelta(days=7),
    "yearly": datetime.timedelta(days=365),
}


@dataclass(frozen=True)
class PlannedException:
    """A span in which a stream is expected to be unusual, once or again and again, in local time.

    Raises:
        ValueError: it has no length, or is longer than what it repeats in.
    """

    name: str
    """What is planned, for the log."""
    start: datetime.datetime
    """First instant; without an offset it is in the bundle's time zone."""
    end: datetime.datetime
    """First instant after it."""
    repeat: Repeat = "no"
    """How often it comes again."""

    def __post_init__(self) -> None:
        if (self.start.tzinfo is None) != (self.end.tzinfo is None):
            raise ValueError("start and end want both an offset, or neither")
        if self.end <= self.start:
            raise ValueError(f"it ends at {self.end}, wanted later than {self.start}")
        if self.repeat != "no" and self.end - self.start > _EVERY[self.repeat]:
            raise ValueError(f"it lasts {self.end - self.start} and repeats {self.repeat}; it would never end")

    def covers(self, time: float, zone: datetime.tzinfo) -> bool:
        """Whether `time`, Unix seconds, lies in it; spans without an offset are of `zone`."""
        own = zone if self.start.tzinfo is None else self.start.tzinfo
        # By the clock on the wall: a nightly window stays where it is when summer time begins.
        now = utc(time).astimezone(own).replace(tzinfo=None)
        start, length = self.start.replace(tzinfo=None), self.end - self.start
        if now < start:
            return False
        if self.repeat == "yearly":
            return any(0 <= (now - begin).total_seconds() < length.total_seconds() for begin in _years(start, now))
        since = now - start if self.repeat == "no" else (now - start) % _EVERY[self.repeat]
        return since < length


def _years(start: datetime.datetime, now: datetime.datetime) -> list[datetime.datetime]:
    """The start in this year and in the last one; 29 February is 1 March where there is none."""
    day = datetime.timedelta(days=1)
    leap = (start.month, start.day) == (2, 29)
    plain = start - day if leap else start
    begins = [plain.replace(year=year) for year in (now.year - 1, now.year)]
    return [begin + day if leap else begin for begin in begins]


class Silence:
    """Keeps back what is said of one stream while something is planned.

    An episode that began in a planned span is kept back whole; where it outlasts the
    span, its first row after it is told as its `new`. One that had begun before is
    told on, so that it gets its `end`.
    """

    def __init__(self, stream: str, planned: Sequence[PlannedException], zone: Callable[[], datetime.tzinfo]) -> None:
        """`zone` is asked only where something is planned: a database of zones takes a megabyte."""
        self.held: set[str] = set()
        """Ids of episodes of which nothing was said yet."""
        self._stream, self._planned = stream, planned
        self._zone = zone() if planned else datetime.UTC

    def passed(self, events: Iterable[Event]) -> list[Event]:
        """The events that are to be told."""
        if not self._planned and not self.held:
            return list(events)
        return [told for event in events for told in self._passed(event)]

    def plan(self, time: float) -> str | None:
        """What is planned at `time`, Unix seconds."""
        return next((one.name for one in self._planned if one.covers(time, self._zone)), None)

    def is_due(self, id_: str, time: float) -> bool:
        """Whether an open episode was kept back, and nothing is planned any more at `time`."""
        return id_ in self.held and self.plan(time) is None

    def _passed(self, event: Event) -> list[Event]:
        plan = self.plan(event.time)
        if event.event_type == "new" and plan is not None:
            self.held.add(event.id)
            log.info("stream %s: planned (%s), not told: %s, score %s", self._stream, plan, event.kind, event.score)
            return []
        if event.id not in self.held:
            return [event]
        if event.event_type == "end":
            self.held.discard(event.id)
            return []
        if plan is not None:
            return []
        self.held.discard(event.id)
        return [replace(event, event_type="new")]
