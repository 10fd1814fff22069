"""The outbox's file: events in SQLite, each committed and synced before the call returns."""

import os
import sqlite3
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge.delivery.damage import DamagedError

FORMAT = 1
"""`user_version` of the file; one with another number is set aside as unreadable."""

_SCHEMA = (
    "CREATE TABLE log (id TEXT NOT NULL)",
    # No AUTOINCREMENT: it would write one more page for every event. SQLite numbers a row one above
    # the highest there is, and the newest row is never deleted, so no number comes twice.
    "CREATE TABLE event (seq INTEGER PRIMARY KEY, type TEXT NOT NULL, body BLOB NOT NULL,"
    " acknowledged INTEGER NOT NULL DEFAULT 0)",
    f"PRAGMA user_version={FORMAT}",
)
_LUMP = 64
"""History is pruned, and room made, this many rows (or this part of `max_bytes`) at a time: fewer pages written."""


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
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise
        if new:
            _sync_folder(self._path.parent)

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of it."""
        self._db.close()

    @property
    def pending_count(self) -> int:
        """Events that nobody acknowledged."""
        return max(0, self._unacknowledged - len(self._written_off))

    def append(self, event_type: str, body: bytes) -> int:
        """Commit one event; its seq. What exceeds `max_bytes` goes: history, oldest `update`s, oldest others."""
        with self._transaction():
            seq = self._db.execute("INSERT INTO event (type, body) VALUES (?, ?)", (event_type, body)).lastrowid
            assert seq is not None
            moved = self._write_off()
            gone = {row[0]: row for row in (*self._old_history(), *self._overfull(seq, len(body)))}
            self._db.executemany("DELETE FROM event WHERE seq = ?", [(gone_seq,) for gone_seq in gone])
        self._moved(moved)
        self.last_seq = seq
        self._unacknowledged += 1
        self.size_bytes += len(body)
        for _, acknowledged, kind, size in gone.values():
            self._forget(acknowledged, kind, size)
        return seq

    def pending(self, after_seq: int, limit: int) -> list[tuple[int, bytes]]:
        """The next events that nobody acknowledged: (seq, body), oldest first."""
        if not self._unacknowledged:  # the usual case, asked often; spares a walk through the history
            return []
        rows = self._db.execute(
            "SELECT seq, body FROM event WHERE seq > ? AND NOT acknowledged ORDER BY seq LIMIT ?",
            (after_seq, limit + len(self._written_off)),
        ).fetchall()
        return [row for row in rows if row[0] not in self._written_off][:limit]

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

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        # A log of 1 MB at most, in place of 4: some 100 events between checkpoints still share most of their pages.
        self._db.execute("PRAGMA wal_autocheckpoint=256")
        # FULL, not NORMAL: events are rare, and the plug may be pulled right after one.
        self._db.execute("PRAGMA synchronous=FULL")
        found = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise DamagedError(found)
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, FORMAT):
            raise DamagedError(f"format {version}, this program reads {FORMAT}")
        if version == 0:
            with self._transaction():
                for statement in _SCHEMA:
                    self._db.execute(statement)
                self._db.execute("INSERT INTO log VALUES (?)", (uuid.uuid4().hex,))
        self._count()

    def _count(self) -> None:
        row = self._db.execute("SELECT id FROM log").fetchone()
        if row is None:
            raise DamagedError("no log id")
        self.log = row[0]
        rows, acknowledged, size, last = self._db.execute(
            "SELECT count(*), total(acknowledged), total(length(body)), coalesce(max(seq), 0) FROM event"
        ).fetchone()
        self.history_count, self.size_bytes = int(acknowledged), int(size)
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

    def _old_history(self) -> list[tuple[int, int, str, int]]:
        surplus = self.history_count - self._history
        if surplus < _LUMP:
            return []
        return self._db.execute(
            "SELECT seq, 1, type, length(body) FROM event WHERE acknowledged ORDER BY seq LIMIT ?", (surplus,)
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


def _sync_folder(folder: Path) -> None:
    # SQLite syncs the file, not its name in the folder; without this a power cut can take both.
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems cannot; their events are as safe as they can be
            os.fsync(handle)
    finally:
        os.close(handle)
