"""What is heard at a broker, by format, board and channel."""

from dataclasses import dataclass, field

from edge.sources.formats.choosing import FORMATS
from edge.sources.formats.mapped import matches
from edge.sources.formats.message import Decoder, Message
from edge.sources.formats.uplinks import UPLINKS
from edge.wire.readings import FrameError, Readings, decode_readings
from edge.wire.topics import board_of

_MOST_CHANNELS = 5000
_MOST_OTHERS = 200
OWN = "offbeat"


@dataclass
class Heard:
    """One channel, as far as it was heard."""

    count: int = 0
    """Without the retained message, which is as old as it likes."""
    first: float = 0.0
    last: float = 0.0
    """Monotonic seconds."""
    example: float = 0.0

    def take(self, value: float, now: float, retained: bool) -> None:
        """Count a value."""
        self.example = value
        if not retained:
            self.first = self.first if self.count else now
            self.count, self.last = self.count + 1, now

    @property
    def every_s(self) -> float | None:
        """Seconds between two values; None after one."""
        return (self.last - self.first) / (self.count - 1) if self.count > 1 else None


@dataclass
class Board:
    """One board, as far as it was heard."""

    channels: dict[str, Heard] = field(default_factory=dict)
    timed: bool = True
    """Whether all of its readings came with a time."""

    @property
    def sends(self) -> bool:
        """Whether it was heard itself, and not only the broker's memory of it."""
        return any(heard.count for heard in self.channels.values())


@dataclass
class Survey:
    """What was heard, by format and board."""

    boards: dict[tuple[str, str], Board] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    """Topics that no format explains, with the start of a payload or what is wrong with it."""
    _decoders: dict[str, Decoder] = field(default_factory=lambda: _decoders())
    _channels: int = 0

    def take(self, message: Message, now: float, retained: bool = False) -> None:
        """Find out whose a message is."""
        name = OWN if board_of(message.topic) is not None else self._format(message.levels)
        if name is None:
            return self._other(message, message.payload[:40].decode("utf-8", "replace"))
        try:
            if name == OWN:
                self._add(name, board_of(message.topic) or "", decode_readings(message.payload), now, retained)
            else:
                for board, readings in self._decoders[name].decode(message):
                    self._add(name, board, readings, now, retained)
        except FrameError as error:
            self._other(message, str(error))

    def _format(self, levels: list[str]) -> str | None:
        """Whose topic it is: that of the pattern with the most levels in words, of equals the one with the earlier."""
        fits = [
            (sum(words), words, name)
            for name, decoder in self._decoders.items()
            for pattern in decoder.topics
            if matches(pattern, levels)
            for words in [[level not in ("+", "#") for level in pattern.split("/")]]
        ]
        return max(fits)[2] if fits else None

    def _add(self, name: str, board: str, readings: Readings, now: float, retained: bool) -> None:
        if not readings.values:
            return
        found = self.boards.setdefault((name, board), Board())
        found.timed = found.timed and readings.time is not None
        for channel, value in readings.values.items():
            if channel not in found.channels:
                self._channels += 1
                if self._channels > _MOST_CHANNELS:
                    return
            found.channels.setdefault(channel, Heard()).take(value, now, retained)

    def _other(self, message: Message, why: str) -> None:
        if len(self.others) < _MOST_OTHERS and not message.topic.startswith(("$SYS/", "offbeat/")):
            self.others[message.topic] = why[:80]


def _decoders() -> dict[str, Decoder]:
    uplinks: dict[str, Decoder] = {name: uplink.decoder() for name, uplink in UPLINKS.items()}
    return {name: make() for name, make in FORMATS.items()} | uplinks
