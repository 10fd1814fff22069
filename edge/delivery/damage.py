"""A damaged outbox file: how it is told from a failing disk, and where it goes."""

import os
import sqlite3
from itertools import count
from pathlib import Path


class DamagedError(sqlite3.DatabaseError):
    """The file opens, but is no outbox that this program can read."""


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
