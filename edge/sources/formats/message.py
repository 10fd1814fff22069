"""What formats share: the parts of a message, names, and JSON of any form."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from edge.readings.clock import moment_of
from edge.readings.numbers import loose_number
from edge.readings.words import is_missing
from edge.wire.readings import FrameError, Readings

Decoded = Iterator[tuple[str, Readings]]
"""Board, and its readings, for each that a message holds."""
_WITH_ZONE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)")
"""How programs write a time that leaves nothing open."""
_MOST_VALUES = 1000
_DEEPEST = 8


class Message(NamedTuple):
    """A message as the broker gave it."""

    topic: str
    payload: bytes

    @property
    def levels(self) -> list[str]:
        """The topic's levels."""
        return self.topic.split("/")

    @property
    def text(self) -> str:
        """The payload as text.

        Raises:
            FrameError: it is none.
        """
        try:
            return self.payload.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            raise FrameError(f"{self.topic[:80]}: the payload is no text: {error}") from error


class Decoder(Protocol):
    """Reads one kind of message. It may keep what earlier ones said, as the aliases of Sparkplug."""

    @property
    def topics(self) -> tuple[str, ...]:
        """What is subscribed to where the source names nothing."""
        ...

    def decode(self, message: Message) -> Decoded:
        """The readings of a message; nothing where it holds none.

        Raises:
            FrameError: it should hold some and cannot be read.
        """
        ...


@lru_cache(maxsize=4096)
def board_id(name: str) -> str:
    """A name as an id: other characters than letters, digits, _ and - become _.

    >>> board_id("Living room/lamp 1")
    'Living_room_lamp_1'
    """
    return re.sub(r"[^a-zA-Z0-9_-]+", "_", name).strip("_") or "_"


def single(channel: str, message: Message) -> Readings | None:
    """The readings of a payload that is one value: a number, an on/off word; None where it means that there is none."""
    text = message.text
    if text[:1] == '"' == text[-1:]:
        text = text[1:-1]
    if is_missing(text):
        return None
    value = loose_number(text)
    return Readings({}, rejected=(channel,)) if value is None else Readings({channel: value})


def went_offline(board: str, message: Message) -> Decoded:
    """That a board is offline, where a last will or a word about it says so; nothing where it says anything else.

    Others may use such a topic for what they like, so what cannot be read is no bad message.
    """
    try:
        text = message.text
        state = json_object(message).get("state") if text.startswith("{") else text
    except FrameError:
        return
    if isinstance(state, str) and state.lower() in ("offline", "false"):
        yield board_id(board), Readings({}, offline=True)


def json_object(message: Message) -> Mapping[str, Any]:
    """The JSON object of a payload; nan and inf left bare by a printf become null.

    Raises:
        FrameError: it is none.
    """
    text = message.text
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        try:
            found = json.loads(re.sub(r"(?<=[:,\[\s])[-+]?(?:nan|inf)(?=\s*[,}\]])", "null", text, flags=re.IGNORECASE))
        except (ValueError, RecursionError) as error:
            raise FrameError(f"{message.topic[:80]}: not JSON: {error}") from error
    if not isinstance(found, dict):
        raise FrameError(f"{message.topic[:80]}: wanted a JSON object, found {text[:40]!r}")
    return found


def at(found: Any, path: str) -> Any:
    """What lies at a path of keys and places, such as `uplink.values.0`; None where there is nothing."""
    for key in path.split("."):
        if isinstance(found, Mapping):
            found = found.get(key)
        elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
        else:
            return None
    return found


def numbers(found: Mapping[str, Any], skip: frozenset[str] = frozenset(), time: float | None = None) -> Readings:
    """The numbers, booleans and on/off words of an object by their paths; other text is passed over.

    What is null, nan or no finite number is rejected. Keys in `skip` are passed over at any depth. `time` is that of
    the readings, Unix seconds.
    """
    good: dict[str, float] = {}
    bad: list[str] = []
    _take(found, "", skip, _DEEPEST, good, bad)
    return Readings(good, time, rejected=tuple(bad))


def _take(found: Any, front: str, skip: frozenset[str], deep: int, good: dict[str, float], bad: list[str]) -> None:
    for key, value in found.items() if isinstance(found, dict) else enumerate(found):
        if key in skip:
            continue
        kind = type(value)
        name = f"{front}{key}" if front else str(key)
        if kind is float and math.isfinite(value):
            good[name] = value
        elif kind is dict or kind is list:
            if deep:
                _take(value, f"{name}.", skip, deep - 1, good, bad)
        elif (number := number_of(value)) is not None:
            good[name] = number
        elif value is None or kind is float or (kind is str and value.lower() == "nan"):
            bad.append(name)
        if len(good) + len(bad) >= _MOST_VALUES:
            return


def number_of(value: Any) -> float | None:
    """A finite number, a boolean as 1 or 0, or text that is one of them; None for everything else."""
    if isinstance(value, str):
        return loose_number(value.strip())
    if not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def time_of(value: Any, unit_s: float = 1.0) -> float | None:
    """Unix seconds of a time in a message; None where there is none.

    Raises:
        FrameError: it is no time.
    """
    if value is None or value == "":
        return None
    if isinstance(value, float) and unit_s == 1.0 and 1e9 < value < 3e9:
        return value
    if isinstance(value, str) and _WITH_ZONE.fullmatch(value):
        try:
            return datetime.fromisoformat(value).timestamp()
        except ValueError:  # the 30th of February, or of the 25th hour
            pass
    found = None if isinstance(value, bool) else moment_of(str(value), unit_s)
    if found is None:
        raise FrameError(f"{str(value)[:40]!r} is not understood as a time")
    return found
