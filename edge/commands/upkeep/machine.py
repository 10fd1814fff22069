"""What the machine itself is like: Python, clock, the state folder, who watches over the agent."""

import ctypes
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from edge.commands.upkeep.finding import Finding
from edge.config.settings import Config
from edge.delivery.at_rest import damage
from edge.state.lock import holder

_PYTHONS = ((3, 11), (3, 13))
_BEFORE = 1_735_689_600.0
"""Start of 2025, Unix seconds: a clock that shows less was never set."""
_TIME_ERROR = 5
"""adjtimex's word for a clock that nothing keeps in step. Source: adjtimex(2)."""


def python(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Finding:
    """Whether this Python is one that Offbeat is tested with."""
    told, (first, last) = ".".join(map(str, version)), _PYTHONS
    if first <= version[:2] <= last:
        return Finding("ok", "Python", told)
    return Finding(
        "FAIL", "Python", f"{told}; Offbeat wants 3.{first[1]} to 3.{last[1]}: make the environment with one"
    )


def clock_in_step() -> bool | None:
    """Whether something keeps this machine's clock right, as the kernel knows it; None where it does not say."""
    try:
        answer = int(ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(1024)))
    except (OSError, AttributeError):
        return None
    return None if answer < 0 else answer != _TIME_ERROR


def clock(config_path: Path, in_step: Callable[[], bool | None] = clock_in_step, now: float | None = None) -> Finding:
    """Whether the clock is set, and kept right."""
    now = time.time() if now is None else now
    shown = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if now < max(_BEFORE, config_path.stat().st_mtime - 60.0):
        return Finding(
            "FAIL", "clock", f"it shows {shown}, before {config_path.name} was written; set it, and run chrony"
        )
    match in_step():
        case True:
            return Finding("ok", "clock", f"{shown}, kept in step")
        case False:
            remedy = "apt install chrony, or timedatectl set-ntp true; until then rows are dated wrong by and by"
            return Finding("do", "clock", f"{shown}, and nothing keeps it in step; {remedy}")
    return Finding(
        "?", "clock", f"{shown}; the kernel does not say whether anything keeps it in step: look at chronyc tracking"
    )


def permissions(config: Config) -> Iterator[Finding]:
    """Whether other users of the machine are kept out of the state folder, and this one is not."""
    folder = config.device.state_dir
    if folder.is_symlink() and not folder.exists():
        yield Finding("FAIL", "state_dir", f"{folder} is a link to {os.readlink(folder)}, which is not there; mkdir it")
        return
    if not folder.exists():
        above = there(folder)
        good = os.access(above, os.W_OK | os.X_OK)
        remedy = f"{above} cannot be written to by this user: mkdir it as root and chown it"
        yield Finding("ok" if good else "FAIL", "state_dir", f"{folder} will be made" if good else remedy)
        return
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(
            "FAIL",
            "state_dir",
            f"{folder} cannot be written to by user {os.getuid()}: chown it, or say who runs the agent",
        )
        return
    names = (folder, folder / "streams", *folder.glob("outbox.db*"), *folder.glob("streams/*"))
    loose = [path for path in names if path.exists() and path.stat().st_mode & 0o077]
    if loose:
        yield Finding("do", "state_dir", f"{loose[0]} is open to other users; chmod -R go-rwx {folder}")
    else:
        yield Finding("ok", "state_dir", f"{folder}, for its user alone")


def outbox(config: Config) -> Iterator[Finding]:
    """Whether the outbox can be gone on with, and what was set aside because it could not."""
    path = config.device.state_dir / "outbox.db"
    for aside in sorted(path.parent.glob(f"{path.name}.damaged-*[0-9]")):
        lost = f"{aside} was damaged and set aside: alerts that waited in it were not sent"
        yield Finding("do", "outbox", f"{lost}; sqlite3 {aside.name} .recover shows what can be read, then remove it")
    if not path.exists() or holder(config.device.state_dir):
        return  # there is none yet; an agent that runs says itself what its disk refuses
    try:
        found = damage(path)
    except (OSError, sqlite3.Error) as error:
        yield Finding("FAIL", "outbox", f"{path}: {error}; alerts would wait in memory alone")
        return
    if found is not None:
        remedy = "copy it if what waits in it matters: at its next start the agent sets it aside and begins a new one"
        yield Finding("do", "outbox", f"{path} is damaged ({found}); {remedy}")
    else:
        yield Finding("ok", "outbox", f"{path} is sound")


def _systemctl(unit: str) -> str:
    line = ["systemctl", "show", unit, "--property=LoadState,WatchdogUSec,Restart"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=5.0, check=False)
    if done.returncode:
        raise OSError(done.stderr.strip() or f"status {done.returncode}")
    return done.stdout


def watchdog(unit: str, show: Callable[[str], str] = _systemctl) -> Finding:
    """Whether systemd starts an agent again that hangs."""
    try:
        told = dict(line.partition("=")[::2] for line in show(unit).splitlines())
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(
            "?", "watchdog", f"systemd does not answer here ({str(error)[:80]}); whoever starts the agent must watch it"
        )
    if told.get("LoadState") != "loaded":
        return Finding("do", "watchdog", f"there is no unit {unit}; docs/how-to/run-under-systemd.md has one")
    if told.get("WatchdogUSec", "0") in ("", "0", "infinity"):
        return Finding("do", "watchdog", f"{unit} has none: an agent that hangs stays so; set WatchdogSec=30")
    if told.get("Restart", "no") == "no":
        return Finding("do", "watchdog", f"{unit} is not started again; set Restart=always")
    return Finding("ok", "watchdog", f"{unit}: {told['WatchdogUSec']}, Restart={told['Restart']}")


def there(folder: Path) -> Path:
    """The folder, or what there is of the way to it."""
    return next(part for part in (folder, *folder.absolute().parents) if part.exists())
