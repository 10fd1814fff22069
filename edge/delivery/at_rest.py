"""Whether an outbox's file is sound, found without changing it or anything beside it."""

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from edge.delivery.tables import is_damage, prepare


def damage(path: Path) -> str | None:
    """Why the file at `path`, which nobody has open, is no outbox that this program can go on with; None where it is.

    A copy is looked at: even to read, SQLite makes files beside it, which would then belong to whoever looks.

    Raises:
        OSError, sqlite3.Error: it cannot be read, or is of a later version (NewerError).
    """
    with tempfile.TemporaryDirectory(prefix="offbeat-outbox-") as scratch:
        copy = Path(scratch) / path.name
        shutil.copyfile(path, copy)
        log = path.with_name(path.name + "-wal")
        if log.exists():
            shutil.copyfile(log, copy.with_name(log.name))
        try:
            with closing(sqlite3.connect(copy, isolation_level=None)) as db:
                db.text_factory = lambda text: text.decode("utf-8", "replace")
                prepare(db)
                db.execute("SELECT count(*) FROM event WHERE NOT acknowledged").fetchone()
                db.execute("SELECT count(*) FROM episodes").fetchone()
        except UnicodeDecodeError as error:
            return str(error)
        except sqlite3.Error as error:
            if is_damage(error):
                return str(error)
            raise
    return None
