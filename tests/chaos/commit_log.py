"""What the agent has committed, read from its outbox file by a second, read-only connection."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Committed:
    """An event that the file holds: a COMMIT made it visible to others."""

    event_type: str
    stream: str
    episode: str


class CommitLog:
    """Every event that the outbox ever held, by log and seq; the file itself prunes what was acknowledged long ago."""

    def __init__(self, outbox: Path) -> None:
        self._outbox = outbox
        self.events: dict[tuple[str, int], Committed] = {}
        self.pending = 0
        """Events that no broker had acknowledged at the last reading."""
        self._lock = threading.Lock()

    def read(self) -> None:
        """Take in what is new; a file that cannot be read just now is read the next time."""
        with self._lock, suppress(sqlite3.Error), self._opened() as db:
            row = db.execute("SELECT id FROM log").fetchone()
            if row is None:
                return
            last = max((seq for log, seq in self.events if log == row[0]), default=0)
            for seq, body in db.execute("SELECT seq, body FROM event WHERE seq > ?", (last,)):
                event = json.loads(body)
                self.events[row[0], seq] = Committed(event["event_type"], event["stream"], event["id"])
            self.pending = db.execute("SELECT count(*) FROM event WHERE NOT acknowledged").fetchone()[0]

    def size(self) -> int:
        """Events so far, the newest included."""
        self.read()
        return len(self.events)

    def open_episodes(self) -> set[str]:
        """Ids of the episodes that the agent knows to be open, so that it will end them."""
        with self._opened() as db:
            bodies = [json.loads(body) for (body,) in db.execute("SELECT body FROM episodes")]
        return {part["event"]["id"] for body in bodies for part in body["open"].values()}

    def versions(self) -> Iterator[int]:
        """A number that changes with every COMMIT of another connection; ends when the file cannot be read."""
        with suppress(sqlite3.Error), self._opened() as db:
            while True:
                yield db.execute("PRAGMA data_version").fetchone()[0]

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        # Read-only: the last writer to close would fold the write-ahead log in and hide what a kill leaves behind.
        with closing(sqlite3.connect(f"{self._outbox.as_uri()}?mode=ro", uri=True, timeout=5)) as db:
            yield db
