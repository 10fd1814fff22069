"""Messages of any device by mapping: board and channel from levels of the topic, values and time by path."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.sources.formats.message import (
    Decoded,
    Message,
    at,
    board_id,
    json_object,
    number_of,
    numbers,
    single,
    time_of,
)  # fmt: skip
from edge.wire.readings import FrameError, Readings

_MOST_TOPICS = 10_000


@dataclass(frozen=True)
class Mapped:
    """Where a message holds what."""

    topics: tuple[str, ...] = ()
    board_level: int | None = None
    """Level of the topic, from 0, that names the board; else the first that a + of its pattern stands for."""
    channel_level: int | None = None
    """Level that names the channel, of messages with a bare value; else the last that a + stands for."""
    values: Mapping[str, str] | None = None
    """Channel to the path of its value; else every number below `below`, by its path."""
    below: str | None = None
    time_path: str | None = None
    unit_s: float = 1.0
    _known: dict[str, tuple[str, int] | None] = field(default_factory=dict, repr=False, compare=False)
    """What earlier topics came to: board, and the level of the channel."""

    def decode(self, message: Message) -> Decoded:
        """The readings of an object, or of a bare value."""
        if message.topic in self._known:
            known = self._known[message.topic]
        else:
            known = self._read_topic(message.levels)
            if len(self._known) < _MOST_TOPICS:
                self._known[message.topic] = known
        if known is None:
            return
        board, channel = known
        if not message.payload.lstrip().startswith(b"{"):
            readings = single(_level(message.levels, channel), message)
            if readings is not None:
                yield board, readings
            return
        found = json_object(message)
        time = time_of(at(found, self.time_path), self.unit_s) if self.time_path else None
        if self.values or not self.below or isinstance(at(found, self.below), Mapping):
            yield board, self._values(found, time)

    def _read_topic(self, levels: list[str]) -> tuple[str, int] | None:
        """Board, and the level of the channel; None of a topic that was not asked for."""
        pattern = next((one for one in self.topics if matches(one, levels)), None)
        if pattern is None:
            return None
        wild = [place for place, level in enumerate(pattern.split("/")) if level == "+"]
        board = _level(levels, self.board_level if self.board_level is not None else (wild or [0])[0])
        channel = self.channel_level if self.channel_level is not None else (wild or [len(levels) - 1])[-1]
        return board_id(board), channel

    def _values(self, found: Mapping[str, object], time: float | None) -> Readings:
        if not self.values:
            return numbers(at(found, self.below) if self.below else found, time=time)
        each = {channel: at(found, path) for channel, path in self.values.items()}
        good = {channel: number for channel, value in each.items() if (number := number_of(value)) is not None}
        rejected = tuple(name for name, value in each.items() if name not in good and value is not None)
        return Readings(good, time, rejected=rejected)


def matches(pattern: str, levels: list[str]) -> bool:
    """Whether a topic's levels fit a subscription.

    >>> matches("tele/+/SENSOR", ["tele", "a", "SENSOR"]), matches("a/#", ["a", "b", "c"]), matches("a/+", ["a"])
    (True, True, False)
    """
    wanted = pattern.split("/")
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(levels) or level not in ("+", levels[place]):
            return False
    return len(wanted) == len(levels)


def _level(levels: list[str], place: int) -> str:
    if not -len(levels) <= place < len(levels):
        raise FrameError(f"topic {'/'.join(levels)[:80]} has no level {place}")
    return levels[place]
