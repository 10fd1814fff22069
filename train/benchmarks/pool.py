"""Tasks of a benchmark, one after another here or side by side in processes of their own."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from train.benchmarks.models import Workshop
from train.benchmarks.progress import SILENT

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Workers:
    """Whoever does the tasks."""

    workshop: Workshop
    pool: Executor | None
    """None does them here."""

    def results(
        self, work: Callable[[Task, Workshop], Result], tasks: Sequence[Task], name: Callable[[Task], str]
    ) -> list[Result]:
        """In the order of the tasks; the user is told the `name` of each that is done."""
        if self.pool is None:
            return [self._tell(work(task, self.workshop), name(task)) for task in tasks]
        away = replace(self.workshop, stages=SILENT)
        waiting = {self.pool.submit(work, task, away): task for task in tasks}
        try:
            for one in as_completed(waiting):
                self._tell(one.result(), name(waiting[one]))
        except BaseException:
            self.pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [one.result() for one in waiting]

    def _tell(self, result: Result, name: str) -> Result:
        self.workshop.stages.stage(f"{name}: done")
        self.workshop.stages.done()
        return result


@contextmanager
def workers(workshop: Workshop) -> Iterator[Workers]:
    """As many processes as the workshop may have."""
    if workshop.jobs == 1:
        yield Workers(workshop, None)
        return
    # A fresh interpreter each: TensorFlow's threads do not survive a fork.
    with ProcessPoolExecutor(workshop.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield Workers(workshop, pool)
