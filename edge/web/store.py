"""Episodes that were heard of, in a small SQLite file, so that the page has a past after a restart."""

import json
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.wire.events import EventMessage

_MOST = 10_000
"""Episodes kept; the oldest go first."""
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS episodes (
  device TEXT NOT NULL, stream TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, start_time REAL NOT NULL,
  end_time REAL, seq INTEGER NOT NULL, log TEXT NOT NULL, last TEXT NOT NULL, PRIMARY KEY (device, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_start ON episodes (start_time);
CREATE INDEX IF NOT EXISTS by_stream ON episodes (device, stream, start_time);
"""


class EpisodeStore:
    """The last message of each episode. Any thread may call.

    A file that is damaged, or of a later version, is set aside: what is in it is a copy of what was published.

    >>> EpisodeStore(None).episodes()
    []
    """

    def __init__(self, path: Path | None) -> None:
        """In memory without a path.

        Raises:
            OSError: the folder cannot be written.
        """
        self._lock = threading.Lock()
        try:
            self._database = self._open(path)
        except sqlite3.DatabaseError:
            if path is None:
                raise
            path.replace(path.with_name(f"{path.name}.damaged"))
            self._database = self._open(path)

    def add(self, message: EventMessage, payload: bytes) -> None:
        """Remember an event, unless a later one of its episode is known."""
        event = message.event
        row = (message.device, event.stream, event.id, event.kind, event.start_time, event.end_time)
        with self._lock, self._database as database:
            known = database.execute(
                "SELECT seq, log, end_time FROM episodes WHERE device = ? AND id = ?", (message.device, event.id)
            ).fetchone()
            if known is not None and known[1] == message.log and known[0] >= message.seq:
                return
            if known is not None and known[2] is not None and event.end_time is None:
                return
            database.execute(
                "INSERT OR REPLACE INTO episodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, message.seq, message.log, payload.decode("utf-8", "replace")),
            )
            self._prune(database)

    def episodes(
        self, device: str | None = None, stream: str | None = None, before: float | None = None, limit: int = 50
    ) -> list[dict[str, Any]]:
        """Last messages, the newest episode first; those that began before `before`, Unix seconds, where given."""
        wanted = [("device = ?", device), ("stream = ?", stream), ("start_time < ?", before)]
        given = [(clause, value) for clause, value in wanted if value is not None]
        where = f"WHERE {' AND '.join(clause for clause, _ in given)}" if given else ""
        values = [*(value for _, value in given), max(1, min(limit, 500))]
        query = f"SELECT last FROM episodes {where} ORDER BY start_time DESC LIMIT ?"
        with self._lock:
            rows = self._database.execute(query, values).fetchall()
        return _decoded(rows)

    def episode(self, event_id: str) -> dict[str, Any] | None:
        """The last message of one; None where it is not known."""
        with self._lock:
            rows = self._database.execute("SELECT last FROM episodes WHERE id = ? LIMIT 1", (event_id,)).fetchall()
        return next(iter(_decoded(rows)), None)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _open(self, path: Path | None) -> sqlite3.Connection:
        if path is not None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
        database = sqlite3.connect(path or ":memory:", check_same_thread=False)
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, _VERSION):
            database.close()
            raise sqlite3.DatabaseError(f"version {version}")
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.executescript(_SCHEMA)
        database.execute(f"PRAGMA user_version={_VERSION}")
        return database

    def _prune(self, database: sqlite3.Connection) -> None:
        database.execute(
            "DELETE FROM episodes WHERE start_time < "
            "(SELECT start_time FROM episodes ORDER BY start_time DESC LIMIT 1 OFFSET ?)",
            (_MOST,),
        )


def _decoded(rows: Sequence[tuple[str]]) -> list[dict[str, Any]]:
    bodies = (json.loads(text) for (text,) in rows)
    return [body for body in bodies if isinstance(body, dict)]
