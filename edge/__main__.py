"""The command `offbeat-edge`. Imports what is needed alone."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

from edge import __version__
from edge.commands.options import COMMANDS
from edge.wire.output import output_taken, print_or_drop

_STANDARD_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status."""
    _open_standard_streams()
    with output_taken("offbeat-edge", otherwise=1):
        return _run(build_parser().parse_args(arguments))


def _run(options: argparse.Namespace) -> int:
    try:
        module, function = COMMANDS[options.command].where.split(":")
        status: int = getattr(import_module(f"edge.commands.{module}"), function)(options)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `offbeat-edge check | head`
        return 1
    except OSError as error:
        if options.command == "run":  # whoever looks after a gateway wants to know where
            raise
        where = f"{error.filename}: " if error.filename else ""
        print(f"offbeat-edge: {where}{error.strerror or error}", file=sys.stderr)
        print_or_drop()
        return 1


def _open_standard_streams() -> None:
    """Where one is closed, the next file that is opened has its number, and what is printed goes into that file."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        os.set_inheritable(handle, True)
    os.close(handle)
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: SIM115  # None where it was closed
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal without UTF-8: a word that it cannot show ends no command
            stream.reconfigure(errors="backslashreplace")


def build_parser() -> argparse.ArgumentParser:
    """The parser; the namespace that it gives holds the command's name as `command`."""
    parser = argparse.ArgumentParser("offbeat-edge", description="Finds anomalies in live readings, alerts over MQTT.")
    parser.add_argument("--version", action="version", version=f"offbeat {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for name, command in COMMANDS.items():
        command.add_options(commands.add_parser(name, help=command.help))
    return parser


if __name__ == "__main__":
    sys.exit(main())
