"""What of a state folder goes into a backup, and how it becomes a state folder again: wholly, or not at all."""

import json
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge.delivery.copies import begin_new_log, copy_database
from edge.detector.bundle.files import read_file, write_atomically
from edge.state.backup_file import BackupError, BackupWriter, Unpacked
from edge.state.exchange import exchange, sync_folder
from edge.state.files import is_later
from edge.state.lock import StateLock

_STATE = "state"
_DATABASES = ("outbox.db", "page.db")
_COUNTERS = "bundle-counters.json"
_STREAM = r"[a-zA-Z0-9_-]{1,200}"
_WANTED = re.compile(
    rf"outbox\.db|page\.db|served\.json|bundle-counters\.json"
    rf"|streams/{_STREAM}-[0-9a-f]{{16}}(\.2)?\.(json|rows)(\.before-[0-9a-f]{{1,32}})?|streams/{_STREAM}\.recalibrate"
    rf"|history/{_STREAM}/[a-zA-Z0-9_-]{{1,100}}\.rows"
)
"""What is learnt and said. Not what is of this machine alone (`tried-bundles`), damaged files, the archive of rows."""


def add_state(folder: Path, writer: BackupWriter) -> int:
    """Put a state folder into a backup, also while an agent runs on it; how many files that are.

    Each file is of one instant. Streams come before the outbox: after a power cut, too, what streams have learnt may
    be some minutes older than what was said.

    Raises:
        OSError, sqlite3.Error: something cannot be read.
    """
    count = 0
    for name in _names(folder):
        try:
            content = read_file(folder / name)
        except FileNotFoundError:
            continue  # the oldest history goes while this is read
        writer.add(f"{_STATE}/{name}", content)
        count += 1
    with tempfile.TemporaryDirectory(prefix="offbeat-backup-") as scratch:
        for name in _DATABASES:
            if (folder / name).is_file():
                copy_database(folder / name, Path(scratch) / name)
                writer.add(f"{_STATE}/{name}", (Path(scratch) / name).read_bytes())
                count += 1
    return count


def _names(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if _WANTED.fullmatch(name) and name not in _DATABASES and path.is_file() and not path.is_symlink():
            yield name


@contextmanager
def staging(state_dir: Path) -> Iterator[Path]:
    """A folder beside a state folder, for its user alone, that is gone at the end; what a kill left goes, too.

    Raises:
        OSError: the folder beside cannot be written.
    """
    prefix = f".{state_dir.name}.restoring-"
    state_dir.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    for left in state_dir.parent.glob(f"{prefix}*"):
        if (left / _STATE / ".lock").exists():  # the state folder of before: the power went right after the exchange
            _kept_aside(left / _STATE, state_dir)
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=state_dir.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prepared(unpacked: Unpacked) -> tuple[Path, str]:
    """The state folder in a backup, ready to be used, with a log of its own; and that log's id.

    Raises:
        BackupError: it holds what belongs in no state folder, or what a later version wrote.
    """
    folder = unpacked.folder / _STATE
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in sorted(unpacked.names):
        if name.startswith(f"{_STATE}/") and not _WANTED.fullmatch(name.removeprefix(f"{_STATE}/")):
            raise BackupError(f"{name} belongs in no state folder; do not use this backup")
        if name.startswith(f"{_STATE}/streams/") and name.endswith(".json") and _newer(unpacked.folder / name):
            raise BackupError(f"{name} was written by a later version of Offbeat; upgrade Offbeat here")
    for below in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        below.chmod(0o700)
    log = ""
    if (folder / "outbox.db").exists():
        try:
            log = begin_new_log(folder / "outbox.db")
        except sqlite3.Error as error:
            raise BackupError(f"outbox.db in the backup: {error}") from error
    return folder, log


def _newer(path: Path) -> bool:
    try:
        body = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False  # the agent sets it aside, as it would have done where it came from
    return isinstance(body, dict) and is_later(body)


def holds_state(state_dir: Path) -> bool:
    """Whether anything was learnt or said there."""
    return (state_dir / "outbox.db").exists() or any((state_dir / "streams").glob("*"))


def put_in_place(folder: Path, state_dir: Path, lock: StateLock) -> Path | None:
    """Let a folder become the state folder, at one stroke; where the one before is kept, if it held anything.

    `lock` is held on the state folder. Whenever the power goes, the name leads to the old folder or to the new one.

    Raises:
        BackupError: the file system cannot do that.
        OSError: the disk refuses; the old one stays.
    """
    if not lock.held:
        raise BackupError(f"{state_dir} cannot be written to by this user; run this as root or as who runs the agent")
    _keep_counters(state_dir / _COUNTERS, folder / _COUNTERS)
    _as_owned(folder, state_dir)
    for below in (*folder.rglob("*"), folder):
        if below.is_dir():
            sync_folder(below)
    kept = holds_state(state_dir)
    if not exchange(folder, state_dir):
        raise BackupError(
            f"{state_dir}: this file system cannot exchange two folders at one stroke, or a disk is mounted there; "
            "name a folder below it as state_dir"
        )
    sync_folder(state_dir.parent)
    return _kept_aside(folder, state_dir) if kept else None


def _kept_aside(folder: Path, state_dir: Path) -> Path:
    number = 1
    while (aside := state_dir.with_name(f"{state_dir.name}.before-restore-{number}")).exists():
        number += 1
    folder.rename(aside)
    return aside


def _keep_counters(here: Path, restored: Path) -> None:
    """No bundle that was too old here becomes new by a backup."""
    try:
        counters = json.loads(here.read_bytes())
    except FileNotFoundError:
        return
    except (OSError, ValueError, RecursionError) as error:
        raise BackupError(f"{here} cannot be read ({error}); it says which bundles are too old") from error
    with suppress(FileNotFoundError, ValueError):
        for place, counter in json.loads(restored.read_bytes()).items():
            counters[place] = max(counter, counters.get(place, 0))
    write_atomically(restored, json.dumps(counters).encode())
    restored.chmod(0o600)


def _as_owned(folder: Path, state_dir: Path) -> None:
    """Whose the state folder was, theirs are the files; only root can and needs to."""
    if os.geteuid() != 0:
        return
    status = state_dir.stat()
    for path in (folder, *folder.rglob("*")):
        os.chown(path, status.st_uid, status.st_gid)
