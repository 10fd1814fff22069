"""A benchmark's figures for a terminal: a line a detector, mean and spread in each cell."""

from collections.abc import Callable, Mapping

from rich import box
from rich.console import Console
from rich.table import Table

from train.benchmarks.figures import BenchmarkResult, Tally
from train.console.terminal import echo
from train.console.words import duration, number

NAMES = {
    "offbeat": "Offbeat",
    "ewma": "EWMA chart",
    "pca": "PCA T2/Q",
    "isolation_forest": "Isolation Forest",
    "always": "always",
    "clock": "clock",
}
"""Detectors as a reader knows them."""

Cell = Callable[[float], str]


def _percent(part: float) -> str:
    return f"{100 * part:.1f}"


def _rate(value: float) -> str:
    return f"{value:.3f}"


def _count(value: float) -> str:
    return number(round(value, 2))


COLUMNS: Mapping[str, tuple[str, Cell]] = {
    "j": ("J", _rate),
    "f1": ("F1", _rate),
    "event_f1": ("event F1", _rate),
    "false_episodes_per_1000_rows": ("a 1,000 rows", _rate),
    "faults_found": ("found %", _percent),
    "false_episodes_per_day": ("false a day", _rate),
    "right_channel": ("right channel %", _percent),
    "found_lost_coupling": ("lost coupling found %", _percent),
    "wear_found": ("wear found %", _percent),
    "wear_part_latest": ("at % of wear, latest", _percent),
    "far": ("FAR %", _percent),
    "mar": ("MAR %", _percent),
    "far_before_onset": ("FAR % before onset", _percent),
    "files_found": ("files found", _count),
    "events_found": ("events found", _count),
    "false_episodes": ("false episodes", _count),
    "delay_s": ("delay", duration),
    "longest_delay_s": ("longest delay", duration),
}
"""A figure's heading and how it is written."""


def print_outcome(outcome: BenchmarkResult, columns: tuple[str, ...], title: str, console: Console) -> None:
    """What was set, the table, the notes."""
    echo(console, "set by this benchmark: " + "; ".join(f"{name} {text}" for name, text in outcome.settings.items()))
    table = Table(title=title, title_justify="left", padding=(0, 1), box=box.SIMPLE)
    table.add_column("detector")
    for name in columns:
        table.add_column(COLUMNS[name][0], justify="right")
    for detector, tally in outcome.detectors.items():
        table.add_row(NAMES.get(detector, detector), *(_cell(tally, name) for name in columns))
    console.print(table)
    for note in outcome.notes:
        echo(console, note)


def _cell(tally: Tally, name: str) -> str:
    mean, spread = tally.mean.get(name), tally.spread.get(name)
    write = COLUMNS[name][1]
    return "-" if mean is None or spread is None else f"{write(mean)}±{write(spread)}"
