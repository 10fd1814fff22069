"""The inference over the streams of one bundle: batches in, outcomes out; what fails is left out and tried again."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from edge.config import StreamConfig
from edge.delivery.durations import Durations
from edge.detector.bundle import BundleError
from edge.detector.group import Outcome
from edge.detector.rows import Row
from edge.loading import Loaded
from edge.sources.intake import Arrival
from edge.state_files import StateFiles
from edge.stream import Stream
from edge.structure import ConfigError
from edge.wire.backoff import Backoff
from edge.wire.events import Event

log = logging.getLogger(__name__)

RETRY_FIRST_S, RETRY_LONGEST_S = 5.0, 300.0
_BUNDLE = -1
"""In place of a stream's number: the whole bundle."""


@dataclass(frozen=True)
class _Trouble:
    """Why something does not work, and when to try it again."""

    reason: str
    retry_at: float


class Inference:
    """Scores the rows of streams that share a bundle. Streams are numbered in the order of `configs`.

    A stream whose processing raises, or a bundle that cannot be loaded, is reported in `trouble`
    and tried again after a while from the state saved last; the others go on.
    """

    def __init__(
        self,
        configs: Sequence[StreamConfig],
        load: Callable[[], Loaded],
        files: StateFiles,
        snapshot_every_s: float,
        run_s: Durations,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.configs = tuple(configs)
        self.loaded: Loaded | None = None
        self.rows = [0] * len(configs)
        """Rows scored, per stream."""
        self.unscored = [0] * len(configs)
        """Rows that came while their stream was in trouble, per stream."""
        self._load, self._files, self._monotonic = load, files, monotonic
        self._snapshot_every_s, self._run_s = snapshot_every_s, run_s
        self._saved_at = [monotonic()] * len(configs)
        self._fresh: list[dict[str, Any]] = []
        self._ready: set[int] = set()
        self._troubles: dict[int, _Trouble] = {}
        self._backoffs: dict[int, Backoff] = {}
        self._disk_refused = False

    def open(self) -> None:
        """Load the bundle and restore what its streams had learnt.

        Raises:
            BundleError, ConfigError: as `load` does; the trouble is noted and tried again by `turn`.
        """
        try:
            self.loaded = self._load()
        except (BundleError, ConfigError) as error:
            self._note(_BUNDLE, error)
            raise
        self._troubles.clear()
        self._fresh = [self.loaded.group.snapshot(number) for number in range(len(self.configs))]
        for number in range(len(self.configs)):
            self._restore(number)

    def trouble(self, number: int) -> str | None:
        """Why a stream is not served; None where it is."""
        trouble = self._troubles.get(_BUNDLE) or self._troubles.get(number)
        return trouble.reason if trouble else None

    def stream(self, number: int) -> Stream | None:
        """A stream, once the bundle is loaded."""
        return self.loaded.streams[number] if self.loaded else None

    def take(self, number: int, arrival: Arrival) -> None:
        """Hand readings to a stream; while the bundle is in trouble they are dropped."""
        if self.loaded is not None:
            stream = self.loaded.streams[number]
            stream.take(arrival)
            if stream.rows:
                self._ready.add(number)

    def advance(self, number: int, monotonic: float) -> None:
        """Close a stream's overdue rows."""
        if self.loaded is not None:
            stream = self.loaded.streams[number]
            stream.advance(monotonic)
            if stream.rows:
                self._ready.add(number)

    def flush(self, number: int) -> None:
        """A stream's readings are at their end: close its open rows."""
        if self.loaded is not None:
            stream = self.loaded.streams[number]
            stream.flush()
            if stream.rows:
                self._ready.add(number)

    def turn(self, monotonic: float) -> Iterator[Outcome]:
        """Score all rows that wait, in batches of at most one row a stream."""
        self._retry(monotonic)
        while self._ready and self.loaded is not None:
            batch = []
            for number in sorted(self._ready):
                rows = self.loaded.streams[number].rows
                if number in self._troubles:
                    self.unscored[number] += len(rows)
                    rows.clear()
                elif rows:
                    batch.append((number, rows.popleft()))
                if not rows:
                    self._ready.discard(number)
            if batch:
                yield from self._process(self.loaded, batch)

    def idle(self, number: int, monotonic: float) -> tuple[Event, ...]:
        """Events because a stream's rows are overdue."""
        stream = self.stream(number)
        if self.loaded is None or stream is None or number in self._troubles or not stream.idle(monotonic):
            return ()
        try:
            return self.loaded.group.idle(number, stream.time(monotonic))
        except Exception as error:
            self._note(number, error)
            return ()

    def close(self, number: int, monotonic: float) -> tuple[Event, ...]:
        """Events because a stream has come to its end; its rows must have been scored."""
        stream = self.stream(number)
        if self.loaded is None or stream is None or number in self._troubles or not self.rows[number]:
            return ()
        return self.loaded.group.close(number, stream.time(monotonic))

    def save(self, number: int) -> None:
        """Write what a stream has learnt to disk. Without a disk the agent goes on, and says so once."""
        if self.loaded is None or number in self._troubles:
            return
        self._saved_at[number] = self._monotonic()
        try:
            self._files.save(self.configs[number].id, self.loaded.bundle.sha256, self.loaded.group.snapshot(number))
        except (OSError, ValueError) as error:
            if not self._disk_refused:
                log.error("stream %s: its state cannot be saved: %s", self.configs[number].id, error)
            self._disk_refused = True
        else:
            self._disk_refused = False

    def save_due(self, monotonic: float) -> None:
        """Save the streams that were saved longest ago, where that is long enough."""
        for number, saved_at in enumerate(self._saved_at):
            if monotonic - saved_at >= self._snapshot_every_s and self.rows[number]:
                self.save(number)

    def _process(self, loaded: Loaded, batch: list[tuple[int, Row]]) -> list[Outcome]:
        start = time.perf_counter()
        try:
            outcomes = loaded.group.process(batch)
        except Exception as error:
            if len(batch) == 1:
                self._note(batch[0][0], error)
                return []
            # Which stream it was, the rows one by one tell.
            return [outcome for part in batch for outcome in self._process(loaded, [part])]
        self._run_s.add(time.perf_counter() - start)
        for number, _ in batch:
            self.rows[number] += 1
        return outcomes

    def _restore(self, number: int) -> None:
        assert self.loaded is not None
        stream, sha256 = self.configs[number].id, self.loaded.bundle.sha256
        state = self._files.load(stream, sha256)
        if state is None:
            return
        try:
            self.loaded.group.restore(number, state)
        except ValueError as error:
            self._files.set_aside(stream, sha256, error)
            self.loaded.group.restore(number, self._fresh[number])

    def _retry(self, monotonic: float) -> None:
        for number, trouble in list(self._troubles.items()):
            if monotonic < trouble.retry_at:
                continue
            if number == _BUNDLE:
                self._reopen()
                return
            del self._troubles[number]
            assert self.loaded is not None
            self.loaded.group.restore(number, self._fresh[number])
            self._restore(number)
            log.info("stream %s: tried again", self.configs[number].id)

    def _reopen(self) -> None:
        try:
            self.open()
        except (BundleError, ConfigError):
            return
        log.info("streams %s: the bundle is loaded", ", ".join(config.id for config in self.configs))

    def _note(self, number: int, error: Exception) -> None:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        backoff = self._backoffs.setdefault(number, Backoff(RETRY_FIRST_S, RETRY_LONGEST_S))
        self._troubles[number] = _Trouble(reason, self._monotonic() + backoff.next_s())
        names = [config.id for config in self.configs] if number == _BUNDLE else [self.configs[number].id]
        log.error("stream %s: out of order: %s", ", ".join(names), reason)
        log.debug("where it failed", exc_info=error)
