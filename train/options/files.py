"""The options that say how files are written, for what cannot be known from them."""

import argparse
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.readings.options import FileOptions


def add_writing_options(group: "argparse._ActionsContainer") -> None:
    """How files are written; `written_as` reads them."""
    add = group.add_argument
    add("--time-column", metavar="NAME", help="default: found by name or content; A,B joins several; none counts rows")
    add("--time-format", metavar="FORM", help="'%%d.%%m.%%Y %%H:%%M', a unit of numbers (s, ms, us, ns, min, h, d), "
        "excel, matlab, julian, labview, filetime, ticks")  # fmt: skip
    add(
        "--day-first",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="03/04/2024 is the third of April, or not",
    )
    add("--decimal", choices=(".", ","), help="the decimal mark (default: found on the whole file)")
    add("--id-column", metavar="NAME", help="of a file with a row a value: the column that says whose it is")
    add("--value-column", metavar="NAME", help="of such a file: the column with the value")
    add(
        "--rename",
        action="append",
        default=[],
        type=_pair,
        metavar="OLD=NEW",
        help="another name for a channel; repeatable",
    )
    add("--header-row", type=_whole, metavar="LINE", help="line with the names, from 1; 0: there is none")
    add("--skip-lines", type=_whole, default=0, metavar="N", help="lines at the start to pass over")


def written_as(args: argparse.Namespace, period_s: float | None = None) -> "FileOptions":
    """What the command line says of how files are written; `period_s` is for files without a time."""
    from edge.readings.options import FileOptions

    return FileOptions(
        time_format=args.time_format,
        day_first=args.day_first,
        decimal=args.decimal,
        id_column=args.id_column,
        value_column=args.value_column,
        rename=tuple(args.rename),
        header_row=args.header_row,
        skip_lines=args.skip_lines,
        period_s=period_s,
    )


def _pair(text: str) -> tuple[str, str]:
    old, separator, new = text.partition("=")
    if not separator or not old.strip() or not new.strip():
        raise argparse.ArgumentTypeError(f"{shlex.quote(text)} is not OLD=NEW")
    return old.strip(), new.strip()


def _whole(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return number
