"""Copies of an outbox's file: of one instant while an agent writes, and under a log of their own once restored."""

import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

from edge.delivery.tables import prepare


def copy_database(source: Path, target: Path) -> None:
    """Copy an SQLite file as it is at one instant; who writes to it meanwhile is not held up.

    Raises:
        sqlite3.Error: one of the two cannot be read or written.
    """
    # Not mode=ro, which refuses a file in WAL mode that nobody has open; rw makes none where there is none.
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, timeout=10.0)) as there,
        closing(sqlite3.connect(target)) as here,
    ):
        there.backup(here)


def begin_new_log(path: Path) -> str:
    """Give a copy a log id of its own, so that nobody takes its numbers for those of the file that goes on; the id.

    What is pending stays so, and is sent as `replayed`, since the other file may have sent it.

    Raises:
        sqlite3.Error: the disk refuses, or DamagedError, NewerError: as `prepare` raises them.
    """
    log = uuid.uuid4().hex
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        prepare(db)
        db.execute("UPDATE log SET id = ?", (log,))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return log
