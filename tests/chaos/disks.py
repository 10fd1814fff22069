"""Disks that refuse: a full one, one that turned read-only, and a process that may write no more."""

import os
import random
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.chaos.rig import Rig
from tests.helpers.mosquitto import wait_for

_SIZE = "8m"
_REFUSES_S = 10.0


def may_mount() -> bool:
    """Whether this user may mount a disk; in many containers root may not either."""
    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(_mount(Path(folder)), stderr=subprocess.DEVNULL).returncode:
            return False
        subprocess.run(["umount", folder], check=True)
    return True


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A tmpfs of 8 MB at `folder`, unmounted in the end."""
    folder.mkdir()
    subprocess.run(_mount(folder), check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(rig: Rig, chance: random.Random) -> float:
    """Not a byte more fits; after a while there is room again."""
    ballast = rig.state / "ballast"
    _fill_up(ballast)
    _refuse(rig, chance, lambda: _fill_up(ballast))
    ballast.unlink()
    return _accepted(rig)


def turn_read_only(rig: Rig, chance: random.Random) -> float:
    """The agent starts on a disk that is read-only, and later may write again."""
    rig.agent.kill()
    _remount(rig.state, "ro")
    rig.agent.start()
    _refuse(rig, chance)
    _remount(rig.state, "rw")
    return _accepted(rig)


def forbid_writing(rig: Rig, chance: random.Random) -> float:
    """No file of the agent may grow any more, for a while: what a full disk looks like from inside."""
    _, hard = resource.prlimit(rig.agent.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(rig.agent.pid, resource.RLIMIT_FSIZE, (0, hard))
    _refuse(rig, chance)
    resource.prlimit(rig.agent.pid, resource.RLIMIT_FSIZE, (hard, hard))
    return _accepted(rig)


def _mount(folder: Path) -> list[str]:
    return ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "offbeat-chaos", str(folder)]


def _refuse(rig: Rig, chance: random.Random, again: Callable[[], None] = lambda: None) -> None:
    """Until a few alerts were raised that the disk did not take."""
    wanted = _not_durable(rig) + chance.randint(3, 12)
    until = time.monotonic() + _REFUSES_S
    while _not_durable(rig) < wanted and time.monotonic() < until:
        again()
        time.sleep(0.1)


def _accepted(rig: Rig) -> float:
    """The moment the fault ended; returns when the disk has taken an event again, so that all is durable again."""
    ended = time.monotonic()
    before = rig.commit_log.size()
    rig.wait_for(lambda: rig.commit_log.size() > before, "the outbox to take events again")
    return ended


def _not_durable(rig: Rig) -> int:
    return sum(not each.message.durable for each in list(rig.subscriber.received))


def _fill_up(file: Path) -> None:
    with file.open("ab") as ballast, suppress(OSError):
        while True:
            os.write(ballast.fileno(), b"\0" * 65536)
    with file.open("ab") as ballast, suppress(OSError):
        while True:
            os.write(ballast.fileno(), b"\0")


def _remount(folder: Path, how: str) -> None:
    """Who reads the commit log may have a file open just now, so it is tried again."""
    command = ["mount", "-o", f"remount,{how}", str(folder.parent)]
    wait_for(lambda: subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0, f"the disk to turn {how}")
