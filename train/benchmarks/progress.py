"""How far a benchmark is: a bar in a terminal, a line for each stage in a log."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from train.console.terminal import echo


@dataclass(frozen=True)
class Stages:
    """Whom a benchmark tells how far it is."""

    stage: Callable[[str], None]
    """What is being done."""
    done: Callable[[], None]
    """One part more is done."""
    total: Callable[[int], None]
    """How many parts there are."""


@contextmanager
def show_stages(console: Console) -> Iterator[Stages]:
    """Who listens to a benchmark."""
    if not console.is_terminal:
        start = time.monotonic()
        yield Stages(lambda text: echo(console, f"{time.monotonic() - start:6.0f} s  {text}"), _nothing, _no_total)
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("reading", total=None)
        yield Stages(
            lambda text: progress.update(task, description=text),
            lambda: progress.advance(task),
            lambda total: progress.update(task, total=total),
        )


def _nothing() -> None: ...


def _no_total(_total: int) -> None: ...


def _no_stage(_text: str) -> None: ...


SILENT = Stages(_no_stage, _nothing, _no_total)
"""For work in another process, whose results its caller tells of."""
