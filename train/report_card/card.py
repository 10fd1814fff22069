"""The report card as data: a line for each column of the files."""

import shlex
from dataclasses import dataclass
from typing import Literal

Grade = Literal["ok", "look", "left out"]


@dataclass(frozen=True)
class ColumnFinding:
    """One thing that was found in a column."""

    text: str
    option: str = ""
    """The option that changes it; empty where none does."""


@dataclass(frozen=True)
class Line:
    """What was found in one column."""

    name: str
    grade: Grade
    findings: tuple[ColumnFinding, ...] = ()


@dataclass(frozen=True)
class Card:
    """What was found in all of them."""

    lines: tuple[Line, ...]
    """Those that are left out last."""
    notes: tuple[str, ...] = ()
    """About all channels together, each with its option."""


def option(name: str, value: str) -> str:
    """An option as a shell takes it.

    >>> option("drop", "oil temp")
    "--drop 'oil temp'"
    """
    return f"--{name} {shlex.quote(value)}"
