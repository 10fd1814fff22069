"""offbeat-train fit: from normal readings to a calibrated, quantized bundle."""

import argparse
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.detector.manifest import ARCHITECTURES, FORECASTER
from train.options import (
    Readings,
    add_column_options,
    add_file_options,
    add_selection_options,
    add_threshold_option,
    load_readings,
)

if TYPE_CHECKING:
    from rich.console import Console

    from train.fit import FitSettings

REPORT = "report.html"
"""The report's file in the bundle's folder."""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command's parser."""
    parser = subparsers.add_parser("fit", help="learn normal operation from CSV files, write a bundle and a report")
    add_file_options(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle's folder")
    add_column_options(parser)
    add_selection_options(parser)
    _add_model_options(parser.add_argument_group("the model"))
    parser.add_argument(
        "--runtime-python",
        action="append",
        default=[],
        type=Path,
        metavar="PATH",
        help="another Python (such as one with tflite-runtime) in which the variants are tried as well; repeatable",
    )
    return parser


def _add_model_options(group: Any) -> None:
    group.add_argument("--name", type=_name, help="the bundle's name (default: that of DIR)")
    group.add_argument(
        "--architecture", choices=ARCHITECTURES, default=ARCHITECTURES[0], help=f"of the network ({ARCHITECTURES[0]})"
    )
    add_threshold_option(group, "pot")
    group.add_argument("--window", type=_at_least(2), default=30, metavar="ROWS", help="rows in a window (30)")
    group.add_argument("--stride", type=_at_least(1), default=1, metavar="ROWS", help="rows between two inferences (1)")
    group.add_argument("--hidden", type=_at_least(1), default=32, metavar="UNITS", help="LSTM units, or filters (32)")
    group.add_argument("--layers", type=int, choices=(1, 2), default=1, help="layers each way (1)")
    group.add_argument("--dropout", type=_part, default=0.0, metavar="PART", help="0 to below 1 (0)")
    group.add_argument("--epochs", type=_at_least(1), default=40, help="at most; stops early (40)")
    group.add_argument(
        "--search",
        type=_at_least(1),
        metavar="N",
        help="try N settings (hidden, layers, dropout, learning rate) by the loss on held-out rows, and fit the best",
    )
    group.add_argument("--seed", type=int, default=0, help="the same seed gives the same weights (0)")
    group.add_argument("--scaler", choices=("robust", "standard", "minmax"), default="robust", help="(robust)")
    group.add_argument("--season", choices=("daily", "weekly"), help="levels differ by hour, or by hour and weekday")
    group.add_argument(
        "--calibration-part", type=_part, default=0.25, metavar="PART", help="of the rows, kept from training (0.25)"
    )
    group.add_argument(
        "--unit", action="append", default=[], type=_unit, metavar="CHANNEL=UNIT", help="for messages; repeatable"
    )


def run(args: argparse.Namespace) -> int:
    """Fit, write the bundle, say what it found."""
    from train.fit import fit
    from train.progress import show_progress
    from train.report import write_report
    from train.summary import print_summary
    from train.terminal import say, terminal
    from train.trials import find_interpreters

    console = terminal()
    interpreters = find_interpreters(args.runtime_python)
    readings = load_readings(args, console)
    settings = settings_of(args, readings)
    if args.search is not None:
        settings = searched(args, readings, settings, console)
    with show_progress(console, settings.training.epochs) as listener:
        result = fit(readings.runs, settings, args.out, interpreters, listener)
    print_summary(result, console)
    write_report(args.out / REPORT, result, readings.reports, readings.card)
    say(console, f"report in {args.out / REPORT}")
    return 0


def searched(
    args: argparse.Namespace, readings: Readings, settings: "FitSettings", console: "Console"
) -> "FitSettings":
    """The best of `--search` settings."""
    from train.progress import show_progress
    from train.search import best_of, print_search, search

    with show_progress(console, settings.training.epochs) as listener:
        tried = search(readings.runs, settings, args.search, listener)
    print_search(tried, console)
    return replace(best_of(tried).settings, tried=len(tried))


def settings_of(args: argparse.Namespace, readings: Readings) -> "FitSettings":
    """What the command line chose.

    Raises:
        FitError: a unit of a channel that is not there.
    """
    from train.errors import FitError
    from train.fit import FitSettings
    from train.training import TrainingSettings

    channels = readings.tables[0].channels
    unknown = sorted(set(dict(args.unit)) - set(channels))
    if unknown:
        raise FitError(f"--unit {unknown[0]}: no such channel{_why(unknown[0], readings)}")
    rates = readings.settings.rates
    return FitSettings(
        name=args.name or _name(args.out.resolve().name),
        channels=channels,
        period_s=readings.settings.period_s,
        rates=rates,
        missing=readings.settings.missing,
        window=args.window,
        stride=args.stride,
        architecture=args.architecture,
        hidden=args.hidden,
        layers=args.layers,
        dropout=args.dropout,
        scaler=args.scaler,
        season=args.season,
        timezone=readings.timezone,
        units={name: f"{unit}/s" if unit and name in rates else unit for name, unit in args.unit},
        threshold=replace(args.threshold, signed=args.architecture == FORECASTER),
        calibration_part=args.calibration_part,
        training=TrainingSettings(epochs=args.epochs, seed=args.seed),
    )


def _why(name: str, readings: Readings) -> str:
    """Why a name is no channel's."""
    for line in readings.card.lines:
        if line.name == name and line.findings:
            return f"; the column {line.findings[0].text}: {line.findings[0].option}"
    return f"; channels are {', '.join(readings.tables[0].channels)}"


def _name(text: str) -> str:
    name = re.sub(r"[^a-zA-Z0-9_-]+", "-", text).strip("-")
    if not name:
        raise argparse.ArgumentTypeError(f"{text!r} is no name; wanted letters, digits, - or _")
    return name


def _at_least(least: int) -> Any:
    def whole(text: str) -> int:
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"{number} is below {least}")
        return number

    return whole


def _part(text: str) -> float:
    number = float(text)
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not in 0 to below 1")
    return number


def _unit(text: str) -> tuple[str, str]:
    channel, separator, unit = text.rpartition("=")
    if not separator or not channel:
        raise argparse.ArgumentTypeError(f"{text!r} is not CHANNEL=UNIT")
    return channel.strip(), unit.strip()
