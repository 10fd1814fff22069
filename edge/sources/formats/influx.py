"""InfluxDB's line protocol, as Telegraf and others publish it: `cpu,host=gw usage=1.5,n=2i 1709539200000000000`.

Source: InfluxData, line protocol reference.
"""

import math
import re
from functools import lru_cache

from edge.sources.formats.message import Decoded, Message, board_id, number_of
from edge.wire.readings import FrameError, Readings

_HEAD = re.compile(r"(?:\\.|[^\\ ])+", re.DOTALL)
_TAG = re.compile(r"((?:\\.|[^\\,])+)", re.DOTALL)
"""In a measurement and its tags a quotation mark is a letter like any other."""
_PART = re.compile(r'((?:\\.|"(?:\\.|[^"\\])*"|[^\\ "])+)')
_COMMA = re.compile(r'((?:\\.|"(?:\\.|[^"\\])*"|[^\\,"])+)')
_EQUALS = re.compile(r"(?<!\\)=")
_BOARDS = ("host", "board", "device")
"""Tags that name the board, the first that is there."""


class Influx:
    """A line a measurement. The tag host, board or device is the board, else the topic's last level."""

    topics = ("telegraf/#",)

    def decode(self, message: Message) -> Decoded:
        """Channels are `<measurement>.<other tags' values>.<field>`."""
        for line in message.text.splitlines():
            if line.strip() and not line.startswith("#"):
                yield _line(line.strip(), message.levels[-1])


def _line(line: str, otherwise: str) -> tuple[str, Readings]:
    plain = "\\" not in line and '"' not in line
    parts = line.split() if plain else _parts(line)
    if not 2 <= len(parts) <= 3:
        raise FrameError(f"line protocol wants a measurement, fields and perhaps a time, found {line[:60]!r}")
    board, front = _head(parts[0], plain)
    values: dict[str, float] = {}
    for field in _split(parts[1], plain):
        name, text = _pair(field)
        number = _number(text)
        if number is not None:
            values[front + name] = number
    time = None
    if len(parts) == 3:
        if not re.fullmatch(r"-?\d{1,19}", parts[2]):
            raise FrameError(f"line protocol wants a time in ns, found {parts[2][:40]!r}")
        time = int(parts[2]) / 1e9
    return board or board_id(otherwise), Readings(values, time)


@lru_cache(maxsize=1024)  # the same lines come again and again, with other numbers
def _head(text: str, plain: bool) -> tuple[str | None, str]:
    """The board of a measurement with its tags, where a tag names it, and what channels begin with."""
    measurement, *tags = text.split(",") if plain else _TAG.findall(text)
    named = dict(_pair(tag) for tag in tags)
    board = next((name for name in _BOARDS if name in named), None)
    front = ".".join([_plain(measurement), *(value for name, value in named.items() if name != board)])
    return board_id(named[board]) if board else None, f"{front}."


def _number(text: str) -> float | None:
    """A field's number; None where it is text, in quotes."""
    try:
        value = float(text)
    except ValueError:
        return None if text.startswith('"') else number_of(text[:-1] if text[-1:] in "iu" else text)
    return value if math.isfinite(value) and "_" not in text else None


def _parts(line: str) -> list[str]:
    head = _HEAD.match(line)
    return [] if head is None else [head[0], *_PART.findall(line[head.end() :])]


def _split(text: str, plain: bool) -> list[str]:
    return text.split(",") if plain else _COMMA.findall(text)


def _pair(text: str) -> tuple[str, str]:
    name, is_pair, value = text.partition("=")
    if is_pair and "\\" not in text and "=" not in value:
        return name, value
    found = _EQUALS.split(text, maxsplit=1)
    if len(found) != 2:
        raise FrameError(f"line protocol wants name=value, found {text[:40]!r}")
    return _plain(found[0]), _plain(found[1])


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
