"""An evaluation as lines and columns, for a terminal and for the report."""

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from train.console.terminal import echo
from train.console.words import count, duration, number, often, percent, plural, when
from train.evaluation.evaluation import Evaluation, Quiet
from train.evaluation.limits import LIMIT_SDS
from train.evaluation.metrics import Metrics
from train.evaluation.return_check import Claim

NAMES = {"offbeat": "Offbeat", "limits": f"mean ± {LIMIT_SDS:g} sd", "always": "always", "clock": "clock"}
"""Detectors as a reader knows them."""

NO_LIMITS = (
    f"{NAMES['limits']} is left out: the bundle is older than mean and sd of its normal rows in it; fit it again, or "
    "give --calibrate-rows"
)
WINDOW_DELAYS = "Delays count from the start of a label window, which lies before the event itself."

LINES: tuple[tuple[str, Callable[[Metrics], str]], ...] = (
    ("J = 1 - FAR - MAR", lambda one: number(one.j)),
    ("F1", lambda one: number(one.f1)),
    ("precision", lambda one: percent(one.precision)),
    ("recall", lambda one: percent(one.recall)),
    ("false alarm rate (FAR)", lambda one: percent(one.far)),
    ("missed rate (MAR)", lambda one: percent(one.mar)),
    ("FAR before the first onset", lambda one: percent(one.far_before_onset)),
    ("ROC-AUC", lambda one: number(one.roc_auc)),
    ("PR-AUC", lambda one: number(one.pr_auc)),
    ("anomalies found", lambda one: f"{one.events_found} of {one.events}"),
    ("files with a finding", lambda one: f"{one.files_found} of {one.files_with_events}"),
    ("false episodes", lambda one: count(one.false_episodes)),
    ("mean delay", lambda one: duration(one.delay_s)),
)
"""A metric's name and how its cell is written."""


def cells(result: Evaluation) -> tuple[list[str], list[list[str]]]:
    """Header and lines: a line a metric, a column a detector."""
    header = ["", *(NAMES[name] for name in result.detectors)]
    return header, [[name, *(show(one) for one in result.detectors.values())] for name, show in LINES]


def print_evaluation(result: Evaluation, timezone: str, console: Console) -> None:
    """The detector beside its baselines."""
    header, lines = cells(result)
    table = Table(title="Evaluation", title_justify="left")
    for number_, name in enumerate(header):
        table.add_column(name, justify="right" if number_ else "left")
    for line in lines:
        table.add_row(*line)
    console.print(table)
    echo(console, f"clock: in alarm from row {result.clock_row} of every file on, the row that suits it best")
    if unjudged := result.detectors["offbeat"].unjudged_rows:
        echo(console, f"{count(unjudged)} rows that nobody judged (label -1) are left out of all figures")
    if "limits" not in result.detectors:
        echo(console, NO_LIMITS)
    if result.windows:
        echo(console, WINDOW_DELAYS)
    for one in result.detectors["offbeat"].findings:
        if one.found_at is None:
            echo(console, f"missed in {one.file}: {when(one.start, timezone)} to {when(one.end, timezone)}")


def print_quiet(found: Quiet, console: Console) -> None:
    """Counts and quantiles."""
    counts = f"{count(found.rows)} rows, {count(found.scored_rows)} scored, {count(found.alarm_rows)} in alarm"
    episodes = f"{plural(found.episodes, 'episode')} in {duration(86400 * found.days)}"
    echo(console, ", ".join(filter(None, [counts, episodes, often(found.episodes_per_day)])))
    table = Table(title="Score (1.0 is the alarm level)", title_justify="left")
    table.add_column("part of the rows below")
    table.add_column("score", justify="right")
    for part, score in found.quantiles.items():
        table.add_row("all" if part == "1" else f"{100 * float(part):g} %", number(score))
    console.print(table)
    if found.claims:
        console.print(_claims(found.claims))
    echo(console, "no labels: give --label-column, --labels or --windows to see which alarms were right")


def _claims(claims: Sequence[Claim]) -> Table:
    table = Table(title="Scores that normal rows reach once in so long", title_justify="left")
    for name in ("claimed", "peaks expected", "seen", "observed / claimed"):
        table.add_column(name, justify="right")
    for claim in claims:
        ratio = "-" if claim.ratio is None else f"{claim.ratio:.2f}"
        table.add_row(duration(claim.claimed_s), f"{claim.expected:.1f}", str(claim.seen), ratio)
    return table
