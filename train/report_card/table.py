"""The report card in a terminal."""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from train.console.terminal import echo
from train.console.words import plural
from train.report_card.card import Card, Line

_MOST_LINES = 40
"""Columns up to which each has a line; of more only those have one in which something was found."""
_STYLES = {"ok": "green", "look": "yellow", "left out": "magenta"}


def print_card(card: Card, console: Console) -> None:
    """A table with a line for each column, and a line for what is about all of them."""
    table = Table(title="Columns", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("column", overflow="fold")
    table.add_column("grade", no_wrap=True)
    table.add_column("found", ratio=3)
    table.add_column("option that changes it", ratio=2, overflow="fold")
    shown = [line for line in card.lines if len(card.lines) <= _MOST_LINES or line.findings]
    for line in shown:
        _add(table, line)
    console.print(table)
    if len(shown) < len(card.lines):
        echo(console, f"and {plural(len(card.lines) - len(shown), 'column')} in which nothing was found")
    for note in card.notes:
        echo(console, f"note: {note}")


def _add(table: Table, line: Line) -> None:
    """One row of the table for each finding, the first of which has the name."""
    first = [Text(line.name), Text(line.grade, _STYLES[line.grade])]
    for finding in line.findings or (None,):
        told = ["", ""] if finding is None else [finding.text, finding.option]
        table.add_row(*first, *map(Text, told))
        first = [Text(), Text()]
