"""The options of `play`: the file, how it is written, and how it is played."""

import argparse

from edge.readings.options import FileOptions
from firmware_sim.options import types


def add_playing(play: argparse.ArgumentParser) -> None:
    """All of them; `file_options` reads those about how the file is written."""
    add = play.add_argument
    add("file", metavar="FILE", help="CSV or JSON lines, also packed, as fit and the agent read it")
    add("--board", default="recording", metavar="NAME", help="board of rows that name none (default: %(default)s)")
    add_speed(play, 1.0)
    add("--loop", action="store_true", help="begin anew behind the last row, until stopped")
    when = "time of the first row: now, recorded (times stay as they are), ISO or Unix (default: now)"
    add("--start", default="now", metavar="TIME", help=when)
    add = play.add_argument_group("how the file is written", "for what is not found out").add_argument
    add("--time-column", metavar="NAME", help="A,B joins several; none counts rows, --period apart")
    add("--time-format", metavar="FORM", help="a pattern such as '%%d.%%m.%%Y %%H:%%M', a unit (s, ms, ...), or excel")
    add("--day-first", action=argparse.BooleanOptionalAction, default=None, help="03/04/2024 is the third of April")
    add("--decimal", choices=(".", ","), help="the decimal mark")
    add("--missing", action="append", default=[], metavar="CELL", help="means no value, such as -999; repeatable")
    add("--id-column", metavar="NAME", help="of a file with a row a value: whose it is")
    add("--value-column", metavar="NAME", help="of such a file: the value")
    add("--rename", action="append", default=[], type=_pair, metavar="OLD=NEW", help="of a channel; repeatable")
    add("--header-row", type=types.whole(0, 10**6), metavar="LINE", help="line with the names, 0: there is none")
    add("--skip-lines", type=types.whole(0, 10**6), default=0, metavar="N", help="lines at the start to pass over")
    add("--timezone", metavar="ZONE", help="of times that name none (default: UTC)")
    add("--period", type=types.length, metavar="D", help="between two rows of a file without a time")


def add_speed(parser: argparse.ArgumentParser, speed: object) -> None:
    """`--speed` and `--quiet`; a link takes them as well, where SUPPRESS leaves what stands before its name."""
    about = "seconds of the recording a second, or max (default: 1)"
    parser.add_argument("--speed", type=types.speed, default=speed, metavar="S", help=about)
    quiet = False if speed is not argparse.SUPPRESS else argparse.SUPPRESS
    parser.add_argument("--quiet", action="store_true", default=quiet, help="no report on stderr")


def file_options(args: argparse.Namespace) -> FileOptions:
    """What is said of how the file is written."""
    return FileOptions(
        time_column=args.time_column,
        time_format=args.time_format,
        day_first=args.day_first,
        decimal=args.decimal,
        missing=tuple(args.missing),
        id_column=args.id_column,
        value_column=args.value_column,
        rename=tuple(args.rename),
        header_row=args.header_row,
        skip_lines=args.skip_lines,
        timezone=args.timezone,
        period_s=args.period,
    )


def _pair(text: str) -> tuple[str, str]:
    old, separator, new = text.partition("=")
    if not separator or not old.strip() or not new.strip():
        raise argparse.ArgumentTypeError(f"found {text!r}, wanted OLD=NEW")
    return old.strip(), new.strip()
