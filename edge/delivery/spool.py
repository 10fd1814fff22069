"""The outbox's file: events in SQLite, each committed and synced before the call returns."""

import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from edge.delivery.tables import DamagedError, prepare, set_bounds
from edge.wire.checksum import ChecksumError, marked, unmarked

_LUMP = 64
"""History is pruned, and room made, this many rows (or this part of `max_bytes`) at a time: fewer pages written."""
_LARGEST_SEQ = 2**53
"""No device sends so many: a number beyond is damage."""


class Spool:
    """Events in order of `seq`: first pending, then, once acknowledged, history until pruned.

    One connection, one caller at a time. Every method may raise `sqlite3.Error` (`open` also `OSError`);
    the file then holds what it held before.
    """

    def __init__(self, path: Path, max_bytes: int, history: int, dropped: Counter[str]) -> None:
        self._path, self._max_bytes, self._history = path, max_bytes, history
        self._dropped = dropped  # pending events deleted for want of room, by event type
        self._written_off: set[int] = set()  # acknowledged, but the disk has not taken it yet
        self.log = ""
        self._unacknowledged = self.history_count = self.size_bytes = 0
        self.last_seq = self.inherited_seq = 0
        """The newest event's number, now and when the file was opened."""

    def open(self) -> None:
        """Open or make the file and check it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = not self._path.exists()
        # The lock of another process (somebody looks with the sqlite3 command) is waited for this long, seconds.
        self._db = sqlite3.connect(self._path, timeout=1.0, isolation_level=None, check_same_thread=False)
        # A damaged letter in a stream's name must not count as a disk that refuses.
        self._db.text_factory = lambda text: text.decode("utf-8", "replace")
        try:
            self.log = prepare(self._db)
            self._count()
        except UnicodeDecodeError as error:  # SQLite quotes a damaged table's SQL, and sqlite3 cannot decode that
            self._db.close()
            raise DamagedError(str(error)) from error
        except BaseException:
            self._db.close()
            raise
        if new:
            _sync_folder(self._path.parent)

    def reconnect(self) -> None:
        """Open the file again: where it was on a read-only disk, SQLite goes on refusing when it can be written."""
        self._db.close()
        self._db = self._connect()
        set_bounds(self._db)

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of it."""
        self._db.close()

    @property
    def pending_count(self) -> int:
        """Events that nobody acknowledged."""
        return max(0, self._unacknowledged - len(self._written_off))

    def append(self, events: Sequence[tuple[str, bytes]], episodes: Mapping[str, bytes]) -> list[int]:
        """Commit events, (type, body), together with what is open in some streams after them; the events' seqs.

        What exceeds `max_bytes` goes: history, oldest `update`s, oldest others.
        """
        with self._transaction():
            seqs = [self._insert(*event) for event in events]
            kept = [(stream, marked(body, stream)) for stream, body in episodes.items()]
            self._db.executemany("INSERT OR REPLACE INTO episodes VALUES (?, ?)", kept)
            moved = self._write_off()
            added = sum(len(body) for _, body in events)
            newest = seqs[0] if seqs else self.last_seq
            gone = {row[0]: row for row in (*self._old_history(newest), *self._overfull(newest, added))}
            self._db.executemany("DELETE FROM event WHERE seq = ?", [(gone_seq,) for gone_seq in gone])
        self._moved(moved)
        self.last_seq = max([self.last_seq, *seqs])
        self._unacknowledged += len(seqs)
        self.size_bytes += added
        for _, acknowledged, kind, size in gone.values():
            self._forget(acknowledged, kind, size)
        return seqs

    def episodes(self) -> dict[str, bytes]:
        """What `append` was last given of each stream; empty where a bit has changed since."""
        rows = self._db.execute("SELECT stream, body FROM episodes").fetchall()
        return {stream: _as_given(body, stream) for stream, body in rows}

    def bodies(self) -> list[bytes]:
        """Every event that is here, acknowledged or not, oldest first; empty where a bit has changed since."""
        return [_as_given(body, str(seq)) for seq, body in self._db.execute("SELECT seq, body FROM event ORDER BY seq")]

    def pending(self, after_seq: int, limit: int) -> list[tuple[int, bytes]]:
        """The next events that nobody acknowledged: (seq, body), oldest first; empty where a bit has changed since."""
        if not self._unacknowledged:  # the usual case, asked often; spares a walk through the history
            return []
        rows = self._db.execute(
            "SELECT seq, body FROM event WHERE seq > ? AND NOT acknowledged ORDER BY seq LIMIT ?",
            (after_seq, limit + len(self._written_off)),
        ).fetchall()
        here = [row for row in rows if row[0] not in self._written_off][:limit]
        return [(seq, _as_given(body, str(seq))) for seq, body in here]

    def acknowledge(self, seqs: Iterable[int]) -> None:
        """These arrived: from pending to history. Never comes back within this process, whatever the disk says."""
        self._written_off.update(seqs)
        # NORMAL: no sync. A power cut may undo this, and then the event is sent once more, marked `replayed`.
        with self._transaction("NORMAL"):
            moved = self._write_off()
        self._moved(moved)

    def replay(self, since_seq: int) -> int:
        """History from `since_seq` on is pending again; how many events that are."""
        with self._transaction("NORMAL"):
            moved = self._db.execute(
                "UPDATE event SET acknowledged = 0 WHERE seq >= ? AND acknowledged", (since_seq,)
            ).rowcount
        self._written_off = {seq for seq in self._written_off if seq < since_seq}
        self._unacknowledged += moved
        self.history_count -= moved
        return moved

    def _connect(self) -> sqlite3.Connection:
        # The lock of another process (somebody looks with the sqlite3 command) is waited for this long, seconds.
        return sqlite3.connect(self._path, timeout=1.0, isolation_level=None, check_same_thread=False)

    def _insert(self, event_type: str, body: bytes) -> int:
        newest = self._db.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0]
        seq = int(newest) + 1
        row = (seq, event_type, marked(body, str(seq)))
        self._db.execute("INSERT INTO event (seq, type, body) VALUES (?, ?, ?)", row)
        return seq

    def _write_off(self) -> int:
        if not self._written_off:
            return 0
        return self._db.executemany(
            "UPDATE event SET acknowledged = 1 WHERE seq = ? AND NOT acknowledged",
            [(seq,) for seq in self._written_off],
        ).rowcount

    def _moved(self, acknowledged: int) -> None:
        self._written_off.clear()
        self._unacknowledged -= acknowledged
        self.history_count += acknowledged

    def _count(self) -> None:
        rows, acknowledged, size, last = self._db.execute(
            "SELECT count(*), total(acknowledged), total(length(body)), coalesce(max(seq), 0) FROM event"
        ).fetchone()
        self.history_count, self.size_bytes = int(acknowledged), int(size)
        if not 0 <= last < _LARGEST_SEQ:
            raise DamagedError(f"an event's number is {last}")
        self.last_seq = self.inherited_seq = last
        self._unacknowledged = rows - self.history_count

    def _overfull(self, newest: int, added_bytes: int) -> Iterator[tuple[int, int, str, int]]:
        """Rows to delete, least needed first: (seq, acknowledged, type, bytes)."""
        excess = self.size_bytes + added_bytes - self._max_bytes
        if excess <= 0:
            return
        candidates = self._db.execute(
            "SELECT seq, acknowledged, type, length(body) FROM event WHERE seq < ?"
            " ORDER BY acknowledged DESC, type = 'update' DESC, seq",
            (newest,),
        ).fetchall()
        for row in candidates:
            expendable = row[1] or row[2] == "update"
            if excess + (self._max_bytes // _LUMP if expendable else 0) <= 0:
                return
            yield row
            excess -= row[3]

    def _old_history(self, newest: int) -> list[tuple[int, int, str, int]]:
        surplus = self.history_count - self._history
        if surplus < _LUMP:
            return []
        return self._db.execute(
            "SELECT seq, 1, type, length(body) FROM event WHERE acknowledged AND seq < ? ORDER BY seq LIMIT ?",
            (newest, surplus),
        ).fetchall()

    def _forget(self, acknowledged: int, kind: str, size: int) -> None:
        self.size_bytes -= size
        if acknowledged:
            self.history_count -= 1
        else:
            self._unacknowledged -= 1
            self._dropped[kind] += 1

    @contextmanager
    def _transaction(self, synchronous: str = "FULL") -> Iterator[None]:
        self._db.execute(f"PRAGMA synchronous={synchronous}")
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def _as_given(body: object, place: str) -> bytes:
    """A body without its checksum; empty where that does not fit."""
    if isinstance(body, str):  # one bit tells SQLite's text from bytes
        body = body.encode()
    try:
        return unmarked(body, place) if isinstance(body, bytes) else b""
    except ChecksumError:
        return b""


def _sync_folder(folder: Path) -> None:
    # SQLite syncs the file, not its name in the folder; without this a power cut can take both.
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems cannot; their events are as safe as they can be
            os.fsync(handle)
    finally:
        os.close(handle)
