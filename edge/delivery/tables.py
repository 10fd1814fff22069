"""The tables of the outbox's file, and how a file of an older format is brought up to date."""

import os
import re
import sqlite3
import uuid
from itertools import count
from pathlib import Path


class DamagedError(sqlite3.DatabaseError):
    """The file opens, but is no outbox that this program can read."""


class NewerError(sqlite3.OperationalError):
    """The file is an outbox of a later version: it is left as it is, and events wait in memory."""


def is_damage(error: Exception) -> bool:
    """Whether the file itself is at fault, rather than the disk under it.

    SQLITE_ERROR counts: with statements as fixed as these, it means tables that are not ours.
    """
    if isinstance(error, DamagedError):
        return True
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)


def set_aside(path: Path, keep: int = 5) -> Path:
    """Rename a damaged file and its `-wal` and `-shm` to `<name>.damaged-<n>`; the new path.

    From `keep` on the last one is replaced, so that a dying card does not fill itself.
    """
    number = next(n for n in count(1) if n == keep or not path.with_name(f"{path.name}.damaged-{n}").exists())
    target = path.with_name(f"{path.name}.damaged-{number}")
    # The write-ahead log first: left behind, it would be played into the new file.
    for suffix in ("-wal", "-shm", ""):
        source = path.with_name(path.name + suffix)
        if source.exists():
            os.replace(source, target.with_name(target.name + suffix))
    return target


FORMAT = 2
"""`user_version` of the file; one with a higher number is left untouched."""

_EVENTS = (
    "CREATE TABLE log (id TEXT NOT NULL)",
    # No AUTOINCREMENT: it would write one more page for every event. SQLite numbers a row one above
    # the highest there is, and the newest row is never deleted, so no number comes twice.
    "CREATE TABLE event (seq INTEGER PRIMARY KEY, type TEXT NOT NULL, body BLOB NOT NULL,"
    " acknowledged INTEGER NOT NULL DEFAULT 0)",
)
# Beside the events and not in a file of its own: only one transaction can make both true, or neither.
_EPISODES = "CREATE TABLE episodes (stream TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID"

_LOG_ID = re.compile("[0-9a-f]{32}")


def prepare(db: sqlite3.Connection) -> str:
    """Check an opened file, make or complete its tables, and give its log's id.

    Raises:
        sqlite3.Error: the disk refuses; DamagedError: it is no outbox; NewerError: it is that of a later version.
    """
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > FORMAT:
        raise NewerError(
            f"written by a later version (format {version}, this one reads up to {FORMAT}); upgrade Offbeat"
        )
    set_bounds(db)
    # FULL, not NORMAL: events are rare, and the plug may be pulled right after one.
    db.execute("PRAGMA synchronous=FULL")
    found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise DamagedError(found)
    if version < 0:
        raise DamagedError(f"format {version}, this program reads up to {FORMAT}")
    if version < FORMAT:
        _complete(db, version)
    row = db.execute("SELECT id FROM log").fetchone()
    if row is None or not _LOG_ID.fullmatch(str(row[0])):
        raise DamagedError("no log id")
    return row[0]


def set_bounds(db: sqlite3.Connection) -> None:
    """Write ahead, with a log of 1 MB at most in place of 4, and keep 256 KB of pages in memory in place of 2 MB.

    To be set for each connection.
    """
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA cache_size=-256")
    # Some 100 events between two checkpoints still share most of their pages.
    db.execute("PRAGMA wal_autocheckpoint=256")


def _complete(db: sqlite3.Connection, version: int) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        if version == 0:
            for statement in _EVENTS:
                db.execute(statement)
            db.execute("INSERT INTO log VALUES (?)", (uuid.uuid4().hex,))
        db.execute(_EPISODES)
        db.execute(f"PRAGMA user_version={FORMAT}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
