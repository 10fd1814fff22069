"""A thread that no failure ends."""

import logging
import threading
import time
from collections.abc import Callable

from edge.wire.backoff import Backoff
from edge.wire.flapping import LogThrottle

log = logging.getLogger(__name__)


class Worker:
    """Runs `work` in a thread until it returns; whatever it raises is logged, and it is run again after a while.

    `failed` is told of each failure, in that thread, so that what the thread is for can be shown as out of order.

    >>> tries = []
    >>> def work() -> None:
    ...     tries.append(1)
    ...     if len(tries) < 2:
    ...         raise MemoryError
    >>> worker = Worker("example", work, lambda error: None, threading.Event(), Backoff(first_s=0.01))
    >>> worker.start()
    >>> worker.join(5.0)
    >>> len(tries)
    2
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], None],
        failed: Callable[[BaseException], None],
        leaving: threading.Event,
        backoff: Backoff | None = None,
    ) -> None:
        self._work, self._failed, self._leaving = work, failed, leaving
        self._backoff = backoff or Backoff(0.5, 10.0)
        self._failures = LogThrottle()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the end, so long at most; not from within, and not before `start`."""
        if self._thread is not threading.current_thread() and self._thread.is_alive():
            self._thread.join(timeout_s)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._leaving.is_set():
            try:
                self._work()
                return
            except BaseException as error:  # SystemExit and MemoryError as well: a thread must not end unseen
                self._report(error)
            self._leaving.wait(self._backoff.next_s())

    def _report(self, error: BaseException) -> None:
        for say in (self._log, self._failed):
            try:
                say(error)
            except BaseException:  # no memory to say it: it is run again all the same
                continue

    def _log(self, error: BaseException) -> None:
        if (more := self._failures.change(time.monotonic())) is not None:
            log.error("%s failed and is started again: %r%s", self._thread.name, error, more, exc_info=error)
