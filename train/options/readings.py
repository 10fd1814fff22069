"""The options that say how CSV files are read, shared by the commands that take files."""

import argparse
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge.detector.members.threshold import Threshold, named
from edge.detector.rows.aligner import AlignerSettings, held_gap
from train.options.files import add_writing_options, written_as
from train.options.labels import add_labels_option, with_labels

if TYPE_CHECKING:
    from rich.console import Console

    from train.read.data_report import DataReport
    from train.read.dataset import Run, Selection
    from train.read.tables import RawTable, ReadOptions
    from train.report_card.card import Card
    from train.report_card.choice import Choice


def add_file_options(parser: argparse.ArgumentParser) -> None:
    """Files and how to read them."""
    parser.add_argument("csv", nargs="+", type=Path, metavar="CSV", help="recordings; each file is a run of its own")
    group = parser.add_argument_group("reading the files")
    group.add_argument("--channels", type=_names, metavar="A,B", help="columns to use (default: all with numbers)")
    group.add_argument("--label-column", metavar="NAME", help="1 where a row is anomalous, -1 where nobody judged")
    group.add_argument("--timezone", metavar="ZONE", help="of times that name none (default: UTC)")
    add_writing_options(group)
    add_labels_option(group, "these rows are not fitted")


def add_column_options(parser: argparse.ArgumentParser) -> None:
    """Which columns are channels, and how they are read; each changes what the report card says."""
    group = parser.add_argument_group("choosing columns, as the report card says; all repeatable")
    for name, help_text in (
        ("--keep", "a channel whatever it looks like: a counter, labels, a row number"),
        ("--drop", "no channel"),
        ("--rate", "a counter, of which the rise a second is the channel, here and on the device"),
    ):
        group.add_argument(name, action="append", default=[], metavar="NAME", help=help_text)
    group.add_argument(
        "--missing",
        action="append",
        default=[],
        type=_code,
        metavar="[NAME=]VALUE",
        help="a reading that means none, such as -999, of one column or of all, here and on the device",
    )


def add_selection_options(parser: argparse.ArgumentParser) -> None:
    """The grid, and which rows count as normal."""
    group = parser.add_argument_group("choosing rows")
    group.add_argument("--period", type=positive, metavar="SECONDS", help="of the grid (default: the median step)")
    group.add_argument(
        "--hold",
        type=positive,
        metavar="SECONDS",
        help="a value stands until the next one, so long at most: readings come on change, here and on the device",
    )
    group.add_argument("--max-gap", type=positive, metavar="SECONDS", help="silence that ends a run (5 periods)")
    add_stretch_options(group)


def add_stretch_options(group: "argparse._ActionsContainer") -> None:
    """Which rows of a file are used; `selection_of` reads them."""
    add_rows_option(group)
    group.add_argument("--until", metavar="TIME", help="only rows before this time")
    group.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="FROM..TO",
        help="leave a stretch out, TO itself is in; repeatable",
    )


def add_threshold_option(group: "argparse._ActionsContainer", default: str | None) -> None:
    """`--threshold NAME[:NUMBER]`."""
    group.add_argument(
        "--threshold",
        type=_threshold,
        default=None if default is None else _threshold(default),
        metavar="NAME",
        help="of the scores: pot (peaks over threshold), mean-sd[:K], percentile[:P] or gaussian "
        f"(default: {default or 'as the bundle was fitted'})",
    )


def add_rows_option(group: "argparse._ActionsContainer", note: str = "") -> None:
    """`--rows A:B`; `note` is added to its help."""
    text = f"file rows A to B - 1, from 0{note}"
    group.add_argument("--rows", type=_rows, default=slice(None), metavar="A:B", help=text)


@dataclass(frozen=True)
class LoadedReadings:
    """The files of a command line: as read, and as runs on the grid."""

    tables: "list[RawTable]"
    runs: "list[Run]"
    reports: "list[DataReport]"
    card: "Card"
    settings: AlignerSettings
    """Of the aligner that the runs came through."""
    timezone: str


def load_readings(args: argparse.Namespace, console: "Console") -> LoadedReadings:
    """Read, grade and align the files, and print what was found in them.

    Raises:
        DatasetError: files or options cannot be used, or leave no rows or no column.
    """
    from train.console.errors import DatasetError
    from train.console.terminal import echo
    from train.read.data_report import describe, print_report
    from train.read.dataset import align, refuse_irregular, usual_period
    from train.read.tables import read_tables
    from train.report_card.grading import grade, without_counters
    from train.report_card.table import print_card

    selection, choice, zone_of = selection_of(args), choice_of(args), args.timezone or "UTC"
    options = read_options(args)
    tables = read_tables(args.csv, options)
    tables = with_labels(args.labels, tables, args.csv, replace(options, channels=tables[0].channels))
    _print_tables(tables, args.channels, console)
    period_s = args.period or usual_period(tables)
    if args.hold is None and args.max_gap is None:
        refuse_irregular(tables, period_s)
    echo(console, f"period {period_s:g} s{'' if args.period else ' (the median step; --period changes it)'}")
    tables, remarks, left_out = without_counters(tables, selection, choice)
    channels = tables[0].channels
    settings = AlignerSettings(
        period_s,
        max_hold_s=args.hold,
        max_gap_s=args.max_gap or held_gap(args.hold, period_s),
        rates=choice.rates,
        missing=choice.missing_of(channels),
    )
    runs = [align(table, selection, settings) for table in tables]
    reports = [describe(table, run, selection) for table, run in zip(tables, runs, strict=True)]
    print_report(reports, zone_of, console)
    if not any(run.rows for run in runs):
        raise DatasetError("no usable rows left after --rows, --until, --exclude and labels")
    card = grade(runs, channels, remarks, left_out, period_s, zone_of)
    print_card(card, console)
    return LoadedReadings(tables, runs, reports, card, settings, zone_of)


def _print_tables(tables: "list[RawTable]", channels: tuple[str, ...] | None, console: "Console") -> None:
    """What was understood of each file."""
    from train.console.terminal import echo
    from train.read.dataset import two_steps
    from train.read.understood import print_understood

    for table in tables:
        if table.layout is not None:
            print_understood(table.layout, table.name, channels, console)
        for note in (*table.notes, *filter(None, [two_steps(table)])):
            echo(console, f"{table.name}: {note}")


def read_options(args: argparse.Namespace) -> "ReadOptions":
    """How to read the files.

    Raises:
        DatasetError: the time zone is not known, or options contradict each other.
    """
    from train.console.errors import DatasetError
    from train.console.times import zone
    from train.read.tables import ReadOptions

    zone(args.timezone or "UTC")
    keep = (*args.keep, *args.rate)
    for name in args.drop:
        if name in keep:
            raise DatasetError(f"--drop {name}: it is also named by --keep or --rate")
    more = written_as(args, args.period)
    return ReadOptions(args.channels, args.time_column, args.label_column, args.timezone, keep, tuple(args.drop), more)


def choice_of(args: argparse.Namespace) -> "Choice":
    """What is said about columns."""
    from train.report_card.choice import Choice

    rates = tuple(dict.fromkeys(args.rate))
    return Choice(frozenset((*(args.channels or ()), *args.keep, *rates)), rates, tuple(args.missing))


def selection_of(args: argparse.Namespace, timezone: str | None = None) -> "Selection":
    """Which rows to use; times are local to `--timezone`, or to `timezone` where that is not given.

    Raises:
        DatasetError: a time cannot be read.
    """
    from train.console.times import parse_instant, parse_stretch
    from train.read.dataset import Selection

    zone = args.timezone or timezone or "UTC"
    until = None if args.until is None else parse_instant(args.until, zone)
    return Selection(args.rows, until, tuple(parse_stretch(text, zone) for text in args.exclude))


def positive(text: str) -> float:
    """A number above 0."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def _code(text: str) -> tuple[str | None, float]:
    name, separator, value = text.rpartition("=")
    try:
        code = float(value)
    except ValueError:
        code = math.nan
    if not math.isfinite(code) or (separator and not name.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} is neither VALUE nor NAME=VALUE, with a number as its value")
    return name.strip() or None, code


def _threshold(text: str) -> Threshold:
    name, _, at = text.partition(":")
    try:
        return named(name, float(at) if at else None)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise argparse.ArgumentTypeError("wanted names separated by commas")
    return names


def _rows(text: str) -> slice:
    try:
        start, stop = (int(part) if part.strip() else None for part in text.split(":"))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not A:B, such as 0:400") from error
    if (start or 0) < 0 or (stop is not None and stop <= (start or 0)):
        raise argparse.ArgumentTypeError(f"{text!r} holds no row; rows count from 0, and A must be below B")
    return slice(start, stop)
