"""What a fit found, in a terminal."""

from rich.console import Console
from rich.table import Table

from edge.detector.bundle.calibration import Calibration
from edge.detector.learn.standing import describe, vouched_s
from train.console.terminal import echo
from train.console.times import format_time
from train.console.words import duration
from train.fitting.contamination import WorstStretch
from train.fitting.fit import FitResult
from train.fitting.parity import print_parity


def print_summary(result: FitResult, console: Console) -> None:
    """Training, variants, worst stretches and where the bundle is."""
    trained = result.trained
    best = trained.best_epoch
    echo(
        console,
        f"trained {len(trained.losses)} epochs in {trained.seconds:.0f} s; kept epoch {best + 1}: "
        f"loss {trained.losses[best]:.4f}, held out {trained.held_out_losses[best]:.4f}",
    )
    print_parity(result.parity, result.score_correlation, console)
    _print_worst(result, console)
    _print_calibration(result, console)
    echo(console, f"bundle {result.bundle.name} in {result.bundle.folder}")


def _print_calibration(result: FitResult, console: Console) -> None:
    unseen = sum(run.rows for run in result.split.calibrate)
    every = sum(run.rows for run in result.split.every)
    echo(console, f"calibrated on {every} rows in turn, the network on the {unseen} that training never saw")
    first = next(iter(result.calibrations.values()))
    echo(console, describe(first, result.settings.window))
    echo(console, vouched(first))


def vouched(calibration: Calibration) -> str:
    """The rate of false alerts that the rows can vouch for, as a sentence."""
    period_s = vouched_s(calibration)
    if period_s is None:
        return "these rows vouch for no rate of false alerts: give more of them"
    return f"these rows vouch for one false alert in {duration(period_s)} at the most; more rows would for fewer"


def _print_worst(result: FitResult, console: Console) -> None:
    if not result.worst:
        echo(console, "no training stretch stands out")
        return
    table = Table(title="Training rows that the network reproduces worst", title_justify="left")
    for name in ("run", "from", "to", "error / median", "channel"):
        table.add_column(name, justify="right" if "/" in name else "left")
    for stretch in result.worst:
        table.add_row(*_cells(stretch, result.settings.timezone))
    console.print(table)
    first = result.worst[0]
    if first.suspicious:
        # The end of a stretch to leave out is not left out itself: one row further.
        span = f"{_local(first.start, result)}..{_local(first.end + result.settings.period_s, result)}"
        echo(
            console,
            f"Look at these rows: an anomaly among them would count as normal. Leave it out with --exclude '{span}'",
        )


def _cells(stretch: WorstStretch, timezone: str) -> list[str]:
    span = [format_time(time, timezone) for time in (stretch.start, stretch.end)]
    return [stretch.run, *span, f"{stretch.times_median:.1f}", stretch.channel]


def _local(time: float, result: FitResult) -> str:
    return format_time(time, result.settings.timezone)
