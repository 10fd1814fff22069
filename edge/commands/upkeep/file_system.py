"""The state folder: what it lies on, since some file systems forget or keep less than a database wants, and whose it
and what is in it is: the agent's user has to read it, and nobody else."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

from edge.commands.upkeep.finding import Finding
from edge.commands.upkeep.machine import there
from edge.config.settings import Config

_KINDS = {
    ("tmpfs", "ramfs"): "is kept in memory: what streams learn and alerts that wait are gone when the power is; have "
    "state_dir on a disk",
    ("overlay", "aufs"): "is an overlay, of a container or of raspi-config: what is written may be gone with it; have "
    "state_dir on a volume or partition of its own",
    ("vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk"): "keeps no owners and no links: other users may read the "
    "state, and bundles cannot be switched; have state_dir on ext4",
    ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs"): "is on the network: SQLite's files may "
    "be damaged there, and an outage of it stops the agent; have state_dir on a disk of this machine",
}
"""Source: Linux, proc(5), mountinfo; sqlite.org/wal.html, WAL does not work over a network file system."""


def file_system(config: Config, root: Path = Path("/")) -> Iterator[Finding]:
    """Whether what is written to the state folder stays there; nothing where the kernel does not say."""
    folder = there(config.device.state_dir).resolve()
    kind, options = _mounted(folder, root / "proc/self/mountinfo")
    if "ro" in options:
        remedy = f"mount -o remount,rw it; where it became so by itself, dmesg says why: {folder} may be on a worn disk"
        yield Finding("FAIL", "file system", f"{folder} is on one that is mounted for reading alone; {remedy}")
    elif kind is not None:
        wrong = next((text for kinds, text in _KINDS.items() if kind in kinds), None)
        told = f"{folder} is on {kind}"
        yield Finding("do", "file system", f"{told}, which {wrong}") if wrong else Finding("ok", "file system", told)


def _mounted(folder: Path, table: Path) -> tuple[str | None, set[str]]:
    """Kind and options of the mount that a folder is in."""
    try:
        lines = [line.split() for line in os.fsdecode(table.read_bytes()).splitlines()]
        found = [
            (len(point), number, line[line.index("-") + 1], {*line[5].split(","), *line[-1].split(",")})
            for number, line in enumerate(lines)
            if folder.is_relative_to(point := _plain(line[4]))
        ]
    except (OSError, ValueError, IndexError):
        return None, set()
    # The innermost, and of those on one place the last, which hides the others.
    _, _, kind, options = max(found, key=lambda one: one[:2], default=(0, 0, None, set()))
    return kind, options


def _plain(text: str) -> str:
    """A mount's place; blanks in it are written in octal."""
    for code, mark in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        text = text.replace(code, mark)
    return text


def state_dir(config: Config) -> Iterator[Finding]:
    """Whether other users of the machine are kept out of the state folder, and the agent's is not."""
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
        yield Finding("FAIL", "state_dir", f"{folder} cannot be written to by {_name(os.geteuid())}: {_remedy(folder)}")
        return
    paths = (folder, *folder.glob("*"), *folder.glob("streams/*"), *folder.glob("history/*"))
    statuses = {path: path.lstat() for path in paths}
    owner = statuses[folder].st_uid
    strangers = [path for path, status in statuses.items() if status.st_uid != owner]
    if strangers:
        whose = f"{strangers[0]} belongs to {_name(statuses[strangers[0]].st_uid)}, the folder to {_name(owner)}"
        remedy = f"whose agent cannot go on with it; chown -R --reference={folder} {folder}"
        yield Finding("FAIL", "state_dir", f"{whose}, {remedy}")
    names = (folder, folder / "streams", *folder.glob("outbox.db*"), *folder.glob("streams/*"))
    loose = [path for path in names if path.exists() and path.stat().st_mode & 0o077]
    if loose:
        yield Finding("do", "state_dir", f"{loose[0]} is open to other users; chmod -R go-rwx {folder}")
    elif not strangers:
        yield Finding("ok", "state_dir", f"{folder}, for its user alone")


def _remedy(folder: Path) -> str:
    owner = folder.stat().st_uid
    if folder.is_dir() and owner != os.geteuid() != 0:
        return f"it is {_name(owner)}'s; give this command as who runs the agent, or as root, or chown it"
    return "chown it, or say who runs the agent"


def _name(user: int) -> str:
    try:
        return f"user {pwd.getpwuid(user).pw_name}"
    except KeyError:
        return f"user {user}"
