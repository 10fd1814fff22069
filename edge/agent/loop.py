"""The agent: one loop that takes readings, scores rows and reports. `edge.agent.assembly` puts it together."""

import logging
import math
import select
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge.agent.feedback import Feedback
from edge.agent.inbox import Gathering, Inbox, Route
from edge.agent.inference import Inference
from edge.agent.notify import Notifier
from edge.agent.reporter import Reporter
from edge.agent.served import Served, few, routes_of
from edge.detector.outcome import Outcome
from edge.sources.intake import Intake
from edge.sources.settings import Reader, SourceError
from edge.state.ledger import Ledger

log = logging.getLogger(__name__)

TICK_S = 0.25
"""How often overdue rows, silence and the watchdog are looked after, seconds."""
_DISK_S = 5.0
"""How often a disk that refused is tried again where no event does that, seconds."""
_LOOK_S = 2.0
"""How often the bundles' folders are looked at, seconds."""
_FINISH_S = 2.0
"""How long leaving may go on scoring what has already come, seconds."""
_SLICE_S = 0.02
"""How long a turn may work on a stream's commissioning, seconds: so long others wait at most."""
_ROWS_WAITING = 1024
"""Rows of a stream that wait for its commissioning before its readings stay in the inbox."""


@dataclass
class Agent:
    """Everything that runs. Only `run`'s thread touches streams and inferences."""

    streams: Sequence[Served]
    inferences: Sequence[Inference]
    inbox: Inbox
    readers: Mapping[str, Reader]
    intakes: Mapping[str, Intake]
    ended: deque[tuple[str, Exception | None]]
    """Sources that came to their end, as their threads report them."""
    ledger: Ledger
    reporter: Reporter
    notifier: Notifier
    health_every_s: float
    on_reload: Callable[["Agent"], None]
    """Reads the config again and applies what changed."""
    on_look: Callable[["Agent"], None] = lambda _agent: None
    """Called every few seconds: looks for new bundles."""
    on_tick: Callable[[Sequence[Served], float], None] = lambda _streams, _monotonic: None
    """Called a few times a second with the streams and the monotonic time."""
    on_row: Callable[[str, Outcome, Sequence[tuple[str, str]]], None] = lambda _stream, _outcome, _channels: None
    """Called with each row that was scored, its stream's id and channels with units."""
    gathering: Gathering = field(default_factory=Gathering)
    feedback: Feedback = field(default_factory=Feedback)
    monotonic: Callable[[], float] = time.monotonic
    warnings: list[str] = field(default_factory=list)
    _stopping: bool = False
    _reloading: bool = False
    _failed: bool = False
    _working: bool = False  # whether a stream is commissioning itself
    open_sources: set[str] = field(default_factory=set)
    troubles: dict[str, str | None] = field(default_factory=dict)
    """Why each stream is not judged."""
    started: float = 0.0
    """Monotonic."""
    _routes: dict[Route, list[Served]] = field(default_factory=dict)
    _last: dict[str, float] = field(default_factory=dict)
    _unstarted: dict[str, Reader] = field(default_factory=dict)

    def stop(self) -> None:
        """Leave after the turn under way; safe in a signal handler."""
        self._stopping = True

    def reload(self) -> None:
        """Read the config again after the turn under way; safe in a signal handler."""
        self._reloading = True

    def run(self) -> int:
        """Serve until `stop`, or until every source has come to its end; the exit status."""
        self._start()
        while not self._stopping and self.open_sources:
            self._turn(TICK_S)
            if self._reloading:
                self._reloading = False
                self.notifier.reloading()
                self.on_reload(self)
                self.notifier.ready()
            elif self._due("look", _LOOK_S, self.monotonic()):
                self.on_look(self)
        self._leave()
        return 1 if self._failed else 0

    def end(self, stream: Served) -> None:
        """Close a stream that is not served any longer."""
        self._end_stream(stream, self.monotonic())
        self.reporter.availability(stream.id, False)

    def health(self) -> dict[str, Any]:
        """The payload of the health topic as it is now."""
        monotonic = self.monotonic()
        streams = {
            stream.id: stream.health(self.inbox.overrun(stream.route), self.troubles.get(stream.id), monotonic)
            for stream in self.streams
        }
        sources = {name: intake.health() for name, intake in self.intakes.items()}
        more = {"sources": sources, "unrouted": self.inbox.strangers, "warnings": self.warnings}
        return {**self.reporter.health(monotonic - self.started, streams), **more}

    def rearrange(
        self,
        streams: Sequence[Served],
        inferences: Sequence[Inference],
        readers: Mapping[str, Reader],
        intakes: Mapping[str, Intake],
    ) -> None:
        """From here on serve these. Readers that are gone are stopped, those that are new started."""
        gone = {name: reader for name, reader in self.readers.items() if readers.get(name) is not reader}
        new = {name: reader for name, reader in readers.items() if self.readers.get(name) is not reader}
        for reader in gone.values():
            reader.stop()
        self.streams, self.inferences, self.readers, self.intakes = streams, inferences, readers, intakes
        self._routes = routes_of(streams)
        self.reporter.serve([stream.id for stream in streams])
        self.open_sources = self.open_sources.difference(gone).union(new)
        for name, reader in new.items():
            self._start_reader(name, reader, known=(SourceError,))  # a certificate that is none; the others go on

    def _start_reader(self, name: str, reader: Reader, known: tuple[type[Exception], ...] = ()) -> None:
        self._unstarted.pop(name, None)
        try:
            reader.start()
        except known as error:
            self.intakes[name].lost(error)
        except (RuntimeError, MemoryError) as error:  # no thread to be had: that passes
            self.intakes[name].lost(error)
            self._unstarted[name] = reader

    def _start(self) -> None:
        self.started = self.monotonic()
        self.open_sources = set(self.readers)
        self._routes = routes_of(self.streams)
        self.reporter.start()
        self.reporter.serve([stream.id for stream in self.streams])
        for name, reader in self.readers.items():
            self._start_reader(name, reader)
        self.notifier.ready()
        log.info("ready: %s", few([stream.id for stream in self.streams]))

    def _turn(self, timeout_s: float) -> bool:
        """Take what has come and score it; whether anything had come."""
        self._gather()
        most = max(self.gathering.most, len(self._routes))
        arrivals = self.inbox.take(most, 0.0 if self._working else timeout_s, self._held())
        begun = self.monotonic()
        if arrivals:
            self.gathering.taken(len(arrivals) == most, begun)
        for arrival in arrivals:
            for stream in self._routes.get((arrival.source, arrival.board), ()):
                stream.inference.take(stream.number, arrival)
        monotonic = self.monotonic()
        if self._due("tick", TICK_S, monotonic):
            self._tick(monotonic)
        self._score(monotonic)
        self.gathering.worked(len(arrivals), self.monotonic() - begun)
        self.feedback.serve(self.streams)
        self._working = any([inference.work(_SLICE_S) for inference in self.inferences])
        for _ in range(len(self.ended)):
            self._end_source(*self.ended.popleft())
        return bool(arrivals)

    def _gather(self) -> None:
        if len(self.streams) < 2 or self._working or self._stopping:
            return
        periods = (one.loaded.bundle.period_s for one in self.inferences if one.loaded is not None)
        if wait_s := self.gathering.wait_s(periods, self.monotonic()):
            # Not time.sleep: it waits for an instant, which the system refuses when the clock is set meanwhile.
            select.select((), (), (), wait_s)

    def _held(self) -> set[Route]:
        """Boards whose readings wait in the inbox, since enough of their rows wait for commissioning."""
        if not self._working:
            return set()
        return {stream.route for stream in self.streams if stream.inference.waiting(stream.number) >= _ROWS_WAITING}

    def _tick(self, monotonic: float) -> None:
        # What waits to be read says that a board is not silent, and its rows not overdue: it is we who are late.
        behind = self.inbox.behind()
        for stream in self.streams:
            late = stream.route in behind
            if not late:
                stream.inference.advance(stream.number, monotonic)
                stream.inference.publish(stream.number, stream.inference.idle(stream.number, monotonic))
            self._availability(stream, monotonic, late)
        self.on_tick(self.streams, monotonic)
        self.reporter.tick()
        for intake in self.intakes.values():
            intake.settle()
        for inference in self.inferences:
            inference.save_due(monotonic)
        for name, reader in list(self._unstarted.items()):
            if self.readers.get(name) is reader:
                self._start_reader(name, reader, known=(SourceError,))
            else:
                del self._unstarted[name]
        if self._due("disk", _DISK_S, monotonic):
            self.ledger.catch_up()
        while self.ledger.cut_off:
            self.reporter.over(*self.ledger.cut_off.popitem())
        if self._due("health", self.health_every_s, monotonic):
            self.reporter.publisher.health(self.health())
        self._alive(monotonic)

    def _alive(self, monotonic: float) -> None:
        watchdog_s = self.notifier.watchdog_every_s
        if watchdog_s is not None and self._due("watchdog", watchdog_s, monotonic):
            self.notifier.alive()

    def _due(self, what: str, every_s: float, monotonic: float) -> bool:
        if monotonic - self._last.get(what, -math.inf) < every_s:
            return False
        self._last[what] = monotonic
        return True

    def _score(self, monotonic: float) -> None:
        for inference in self.inferences:
            for outcome in inference.turn(monotonic):
                inference.follow(outcome)
                number, stream = outcome.stream, inference.configs[outcome.stream].id
                judged = not math.isnan(outcome.score) or inference.calm(number, monotonic)
                self.reporter.state(stream, outcome, judged, inference.open_now(number))
                if inference.loaded is not None:
                    self.on_row(stream, outcome, inference.loaded.group.channels)
                self._alive(self.monotonic())  # a slow model has much to do after a pause

    def _availability(self, stream: Served, monotonic: float, late: bool = False) -> None:
        rows = stream.inference.stream(stream.number)
        intake = self.intakes.get(stream.route[0])
        trouble = stream.inference.why_not_judged(stream.number, intake, monotonic, late)
        silent = rows is None or (rows.silent(monotonic) and not late)
        heard = stream.route[0] in self.open_sources and not silent
        self.reporter.availability(stream.id, heard and trouble is None)
        self.troubles[stream.id] = trouble
        if trouble is not None:
            self.reporter.unjudged(stream.id, math.nan if rows is None else rows.time(monotonic))

    def _end_source(self, source: str, error: Exception | None) -> None:
        """Close the streams of a source that has no more readings."""
        if self.inbox.waiting(source):
            self.ended.append((source, error))
            return
        self._failed = self._failed or error is not None
        theirs = [stream for stream in self.streams if stream.route[0] == source]
        monotonic = self.monotonic()
        for stream in theirs:
            stream.inference.flush(stream.number)
        self._score(monotonic)
        if any(stream.inference.under_way(stream.number) for stream in theirs):
            self.ended.append((source, error))
            return
        self.open_sources.discard(source)
        for stream in theirs:
            self._end_stream(stream, monotonic)

    def _end_stream(self, stream: Served, monotonic: float) -> None:
        stream.inference.publish(stream.number, stream.inference.close(stream.number, monotonic))
        stream.inference.save(stream.number)
        self._availability(stream, monotonic)
        rows = stream.inference.stream(stream.number)
        if rows is not None and stream.inference.rows[stream.number]:
            self.reporter.over(stream.id, rows.time(monotonic))

    def _leave(self) -> None:
        self.notifier.stopping()
        self.inbox.close()
        for reader in self.readers.values():
            reader.stop()
        deadline = self.monotonic() + _FINISH_S
        while self._turn(0.0) and self.monotonic() < deadline:
            pass
        for stream in self.streams:
            stream.inference.save(stream.number)
        self.reporter.tick()
        self.reporter.publisher.health(self.health())
        self.reporter.stop()
