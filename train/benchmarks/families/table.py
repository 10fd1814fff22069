"""Figures of families for a terminal."""

from collections.abc import Callable, Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from train.benchmarks.families.benchmark import FamiliesOutcome
from train.benchmarks.families.claims import Claim
from train.benchmarks.families.leaving_out import ByFamily, LeftOut, mean_j
from train.benchmarks.figures import Tally
from train.benchmarks.table import NAMES
from train.console.terminal import echo
from train.console.words import duration, number

_MARKS = {"once": "", "half": "half ", "twice": "twice "}


def print_families(outcome: FamiliesOutcome, title: str, console: Console) -> None:
    """What was set, a line for each family and detector, their means, the claims, the notes."""
    for family, text in outcome.settings.items():
        echo(console, f"{family}: {text}")
    console.print(_figures_table(outcome, title))
    if outcome.claims:
        console.print(_claims_table(outcome.claims))
    for note in outcome.notes:
        echo(console, note)


def print_parts(parts: Mapping[str, Mapping[str, Tally]], notes: Sequence[str], console: Console) -> None:
    """J of each family without each part."""
    table = _table("J of each family", ("without",), list(parts["nothing"]))
    for part, tallies in parts.items():
        table.add_row(part, *_j_cells({family: tally.mean.get("j") for family, tally in tallies.items()}))
    console.print(table)
    for note in notes:
        echo(console, note)


def print_left_out(found: LeftOut, notes: Sequence[str], console: Console) -> None:
    """J with half and twice of each constant, then with what the other families choose."""
    table = _table("J, a constant at half and twice its value", ("constant", "value"), list(found.default))
    table.add_row("as they are", "", *_j_cells(found.default))
    for name, factors in found.j.items():
        for factor in ("half", "twice"):
            table.add_row(name, number(found.values[name][factor]), *_j_cells(factors[factor]))
    console.print(table)
    table = _table("J, a constant as all other families choose it", ("constant",), list(found.default))
    table.add_row("as they are", *_j_cells(found.default))
    for name, chosen in found.chosen.items():
        table.add_row(name, *_j_cells(found.left_out(name), {family: _MARKS[one] for family, one in chosen.items()}))
    table.add_row("all of them", *_j_cells(found.together))
    console.print(table)
    for note in notes:
        echo(console, note)


def _figures_table(outcome: FamiliesOutcome, title: str) -> Table:
    table = Table(title=title, title_justify="left", padding=(0, 1), box=box.SIMPLE)
    table.add_column("family")
    table.add_column("detector")
    for heading, _ in _COLUMNS:
        table.add_column(heading, justify="right")
    for family, detectors in outcome.tallies().items():
        for place, (name, tally) in enumerate(detectors.items()):
            _add(table, family if place == 0 else "", name, tally.mean, tally.spread.get("j"))
        table.add_section()
    means = {f"mean of {len(outcome.families)}": outcome.means(with_others=False)}
    if outcome.others:
        means[f"mean of {len(outcome.tallies())}"] = outcome.means()
    for label, by_detector in means.items():
        for place, (name, figures) in enumerate(by_detector.items()):
            _add(table, label if place == 0 else "", name, figures)
        table.add_section()
    return table


Figures = Mapping[str, float | None]


def _add(table: Table, family: str, name: str, figures: Figures, spread: float | None = None) -> None:
    cells = [write(figures) for _, write in _COLUMNS]
    if spread:
        cells[0] += f"±{spread:.3f}"
    table.add_row(family, NAMES.get(name, name), *cells)


def _cell(name: str, write: Callable[[float], str]) -> Callable[[Figures], str]:
    def cell(figures: Figures) -> str:
        value = figures.get(name)
        return "-" if value is None else write(value)

    return cell


def _found(figures: Figures) -> str:
    found, events = figures.get("events_found"), figures.get("events")
    return "-" if found is None or events is None else f"{number(round(found, 1), 4)}/{events:.0f}"


_COLUMNS: Sequence[tuple[str, Callable[[Figures], str]]] = (
    ("J", _cell("j", lambda value: f"{value:.3f}")),
    ("FAR %", _cell("far", lambda value: f"{100 * value:.1f}")),
    ("MAR %", _cell("mar", lambda value: f"{100 * value:.1f}")),
    ("found", _found),
    ("false", _cell("false_episodes", lambda value: number(round(value, 1), 4))),
    ("a 1,000 rows", _cell("false_episodes_per_1000_rows", lambda value: f"{value:.2f}")),
    ("a day", _cell("false_episodes_per_day", lambda value: f"{value:.2f}")),
    ("delay rows", _cell("delay_rows", number)),
    ("delay", _cell("delay_s", duration)),
)
"""A heading, and how it is written of a detector's figures."""


def _claims_table(claims: Sequence[Claim]) -> Table:
    title = "Offbeat: false episodes"
    table = Table(title=title, title_justify="left", padding=(0, 1), box=box.SIMPLE)
    table.add_column("family")
    for heading in ("normal days", "claimed", "seen", "95 %", "holds"):
        table.add_column(heading, justify="right")
    for one in claims:
        low, high = one.interval
        cells = (number(one.days), number(one.claimed), number(one.seen), f"{low:.1f} to {high:.1f}")
        table.add_row(", ".join(one.families), *cells, "yes" if one.holds else "no")
    return table


def _table(title: str, first: Sequence[str], families: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", padding=(0, 1), box=box.SIMPLE)
    for heading in first:
        table.add_column(heading)
    for family in (*families, "mean"):
        table.add_column(family, justify="right")
    return table


def _j_cells(j: ByFamily, marks: Mapping[str, str] | None = None) -> list[str]:
    """J of each family and their mean; `marks` stand before it."""
    shown = [f"{(marks or {}).get(family, '')}{'-' if one is None else f'{one:.3f}'}" for family, one in j.items()]
    mean = mean_j(j.values())
    return [*shown, "-" if mean is None else f"{mean:.3f}"]
