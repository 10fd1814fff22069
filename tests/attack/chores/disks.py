"""The state folder over a month: full and freed, read-only, unmounted, restored, cleaned."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.watch.reader import AlertReader
from tests.attack.registry import attack
from tests.attack.stand import Stand
from tests.chaos.disks import may_mount
from tests.helpers.agent import events
from tests.helpers.mosquitto import wait_for


class UnableError(AssertionError):
    """What is tried cannot be made here."""


@contextmanager
def _disk(folder: Path, size: str = "4m") -> Iterator[None]:
    if not may_mount():
        raise UnableError("this user may not mount a disk")
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "offbeat-attack", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def _fill(folder: Path) -> Path:
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65_536, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return ballast


@attack("the state's disk is full from the start on, then freed")
def _full(stand: Stand) -> None:
    with _disk(stand.folder / "state"):
        ballast = _fill(stand.folder / "state")
        stand.start()
        stand.serves()
        ballast.unlink()
        stand.passed_at = None
        stand.wait_health(lambda body: body["outbox"]["accepting"] is True, "a disk that takes events again")
        stand.serves()
        stand.end()
        stand.to_serve = False


@attack("the state's disk turns read-only in use, then writable again")
def _read_only(stand: Stand) -> None:
    with _disk(stand.folder / "state"):
        stand.start()
        stand.serves()
        # A log that is open for writing keeps a disk from it: what an ageing card does by itself needs --force here.
        remount = ["mount", "-o", "remount,ro", str(stand.folder / "state")]
        if subprocess.run(remount, stderr=subprocess.DEVNULL).returncode:
            stand.end()
            subprocess.run(remount, check=True)
            stand.start()
        stand.passed_at = None
        stand.serves()
        subprocess.run(["mount", "-o", "remount,rw", str(stand.folder / "state")], check=True)
        stand.over()
        stand.wait_health(lambda body: body["outbox"]["accepting"] is True, "a disk that takes events again")
        stand.serves()
        stand.end()
        stand.to_serve = False


@attack("the state's disk is pulled out in use and another comes in its place")
def _pulled(stand: Stand) -> None:
    with _disk(stand.folder / "state"):
        stand.start()
        stand.serves()
        subprocess.run(["umount", "--lazy", str(stand.folder / "state")], check=True)
        with _disk(stand.folder / "state"):
            stand.passed_at = None
            stand.serves()
            stand.end()
            stand.to_serve = False


@contextmanager
def _reading(stand: Stand) -> Iterator[list[str]]:
    """What a reader that was there all the time gives out: ids of new episodes."""
    seen: list[str] = []
    stop = threading.Event()

    def note(message: object, _payload: bytes) -> None:
        event = message.event  # type: ignore[attr-defined]
        if event.event_type == "new":
            seen.append(event.id)

    reader = AlertReader(stand.broker.settings, note, hold_s=0.2)
    thread = threading.Thread(target=reader.run, args=(stop,), daemon=True)
    thread.start()
    wait_for(lambda: reader.connected, "the reader")
    try:
        yield seen
    finally:
        stop.set()
        thread.join(10)


def _all_read(stand: Stand, seen: list[str]) -> None:
    def missing() -> list[str]:
        return [one["id"] for one in events(stand.listener) if one["event_type"] == "new" and one["id"] not in seen]

    wait_for(lambda: not missing(), f"alerts that were sent and not read: {missing()}", 20.0)


@attack("the state folder is put back to yesterday's copy while the agent is off: no alert is taken for an old one",
        quick=True)  # fmt: skip
def _restored(stand: Stand) -> None:
    stand.start()
    with _reading(stand) as seen:
        stand.serves()
        stand.end()
        shutil.copytree(stand.folder / "state", stand.folder / "yesterday", ignore=_no_sockets)
        stand.start()
        for _ in range(3):
            stand.serves()
        stand.end()
        shutil.rmtree(stand.folder / "state")
        shutil.copytree(stand.folder / "yesterday", stand.folder / "state")
        stand.passed_at = None
        stand.start()
        for _ in range(3):
            before = len(seen)
            stand.serves()
            wait_for(lambda: len(seen) > before, "an alert at whoever has read all along", 20.0)  # noqa: B023
        _unread(stand, seen)


def _unread(stand: Stand, seen: list[str]) -> None:
    raw = [payload for payload in stand.listener.on("offbeat/gw-1/pump1/event")]
    import json

    new = {event["id"] for event in map(json.loads, raw) if event["event_type"] == "new"}
    assert new <= set(seen), f"{len(new - set(seen))} of {len(new)} alerts were not given out"


@attack("the state folder is put back to yesterday's copy in use")
def _restored_in_use(stand: Stand) -> None:
    stand.start()
    with _reading(stand) as seen:
        stand.serves()
        shutil.copytree(stand.folder / "state", stand.folder / "yesterday", ignore=_no_sockets)
        stand.serves()
        shutil.rmtree(stand.folder / "state")
        shutil.copytree(stand.folder / "yesterday", stand.folder / "state")
        stand.passed_at = None
        stand.serves()
        stand.end()
        stand.start()
        for _ in range(2):
            before = len(seen)
            stand.serves()
            wait_for(lambda: len(seen) > before, "an alert at whoever has read all along", 20.0)  # noqa: B023
        _unread(stand, seen)


def _no_sockets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not (Path(folder, name).is_file() or Path(folder, name).is_dir())]


@attack("/tmp is cleaned and cannot be written, and a new bundle comes")
def _cleaned(stand: Stand) -> None:
    temporary = stand.folder / "tmp"
    temporary.mkdir()
    stand.start(TMPDIR=str(temporary))
    stand.serves()
    shutil.rmtree(temporary)
    manifest = stand.folder / "tiny" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    stand.wait_said("replaces")
    stand.passed_at = None


@attack("files of the state lose their rights")
def _rights(stand: Stand) -> None:
    stand.start()
    stand.serves()
    for path in (stand.folder / "state").rglob("*"):
        os.chmod(path, 0o000)
    stand.serves()
    stand.end()
    time.sleep(0.1)
    stand.start()
    stand.passed_at = None
