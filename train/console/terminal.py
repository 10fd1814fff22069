"""The standard output of the commands: tables, and plain lines that can be copied whole."""

import sys

from rich.console import Console

_LOG_WIDTH = 120


def terminal() -> Console:
    """The standard output; wide enough for the tables where it is a file or a pipe."""
    return Console() if sys.stdout.isatty() else Console(width=_LOG_WIDTH)


def echo(console: Console, text: str) -> None:
    """A line as it is: no colours guessed, no brackets read as markup, and not broken, so that it can be copied."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)
