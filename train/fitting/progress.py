"""Progress of a fit: a bar in a terminal, a line now and then in a log."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from train.console.terminal import echo
from train.fitting.fit import Listener

_LINES = 8
"""Lines about training in a log, about."""


@contextmanager
def show_progress(console: Console, epochs: int) -> Iterator[Listener]:
    """Who listens to a fit of at most `epochs` epochs."""
    if not console.is_terminal:
        yield _log_lines(console, epochs)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[detail]}"))
    with Progress(*columns, console=console) as progress:
        yield _bars(progress, epochs)


def _bars(progress: Progress, epochs: int) -> Listener:
    def stage(text: str) -> None:
        for task in progress.tasks:
            progress.update(task.id, total=task.completed or 1, completed=task.completed or 1)
        progress.add_task(text, total=epochs if text.startswith("training") else None, detail="")

    def epoch(_number: int, loss: float, held_out: float) -> None:
        progress.update(progress.tasks[-1].id, advance=1, detail=f"loss {loss:.4f}, held out {held_out:.4f}")

    return Listener(stage, epoch)


def _log_lines(console: Console, epochs: int) -> Listener:
    every = max(1, epochs // _LINES)

    def epoch(number: int, loss: float, held_out: float) -> None:
        if (number + 1) % every == 0:
            echo(console, f"epoch {number + 1} of {epochs}: loss {loss:.4f}, held out {held_out:.4f}")

    return Listener(lambda text: echo(console, text), epoch)
