"""The durable outbox: an event is on disk before anything is said of it on the network."""

import json
import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from edge.delivery.entries import Entry, MemoryQueue, Position
from edge.delivery.figures import Durations, OutboxCounts
from edge.delivery.spool import Spool
from edge.delivery.tables import is_damage, set_aside
from edge.wire.events import Event, EventError, event_from_dict, event_to_dict
from edge.wire.flapping import Flapping
from edge.wire.payload import encode_payload

log = logging.getLogger(__name__)
T = TypeVar("T")


class Outbox:
    """Events in the order they were put, until a broker has acknowledged them.

    Opens its file at first use. Safe for one thread that puts and one that drains. No method raises for
    the disk's sake: what it refuses waits in a bounded queue in memory, as `durable` false, in a log of its own
    (the numbers of a file must not be used by what is not in the file).

    >>> import tempfile
    >>> outbox = Outbox(Path(tempfile.mkdtemp()) / "outbox.db")
    >>> event = Event("new", "e1", "pump1", "anomaly", 1.0, None, 1.0, 1.7, 1.7, "warning", None)
    >>> outbox.put(event).seq
    1
    >>> [entry.event.id for entry in outbox.pending(limit=10)]
    ['e1']
    >>> outbox.acknowledge(outbox.pending(limit=10))
    >>> outbox.pending(limit=10)
    []
    >>> outbox.close()
    """

    def __init__(self, path: Path, max_bytes: int = 16_000_000, history: int = 1000, max_in_memory: int = 1000) -> None:
        self._path, self._max_bytes, self._history = path, max_bytes, history
        self._lock = threading.Lock()
        self._dropped: Counter[str] = Counter()
        self._memory = MemoryQueue(max_in_memory, self._dropped)
        self._spool: Spool | None = None
        self._generation = self._disk_errors = self._unreadable = 0
        self._accepting, self._refusal = True, ""
        self._flapping = Flapping()
        self._episodes: dict[str, bytes] = {}
        self.found: dict[str, bytes] | None = None
        """By stream, what was open when the file was opened first; None until the disk lets us."""
        self._unsaved: set[str] = set()  # streams whose episodes the disk has not taken yet
        self.commit_s = Durations()
        """How long `put` took, seconds."""
        self.on_put: Callable[[], None] = lambda: None
        """Called after each `put`, in the thread that put."""

    def put(self, event: Event) -> Entry:
        """Commit an event to disk, or else keep it in memory."""
        return self.commit([event], {})[0]

    def commit(self, events: Sequence[Event], episodes: Mapping[str, bytes]) -> list[Entry]:
        """Commit events and, by stream, what is open after them: both in one transaction, or else kept in memory.

        The episodes that the disk refused go with the next transaction that it takes.
        """
        start = time.perf_counter()
        rows = [(event.event_type, encode_payload(event_to_dict(event))) for event in events]
        with self._lock:
            self._episodes.update(episodes)
            self._unsaved.update(episodes)
            seqs = self._on_disk(lambda spool: spool.append(rows, self._unsaved_episodes()))
            self._note(accepting=seqs is not None)
            if seqs is not None:
                self._unsaved.clear()
                entries = [self._entry(seq, event) for seq, event in zip(seqs, events, strict=True)]
            else:
                entries = [self._in_memory(event) for event in events]
        self.commit_s.add(time.perf_counter() - start)
        self.on_put()
        return entries

    def catch_up(self) -> None:
        """Try again to save the episodes that the disk has refused; to be called now and then."""
        if self._unsaved:
            self.commit([], {})
        with self._lock:
            self._say(self._flapping.held(time.monotonic()))

    def try_disk(self) -> bool:
        """Whether the file can be opened and takes a transaction; logged once where not, before an alert finds out."""
        with self._lock:
            taken = self._on_disk(lambda spool: spool.append([], {})) is not None
            if not taken:
                self._note(accepting=False)
        return taken

    def episodes(self) -> dict[str, bytes]:
        """By stream, what was said to be open last."""
        with self._lock:
            return self._on_disk(lambda _spool: dict(self._episodes)) or dict(self._episodes)

    def events(self) -> list[Event]:
        """All events that the file still has, acknowledged or not, oldest first; without those that do not decode."""
        with self._lock:
            bodies = self._on_disk(lambda spool: spool.bodies()) or []
        return [event for body in bodies if (event := _event(body)) is not None]

    def pending(self, limit: int, after: Position | None = None) -> list[Entry]:
        """The next events that nobody acknowledged, in the order they were put."""
        with self._lock:
            rows = self._on_disk(lambda spool: spool.pending(self._seq_of(after), limit)) or []
            entries = [entry for seq, body in rows if (entry := self._decoded(seq, body)) is not None]
            entries += self._memory.pending(after)
        return sorted(entries, key=lambda entry: entry.position)[:limit]

    def acknowledge(self, entries: Iterable[Entry]) -> None:
        """A broker has these; those on disk become history."""
        with self._lock:
            arrived = list(entries)
            self._memory.acknowledge([entry for entry in arrived if not entry.durable])
            here = [entry for entry in arrived if entry.durable and entry.position.generation == self._generation]
            if here:
                self._on_disk(lambda spool: spool.acknowledge(entry.seq for entry in here))

    def replay(self, since_seq: int) -> int:
        """History from `since_seq` on is pending again; how many events that are."""
        with self._lock:
            return self._on_disk(lambda spool: spool.replay(since_seq)) or 0

    @property
    def last(self) -> Position:
        """The position of the newest entry; every later one compares greater."""
        with self._lock:
            return Position(self._generation, self._last_seq(), self._memory.last_seq)

    @property
    def log(self) -> str | None:
        """The file's log id; None while the disk refuses to open it."""
        with self._lock:
            return self._on_disk(lambda spool: spool.log)

    def counts(self) -> OutboxCounts:
        """For `health`."""
        with self._lock:
            on_disk = self._on_disk(lambda spool: (spool.pending_count, spool.history_count, spool.size_bytes))
            pending, history, size_bytes = on_disk or (0, 0, 0)
            return OutboxCounts(
                pending=pending + len(self._memory),
                in_memory=len(self._memory),
                history=history,
                size_bytes=size_bytes,
                accepting=self._accepting,
                disk_errors=self._disk_errors,
                not_durable=self._memory.last_seq,
                dropped_updates=self._dropped["update"],
                dropped_alerts=self._dropped["new"] + self._dropped["end"],
                set_aside=self._generation,
                unreadable=self._unreadable,
            )

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        with self._lock:
            if self._spool is not None:
                self._spool.close()
                self._spool = None

    def _on_disk(self, action: Callable[[Spool], T]) -> T | None:
        """The action's result, or None where the disk refused; a damaged file is replaced, once."""
        for last_try in (False, True):
            try:
                return action(self._opened())
            except (sqlite3.Error, OSError) as error:
                if not last_try and (self._reconnected(error) or (is_damage(error) and self._replaced(error))):
                    continue
                self._disk_errors += 1
                self._refusal = f"{type(error).__name__}: {error}"
                return None
        return None

    def _opened(self) -> Spool:
        if self._spool is None:
            spool = Spool(self._path, self._max_bytes, self._history, self._dropped)
            spool.open()
            self._spool = spool
            there = spool.episodes()
            self.found = there if self.found is None else self.found
            self._episodes = {**there, **self._episodes}
        return self._spool

    def _reconnected(self, error: Exception) -> bool:
        """Whether a file that refused because it was opened on a read-only disk is opened anew."""
        if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_READONLY or self._spool is None:
            return False
        try:
            self._spool.reconnect()
        except sqlite3.Error:
            return False
        return True

    def _replaced(self, error: Exception) -> bool:
        if self._spool is not None:
            self._spool.close()
            self._spool = None
        try:
            kept = set_aside(self._path)
        except OSError:
            return False
        self._generation += 1
        self._unsaved.update(self._episodes)
        log.error("%s is damaged (%s); kept as %s, going on with a new log", self._path, error, kept.name)
        return True

    def _note(self, accepting: bool) -> None:
        if accepting != self._accepting:
            self._accepting = accepting
            self._say(self._flapping.change(time.monotonic()))

    def _say(self, more: str | None) -> None:
        if more is None:
            return
        if self._accepting:
            log.warning("%s takes events again%s", self._path, more)
        else:
            told = "takes no events (%s); they are sent from memory until it does"
            log.error("%s " + told + "%s", self._path, self._refusal, more)

    def _unsaved_episodes(self) -> dict[str, bytes]:
        return {stream: self._episodes[stream] for stream in self._unsaved}

    def _entry(self, seq: int, event: Event) -> Entry:
        spool = self._opened()
        return Entry(event, spool.log, seq, Position(self._generation, seq, 0), seq <= spool.inherited_seq)

    def _in_memory(self, event: Event) -> Entry:
        return self._memory.put(event, self._generation, self._last_seq())

    def _decoded(self, seq: int, body: bytes) -> Entry | None:
        if (event := _event(body)) is not None:
            return self._entry(seq, event)
        self._unreadable += 1
        log.error("%s: event %d no longer decodes and is left out", self._path, seq)
        self._on_disk(lambda spool: spool.acknowledge([seq]))
        return None

    def _last_seq(self) -> int:
        return self._spool.last_seq if self._spool is not None else 0

    def _seq_of(self, after: Position | None) -> int:
        return after.seq if after is not None and after.generation == self._generation else 0


def _event(body: bytes) -> Event | None:
    try:
        return event_from_dict(json.loads(body))
    except (EventError, ValueError, TypeError, AttributeError, RecursionError):
        return None
