"""What an agent that does not run left in its state folder. Nothing is changed there."""

import json
import sqlite3
from contextlib import closing
from typing import Any

from edge.config.settings import Config
from edge.state.recalibration import Recalibrations
from edge.wire.checksum import unmarked

_OF_OPEN = ("id", "kind", "severity", "start_time", "top_score")


def left(config: Config) -> dict[str, Any]:
    """As `status` of a running agent, with what is known."""
    asked = Recalibrations(config.device.state_dir / "streams")
    pending, oldest, open_, troubles = _in_outbox(config)
    streams = {
        one.id: {
            "status": "not running",
            "since": None,
            "why": "to be recalibrated at the next start" if asked.asked(one.id) else None,
            "open": open_.get(one.id, []),
        }
        for one in config.stream
    }
    return {
        "running": False,
        "device": config.device.id,
        "streams": streams,
        "outbox": {"pending": pending, "oldest": oldest},
        "troubles": ["no agent runs on this state folder; offbeat-edge run --config FILE starts one", *troubles],
    }


def _in_outbox(config: Config) -> tuple[int | None, float | None, dict[str, list[dict[str, Any]]], list[str]]:
    """Events that wait, the time of the oldest, open episodes by stream, and why they cannot be told."""
    path = config.device.state_dir / "outbox.db"
    if not path.is_file():
        return 0, None, {}, []
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)) as db:
            waiting = db.execute("SELECT seq, body FROM event WHERE NOT acknowledged ORDER BY seq").fetchall()
            episodes = db.execute("SELECT stream, body FROM episodes").fetchall()
        oldest = json.loads(unmarked(waiting[0][1], str(waiting[0][0])))["time"] if waiting else None
        return len(waiting), oldest, {stream: _open(stream, body) for stream, body in episodes}, []
    except (sqlite3.Error, ValueError, KeyError, TypeError, RecursionError) as error:
        return None, None, {}, [f"{path} cannot be read ({error}); the agent says more when it starts"]


def _open(stream: str, body: bytes) -> list[dict[str, Any]]:
    parts = json.loads(unmarked(body, stream))["open"].values()
    return [{name: part["event"].get(name) for name in _OF_OPEN} for part in parts if not part.get("held")]
