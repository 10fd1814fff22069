"""A table of a TOML file, key by key: what is wrong is named with its key, an unknown one with the nearest known."""

import difflib
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from firmware_sim.schedule.timetext import parse_duration

Value = TypeVar("Value")
_NONE: Any = object()


class MachineError(ValueError):
    """A description of a machine that cannot be; one line that names file, key and remedy."""


class Table:
    """The keys of one table; `where` is how messages call it."""

    def __init__(self, where: str, content: Any):
        if not isinstance(content, dict):
            raise MachineError(f"{where}: found {content!r}, wanted a table")
        self.where = where
        self.content = content
        self.asked: list[str] = []

    def take(self, key: str, read: Callable[[Any], Value], default: Value = _NONE) -> Value:
        """What a key holds, as `read` makes it of it.

        Raises:
            MachineError: it is missing and has no default, or `read` raised ValueError.
        """
        self.asked.append(key)
        if key not in self.content:
            if default is not _NONE:
                return default
            near = difflib.get_close_matches(key, [one for one in self.content if one not in self.asked], n=1)
            hint = f"; did you mean it by {near[0]}?" if near else ""
            raise MachineError(f"{self.where}: {key} is missing{hint}")
        try:
            return read(self.content[key])
        except MachineError:
            raise
        except ValueError as error:
            raise MachineError(f"{self.where}, {key}: {error}") from None

    def tables(self, key: str) -> "list[Table]":
        """The tables of a list of them, `[[key]]`; one alone is a list of one."""
        self.asked.append(key)
        found = self.content.get(key, [])
        listed = found if isinstance(found, list) else [found]
        return [Table(f"{self.where}, {key} {number}", one) for number, one in enumerate(listed, 1)]

    def done(self) -> None:
        """All keys were asked for.

        Raises:
            MachineError: one is left over, which is not known.
        """
        for key in self.content:
            if key not in self.asked:
                near = difflib.get_close_matches(key, self.asked, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(self.asked)}"
                raise MachineError(f"{self.where}: unknown key {key!r}; {hint}")


def text(value: Any) -> str:
    """Text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"found {value!r}, wanted text")
    return value


def number(value: Any) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"found {value!r}, wanted a number")
    return float(value)


def not_negative(value: Any) -> float:
    """A number of 0 or more."""
    if number(value) < 0.0:
        raise ValueError(f"found {value!r}, wanted 0 or more")
    return float(value)


def positive(value: Any) -> float:
    """A number above 0."""
    if number(value) <= 0.0:
        raise ValueError(f"found {value!r}, wanted a number above 0")
    return float(value)


def decimals(value: Any) -> int:
    """Digits after the point, 0 to 9."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 9:
        raise ValueError(f"found {value!r}, wanted 0 to 9")
    return value


def seconds(value: Any) -> float:
    """A duration such as `"20m"`, or a number of seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f'found {value!r}, wanted a duration such as "20m"')
    return parse_duration(str(value))


def some_seconds(value: Any) -> float:
    """A duration above 0."""
    found = seconds(value)
    if found <= 0.0:
        raise ValueError(f"found {value!r}, wanted more than 0 seconds")
    return found


def one_of(words: Sequence[str]) -> Callable[[Any], str]:
    """One of some words; the nearest is named where it is none."""

    def read(value: Any) -> str:
        if value in words:
            return str(value)
        near = difflib.get_close_matches(str(value), words, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ValueError(f"found {value!r}; {hint}there are {', '.join(words)}")

    return read
