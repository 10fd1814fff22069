"""The parser of offbeat-train: every module in train/commands is a command."""

import argparse
import importlib
import pkgutil
from types import ModuleType

import train.commands
from edge import __version__

_FIRST = ("fit", "score", "evaluate", "calibrate")  # in the order in which a user needs them; the others follow


def build_parser() -> argparse.ArgumentParser:
    """The parser; the namespace that it gives holds the command's function as `run`."""
    parser = argparse.ArgumentParser(
        "offbeat-train", description="From normal readings in a CSV to a bundle for the device."
    )
    parser.add_argument("--version", action="version", version=f"offbeat {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for module in _commands():
        module.add_parser(subparsers).set_defaults(run=module.run)
    return parser


def _commands() -> list[ModuleType]:
    names = [module.name for module in pkgutil.iter_modules(train.commands.__path__)]
    names.sort(key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
    return [importlib.import_module(f"train.commands.{name}") for name in names]
