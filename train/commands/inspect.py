"""offbeat-train inspect: how files are read, and nothing else."""

import argparse
from typing import Any

from train.options.files import add_writing_options
from train.options.readings import add_column_options, positive, read_options


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command's parser."""
    from pathlib import Path

    parser = subparsers.add_parser("inspect", help="print what is understood of files, and what would settle the rest")
    parser.add_argument("csv", nargs="+", type=Path, metavar="FILE", help="recordings of any kind")
    group = parser.add_argument_group("reading the files")
    group.add_argument("--channels", type=lambda text: tuple(text.split(",")), metavar="A,B", help="columns to use")
    group.add_argument("--label-column", metavar="NAME", help="no channel: 1 where a row is anomalous")
    group.add_argument("--timezone", metavar="ZONE", help="of times that name none (default: UTC)")
    group.add_argument("--period", type=positive, metavar="SECONDS", help="between rows, where a file has no time")
    add_writing_options(group)
    add_column_options(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Print a table for each file."""
    from train.console.terminal import echo, terminal
    from train.console.times import format_time
    from train.read.dataset import usual_period
    from train.read.tables import read_table
    from train.read.understood import print_understood

    console = terminal()
    options = read_options(args)
    for path in args.csv:
        table = read_table(path, options)
        assert table.layout is not None
        print_understood(table.layout, path.name, args.channels, console)
        for note in table.notes:
            echo(console, f"{path.name}: {note}")
        for one in table.left_out:
            echo(console, f"{path.name}: {one.name}: {one.found}" + (f"; {one.option}" if one.option else ""))
        known = table.times[table.times == table.times]
        span = [format_time(time, options.zone) for time in (known.min(), known.max())]
        period = f"; a row every {usual_period([table]):g} s" if len(known) > 1 and known.min() < known.max() else ""
        echo(console, f"{path.name}: {len(table.times)} rows from {span[0]} to {span[1]} {options.zone}{period}")
    return 0
