"""A source that cannot be opened yet: a file on a disk that is not mounted, for one."""

import threading
from collections.abc import Callable

from edge.sources.intake import Intake
from edge.sources.settings import Reader, SourceError
from edge.wire.backoff import Backoff
from edge.wire.worker import Worker


class LateReader:
    """Tries to open a reader until that works, then starts it."""

    def __init__(self, open_: Callable[[], Reader], intake: Intake) -> None:
        self._open, self._intake = open_, intake
        self._reader: Reader | None = None
        self._leaving = threading.Event()
        self._worker = Worker(f"source {intake.source}", self._run, intake.lost, self._leaving)

    def start(self) -> None:
        """Begin to try; returns at once."""
        self._worker.start()

    def stop(self) -> None:
        """End the trying, or the reader."""
        self._leaving.set()
        self._worker.join(1.0)
        if self._reader is not None:
            self._reader.stop()

    def probe(self) -> str:
        """Open it once and try it.

        Raises:
            SourceError: as opening it or its own probe does.
        """
        return self._open().probe()

    def _run(self) -> None:
        backoff = Backoff(1.0, 10.0)
        while not self._leaving.is_set():
            try:
                self._reader = self._open()
            except SourceError as error:
                self._intake.lost(error)
                self._leaving.wait(backoff.next_s())
                continue
            self._reader.start()
            return
