"""What the machine itself is like: Python, clock, the outbox on its disk, who watches over the agent."""

import ctypes
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from edge.commands.upkeep.finding import Finding
from edge.config.settings import Config
from edge.delivery.at_rest import damage
from edge.delivery.copies import copy_database
from edge.delivery.tables import NewerError
from edge.state.lock import holder
from edge.wire.local_link import NobodyThereError, ask_local

_PYTHONS = ((3, 11), (3, 13))
_BEFORE = 1_735_689_600.0
"""Start of 2025, Unix seconds: a clock that shows less was never set."""
ASKED_S = 5.0
"""How long an agent that runs may take to say how its outbox is, seconds."""
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


def outbox(config: Config) -> Iterator[Finding]:
    """Whether the file is sound, and what was set aside because it was not; an agent that runs is asked, too."""
    path = config.device.state_dir / "outbox.db"
    for aside in sorted(path.parent.glob(f"{path.name}.damaged-*[0-9]")):
        lost = f"{aside} was damaged and set aside: alerts that waited in it were not sent"
        yield Finding("do", "outbox", f"{lost}; sqlite3 {aside.name} .recover shows what can be read, then remove it")
    if (pid := holder(config.device.state_dir)) is not None:
        yield _of_running(path, pid)
    elif path.exists():
        yield _at_rest(path)


def _of_running(path: Path, pid: str) -> Finding:
    """What the agent says of it, and a copy of one instant, which holds up nobody."""
    try:
        answer = ask_local(path.parent, "status", {}, ASKED_S)
    except NobodyThereError as error:
        told = f"process {pid} has {path} open and does not say how it is ({error}), so that it was not looked at"
        return Finding("?", "outbox", f"{told}; where that stays so, stop the agent and give this command again")
    counts: dict[str, Any] = answer.get("data", {}).get("outbox", {})
    if not counts:
        return Finding(
            "?", "outbox", f"process {pid} says nothing of {path}, so that it was not looked at; see its log"
        )
    if not counts.get("accepting", False):
        told = f"the running agent cannot write to {path}: {counts.get('in_memory', 0)} alerts wait in memory alone"
        return Finding("FAIL", "outbox", f"{told}; see disk, file system and state_dir, and the agent's log")
    if not path.exists():
        return Finding("ok", "outbox", f"the running agent makes {path} with the first alert")
    finding = _copied(path)
    return finding._replace(found=f"{finding.found}; of the running agent {counts.get('pending')} are not delivered")


def _copied(path: Path) -> Finding:
    try:
        with tempfile.TemporaryDirectory(prefix="offbeat-outbox-") as scratch:
            copy_database(path, Path(scratch) / path.name)
            found = damage(Path(scratch) / path.name)
    except (OSError, sqlite3.Error) as error:
        return Finding("?", "outbox", f"{path}: no copy could be looked at while the agent writes ({error})")
    return _judged(path, found, "back up the state folder; the agent sets it aside once it meets the damage")


def _at_rest(path: Path) -> Finding:
    try:
        found = damage(path)
    except NewerError as error:
        return Finding("FAIL", "outbox", f"{path}: {error}; alerts would wait in memory alone")
    except sqlite3.Error as error:
        return Finding("?", "outbox", f"{path}: no copy of it could be looked at ({error})")
    return _judged(path, found, "copy it if what waits in it matters: the agent sets it aside at its next start")


def _judged(path: Path, damaged: str | None, remedy: str) -> Finding:
    if damaged is not None:
        return Finding("do", "outbox", f"{path} is damaged ({damaged}); {remedy}, and begins a new one")
    return Finding("ok", "outbox", f"{path} is sound")


def _systemctl(unit: str) -> str:
    line = ["systemctl", "show", unit, "--property=LoadState,WatchdogUSec,Restart"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=5.0, check=False)
    if done.returncode:
        raise OSError((done.stderr.strip() or f"status {done.returncode}").splitlines()[0])
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
