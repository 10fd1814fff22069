"""How far a benchmark is: a bar in a terminal, a line for each stage in a log."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from train.terminal import say


@contextmanager
def show_stages(console: Console, total: int) -> Iterator[tuple[Callable[[str], None], Callable[[], None]]]:
    """Who is told what is being done, and who is told that one of `total` parts is done."""
    if not console.is_terminal:
        start = time.monotonic()
        yield lambda text: say(console, f"{time.monotonic() - start:6.0f} s  {text}"), lambda: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} of {task.total}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("reading", total=total)
        yield lambda text: progress.update(task, description=text), lambda: progress.advance(task)
