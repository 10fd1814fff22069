"""docs/reference/commands.md: every command and option, from the argparse parsers."""

import argparse
from collections.abc import Iterator

from docs.generate.markdown import page, table
from edge.__main__ import build_parser as edge_parser
from firmware_sim.options.arguments import build_parser as sim_parser
from train.cli import build_parser as train_parser

_INTRODUCTION = """From the parsers of `edge/commands/options.py`, `train/commands` and `firmware_sim/options`. `--help`
of a command says the same."""


def commands() -> str:
    """The page."""
    return page("Commands", _INTRODUCTION, *(_section(one, about) for one, about in parsers()))


def parsers() -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """Every command's parser, with what is said of it; `prog` names the command."""
    for root in (edge_parser(), train_parser(), sim_parser()):
        yield from _all(root, "")


def _all(parser: argparse.ArgumentParser, about: str) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """A parser and those of its commands, with what is said of each."""
    yield parser, parser.description or about
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            said = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, inner in action.choices.items():
                yield from _all(inner, said[name])


def _section(parser: argparse.ArgumentParser, about: str) -> str:
    level = "##" if " " not in parser.prog else "###"
    formatter = parser._get_formatter()
    rows = [
        (_name(action), _expanded(formatter, action))
        for action in parser._actions
        if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)
    ]
    head = f"{level} {parser.prog}\n\n{about[:1].upper()}{about[1:].rstrip('.')}."
    return f"{head}\n\n{table(['option', 'meaning'], rows)}" if rows else head


def _name(action: argparse.Action) -> str:
    """With what it takes.

    >>> _name(argparse.Action(["--out"], "out", metavar="DIR"))
    '`--out DIR`'
    """
    takes = action.metavar or ("" if action.choices is None else "|".join(map(str, action.choices)))
    if not action.option_strings:
        return f"`{takes or action.dest}`" + (", any number" if action.nargs in ("*", "+") else "")
    takes = "" if action.nargs == 0 else f" {takes or action.dest.upper()}"
    required = ", required" if action.required else ""
    return f"`{', '.join(action.option_strings)}{takes}`{required}"


def _expanded(formatter: argparse.HelpFormatter, action: argparse.Action) -> str:
    return formatter._expand_help(action) if action.help else ""
