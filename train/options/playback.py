"""The options of the commands that play files through a bundle, and the playing with its progress bar."""

import argparse
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from train.options.files import add_writing_options, written_as
from train.options.labels import with_labels

if TYPE_CHECKING:
    from rich.console import Console

    from edge.detector.bundle.files import Bundle, Variant
    from edge.detector.score.runtime import Model
    from train.evaluation.playback import Played
    from train.evaluation.said_normal import SaidNormal
    from train.read.tables import ReadOptions


def add_playback_options(parser: argparse.ArgumentParser) -> None:
    """The bundle's variant, commissioning, and how files are read."""
    parser.add_argument(
        "--calibrate-rows",
        type=row_count,
        default=0,
        metavar="N",
        help="commission the device on the first N rows of the file, which must be normal (default: the bundle's own)",
    )
    parser.add_argument(
        "--variant", default="auto", help="float32, dynamic or int8 (default: the first that runs here)"
    )
    parser.add_argument(
        "--normal",
        action="append",
        default=[],
        metavar="TIME",
        help="call the anomaly that goes on at TIME normal once it is over, as `offbeat-edge normal` does; repeatable",
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write an HTML report")
    add_reading_options(parser.add_argument_group("reading the files"), "1 where a row is known to be anomalous")


def add_reading_options(group: "argparse._ActionsContainer", label: str) -> None:
    """How files with a bundle's channels are read; `label` is the help of the label column."""
    add_writing_options(group)
    group.add_argument("--label-column", metavar="NAME", help=label)
    group.add_argument("--timezone", metavar="ZONE", help="of times that name none (default: the bundle's)")


def row_count(text: str) -> int:
    """A whole number from 0 on."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return number


def open_bundle(args: argparse.Namespace) -> "tuple[Bundle, Variant, Model]":
    """The bundle and its variant, loaded.

    Raises:
        BundleError: it cannot be used here.
    """
    from edge.detector.bundle.files import load_bundle
    from edge.detector.score.runtime import load_model
    from train.console.quiet import quiet_native_output

    bundle = load_bundle(args.bundle)
    with quiet_native_output():
        variant, model = load_model(bundle, args.variant)
    return bundle, variant, model


def reading_of(args: argparse.Namespace, bundle: "Bundle") -> "ReadOptions":
    """How to read the files."""
    from train.console.times import zone
    from train.read.tables import ReadOptions

    timezone = args.timezone or (None if bundle.timezone == "UTC" else bundle.timezone)
    zone(timezone or "UTC")
    more = written_as(args, bundle.period_s)
    return ReadOptions(bundle.channel_names, args.time_column, args.label_column, timezone, more=more)


def play_files(
    args: argparse.Namespace, paths: list[Path], console: "Console", rows: slice = slice(None)
) -> "tuple[Bundle, Variant, list[Played]]":
    """Read files, these `rows` of each, and play them through the bundle.

    Raises:
        BundleError: the bundle cannot be used here.
        DatasetError: a file cannot be used.
    """
    from train.console.terminal import echo
    from train.console.words import when
    from train.evaluation.playback import oddities, play, read_for

    bundle, variant, model = open_bundle(args)
    options = reading_of(args, bundle)
    tables = with_labels(getattr(args, "labels", None), read_for(bundle, paths, options, rows), paths, options)
    said, explained = said_of(args, options.timezone or "UTC"), args.report is not None
    with rows_done(console) as progress:
        played = play(bundle, variant, model, tables, args.calibrate_rows, progress, explained=explained, said=said)
    for one in played:
        for line in oddities(one):
            echo(console, line)
    for called in said.said if said is not None else ():
        what = f"anomaly since {when(called.event.start_time, bundle.timezone)}"
        echo(console, f"{played[called.stream].table.name}: the {what} was called normal when it was over")
    return bundle, variant, played


def said_of(args: argparse.Namespace, timezone: str) -> "SaidNormal | None":
    """What is to be called normal; None where nothing is.

    Raises:
        DatasetError: it names no time.
    """
    import numpy as np

    from train.console.errors import DatasetError
    from train.console.times import parse_times
    from train.evaluation.said_normal import SaidNormal

    if not args.normal:
        return None
    moments = [float(parse_times(np.array([text]), timezone)[0]) for text in args.normal]
    for text, moment in zip(args.normal, moments, strict=True):
        if not math.isfinite(moment):
            raise DatasetError(f"--normal {text!r} is no time; wanted one like 2026-01-05T14:30 or Unix seconds")
    return SaidNormal(moments)


@contextmanager
def rows_done(console: "Console") -> "Iterator[Callable[[int, int], None]]":
    """A progress bar over rows; nothing in a log."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("playing"), BarColumn(), MofNCompleteColumn(), TextColumn("rows"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("playing", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
