"""offbeat-train calibrate: a bundle for one device, from the device's own normal rows."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.options.playback import add_reading_options, reading_of
from train.options.readings import add_stretch_options, add_threshold_option, positive, selection_of

if TYPE_CHECKING:
    from rich.console import Console

    from edge.detector.bundle.files import Bundle
    from train.commission.commissioned import Commissioned
    from train.commission.device import Chosen, Device


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "calibrate", help="commission a bundle on a device's own normal rows; set its level by a budget or by labels"
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder with a manifest.json")
    parser.add_argument(
        "csv", type=Path, metavar="CSV", help="normal rows of the device, that the network was not fitted on"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the new bundle's folder")
    add_stretch_options(parser.add_argument_group("choosing rows"))
    _add_level_options(parser.add_argument_group("the alarm level"))
    add_reading_options(parser.add_argument_group("reading the files"), "1 where a row is anomalous; see --labels")
    return parser


def _add_level_options(group: Any) -> None:
    add_threshold_option(group, None)
    way = group.add_mutually_exclusive_group()
    way.add_argument(
        "--false-alarms-per-day", type=positive, metavar="X", help="the level that normal rows pass X times a day"
    )
    way.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="the level with the best F-beta: a labelled recording, labels by time, or intervals (CSV or JSON)",
    )
    group.add_argument(
        "--beta", type=positive, default=1.0, help="of F-beta: 2 counts recall double, 0.5 precision (1)"
    )


def run(args: argparse.Namespace) -> int:
    """Commission, choose the level, write the bundle, say what it rests on."""
    from edge.detector.bundle.files import load_bundle
    from train.commission.commissioned import commission_variants, write_commissioned
    from train.commission.device import by_budget, by_labels, facts, read_device
    from train.console.terminal import echo, terminal
    from train.read.row_hashes import refuse_fitted

    console = terminal()
    bundle = load_bundle(args.bundle)
    if args.threshold is not None:
        bundle = replace(bundle, alarm={**bundle.alarm, "threshold": args.threshold.to_dict()})
    device = read_device(bundle, args.csv, reading_of(args, bundle), selection_of(args, bundle.timezone), args.labels)
    refuse_fitted([device.run], bundle)
    commissioned = commission_variants(bundle, device.run, lambda text: echo(console, text))
    _warn(bundle, device, commissioned, console)
    chosen: Chosen | None = None
    if args.false_alarms_per_day is not None:
        chosen = by_budget(bundle, commissioned, args.false_alarms_per_day)
    elif args.labels is not None:
        chosen = by_labels(bundle, commissioned, device, args.beta)
    if chosen is not None:
        commissioned = commissioned.times(chosen.factor)
    written = write_commissioned(
        bundle, args.out, commissioned, {} if chosen is None else chosen.alarm, facts(device, commissioned)
    )
    _print_summary(written, commissioned, chosen, console)
    return 0


def _warn(bundle: "Bundle", device: "Device", commissioned: "Commissioned", console: "Console") -> None:
    from train.console.terminal import echo
    from train.console.times import format_time
    from train.console.words import number

    for odd in commissioned.odd:
        first, last = device.file_rows(odd.start, odd.end)
        span = [format_time(time, bundle.timezone) for time in (odd.start, odd.end, odd.end + bundle.period_s)]
        echo(
            console,
            f"warning: rows {first} to {last} of {device.table.name} ({span[0]} to {span[1]}) stand out, most of all "
            f"{odd.channel} ({number(odd.times_usual, 2)} times the usual peak): an anomaly among the rows to "
            f"calibrate on makes the device deaf to its like. Leave it out with --exclude '{span[0]}..{span[2]}'",
        )


def _print_summary(bundle: "Bundle", commissioned: "Commissioned", chosen: "Chosen | None", console: "Console") -> None:
    from edge.detector.bundle.tail import EXTRAPOLATION
    from edge.detector.learn.standing import describe
    from train.console.terminal import echo
    from train.console.words import duration, number, plural
    from train.fitting.summary import vouched

    first = commissioned.first
    echo(console, f"commissioned on {plural(first.rows, 'row')} ({duration(first.span_s)})")
    echo(console, describe(first, bundle.window))
    echo(console, vouched(first))
    for line in () if chosen is None else chosen.lines:
        echo(console, line)
    rare = None if first.tail is None else first.tail.return_period_s(first.level)
    often = f"about once in {duration(rare)}" if rare else f"less than once in {duration(EXTRAPOLATION * first.span_s)}"
    echo(console, f"normal rows reach the level {often}")
    level = float(bundle.alarm.get("level", 1.0))
    echo(console, f"level {number(level)} times the default; [stream.alarm] level in agent.toml multiplies it further")
    echo(console, f"bundle {bundle.name} in {bundle.folder}")
