"""Keeps every alert in an SQLite file, each once, whatever is sent twice.

python -m edge.examples.log_to_sqlite alerts.db localhost 1883
"""

import sqlite3
import sys
import threading
from contextlib import closing, suppress

from edge import AlertReader, BrokerSettings, EventMessage

_TABLE = """CREATE TABLE IF NOT EXISTS alerts (
  device TEXT, log TEXT, seq INTEGER, stream TEXT, episode TEXT, event_type TEXT, kind TEXT, severity TEXT, time REAL,
  payload TEXT, PRIMARY KEY (device, log, seq))"""


class Table:
    """Called back by a reader; on disk when it returns."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        with database:
            database.execute(_TABLE)

    def __call__(self, message: EventMessage, payload: bytes) -> None:
        """Add it, unless it is there."""
        event = message.event
        row = (message.device, message.log, message.seq, event.stream, event.id, event.event_type, event.kind,
               event.severity, event.time, payload.decode(errors="replace"))  # fmt: skip
        with self._database:
            self._database.execute("INSERT OR IGNORE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def main(path: str, host: str = "localhost", port: str = "1883") -> None:
    """Read until interrupted; the broker keeps what comes while this is away."""
    with closing(sqlite3.connect(path)) as database, suppress(KeyboardInterrupt):
        broker = BrokerSettings(host=host, port=int(port), client_id="offbeat-sqlite")
        AlertReader(broker, Table(database)).run(threading.Event())


if __name__ == "__main__":
    main(*sys.argv[1:])
