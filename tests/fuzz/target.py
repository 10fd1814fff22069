"""What is fuzzed: a parser, what it is given and what it promises."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st


@dataclass(frozen=True)
class Target:
    """One parser or store that meets what others send or disks hold."""

    name: str
    weight: int
    """Part of all examples that it gets: cheap parsers that meet strangers get more."""
    inputs: st.SearchStrategy[Any]
    promise: Callable[[Any], None]
    """Raises, AssertionError or anything else, where the promise is broken."""
    slow: bool = False
    """Whether an example takes many milliseconds, as what is synced to disk does."""


def finite(values: Iterable[float | None]) -> bool:
    """Whether each is a finite float, or None."""
    return all(value is None or (type(value) is float and math.isfinite(value)) for value in values)


def one_line(error: Exception) -> None:
    """An error for people is one line, and nothing in it steers their terminal."""
    assert str(error).isprintable(), ascii(str(error))
