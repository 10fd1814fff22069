"""The state folder: what cannot be written, what somebody put there, what a power cut left."""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.attack.registry import attack
from tests.attack.stand import Stand


@attack("a state folder that cannot be written, then can", quick=True)
def _file(stand: Stand) -> None:
    (stand.folder / "state").write_text("a file where the folder should be")
    stand.start()
    stand.wait_said("takes no events (")
    stand.wait_health(lambda body: body["outbox"]["accepting"] is False, "a disk that refuses")
    stand.serves()
    (stand.folder / "state").unlink()
    stand.wait_health(lambda body: body["outbox"]["accepting"] is True, "a disk that takes events again")


def _outbox(state: Path) -> Path:
    return state / "outbox.db"


def _stream_file(state: Path) -> Path:
    return next((state / "streams").glob("pump1-*.json"))


def _replaced(path: Callable[[Path], Path], make: Callable[[Path], None], stand: Stand) -> None:
    stand.start()
    stand.serves()
    stand.end()
    target = path(stand.folder / "state")
    for left in target.parent.glob(f"{target.name}*"):
        left.unlink()
    make(target)
    stand.clock += 10
    stand.start()
    stand.passed_at = None


FILES: dict[str, tuple[Callable[[Path], Path], Callable[[Path], None]]] = {
    "an outbox of noise": (_outbox, lambda path: path.write_bytes(os.urandom(40_000))),
    "an outbox that is empty": (_outbox, lambda path: path.write_bytes(b"")),
    "an outbox that is a folder": (_outbox, lambda path: path.mkdir()),
    "an outbox that is a named pipe": (_outbox, os.mkfifo),
    "an outbox of a later version": (_outbox, lambda path: _later(path)),
    "a state file of noise": (_stream_file, lambda path: path.write_bytes(os.urandom(4_000))),
    "a state file nested 100,000 deep": (_stream_file, lambda path: path.write_bytes(b"[" * 100_000)),
    "a state file that is a folder": (_stream_file, lambda path: path.mkdir()),
    "a state file that is a named pipe": (_stream_file, os.mkfifo),
    "a state file that is /dev/zero": (_stream_file, lambda path: path.symlink_to("/dev/zero")),
    "a lock that is a folder": (lambda state: state / ".lock", lambda path: path.mkdir()),
    "a list of served streams of noise": (lambda state: state / "served.json", lambda path: path.write_bytes(b"\xff{")),
}


def _later(path: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version=99")
        db.commit()


for _name, (_path, _make) in FILES.items():
    attack(f"{_name} at the start")(partial(_replaced, _path, _make))


@attack("the state folder is removed while the agent is off")
def _removed(stand: Stand) -> None:
    stand.start()
    stand.serves()
    stand.end()
    shutil.rmtree(stand.folder / "state")
    stand.start()


@attack("files that a full disk left half written are removed")
def _left(stand: Stand) -> None:
    (stand.folder / "state" / "streams").mkdir(parents=True)
    (stand.folder / "state" / "streams" / ".pump1-abc.json.new").write_text("half")
    stand.start()
    assert not list((stand.folder / "state" / "streams").glob(".*.new"))
