"""offbeat-train fit: from normal readings to a calibrated, quantized bundle."""

import argparse
from pathlib import Path
from typing import Any

from train.options.fit import add_fit_options, settings_of
from train.options.readings import load_readings

REPORT = "report.html"
"""The report's file in the bundle's folder."""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command's parser."""
    parser = subparsers.add_parser("fit", help="learn normal operation from CSV files, write a bundle and a report")
    add_fit_options(parser)
    parser.add_argument(
        "--runtime-python",
        action="append",
        default=[],
        type=Path,
        metavar="PATH",
        help="another Python (such as one with tflite-runtime) in which the variants are tried as well; repeatable",
    )
    return parser


def run(args: argparse.Namespace) -> int:
    """Fit, write the bundle, say what it found."""
    from train.console.terminal import echo, terminal
    from train.fitting.fit import fit
    from train.fitting.progress import show_progress
    from train.fitting.search import searched
    from train.fitting.summary import print_summary
    from train.fitting.trials import find_interpreters
    from train.fitting.window import USUAL
    from train.report import write_report

    console = terminal()
    interpreters = find_interpreters(args.runtime_python)
    readings = load_readings(args, console)
    settings = settings_of(args, readings)
    if args.window is None and settings.window < USUAL:
        echo(console, f"windows of {settings.window} rows: there are too few for the usual {USUAL}; --window N takes N")
    if args.search is not None:
        settings = searched(readings.runs, settings, args.search, console)
    with show_progress(console, settings.training.epochs) as listener:
        result = fit(readings.runs, settings, args.out, interpreters, listener)
    print_summary(result, console)
    write_report(args.out / REPORT, result, readings.reports, readings.card)
    echo(console, f"report in {args.out / REPORT}")
    return 0
