"""One agent a state folder: two of them would send each event twice and overwrite what the other learnt."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge.detector.bundle.files import belongs_to_its_folder

log = logging.getLogger(__name__)


class InUseError(Exception):
    """Another agent has the state folder; one line with its process id."""


class StateLock:
    """Held until the process ends, however it does; the file says by whom."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handle: int | None = None

    def take(self) -> None:
        """Make the folder, for this user alone, and lock it; one that cannot be written is served without a lock.

        Raises:
            InUseError: another process holds it.
        """
        path = self._folder / ".lock"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            belongs_to_its_folder(handle, self._folder)
        except (OSError, ValueError) as error:
            log.error("state_dir %s cannot be written: %s; what is learnt and not delivered is lost at the end",
                      self._folder, error)  # fmt: skip
            return
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
            os.close(handle)
            raise InUseError(
                f"state_dir {self._folder} is in use by another agent, process {holder or 'unknown'}; "
                "give each agent a state_dir and an id of its own"
            ) from error
        if _is_elsewhere(handle, path):  # `restore` has exchanged the folder in between
            os.close(handle)
            return self.take()
        self._handle = handle
        # Not before it is ours: half written may be what another agent writes just now.
        _remove_unfinished(self._folder)
        _make_private(self._folder)
        with suppress(OSError):  # a disk that is full: who holds it is then not said, and it is held all the same
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)

    @property
    def held(self) -> bool:
        """Whether it was taken: a folder that cannot be written has none."""
        return self._handle is not None

    def release(self) -> None:
        """Let another agent have it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


@contextmanager
def no_agent_on(folder: Path) -> Iterator[None]:
    """Keep agents off a state folder that is there, while a command changes it.

    Raises:
        InUseError: one runs on it.
        PermissionError: this user cannot write to it.
    """
    lock = StateLock(folder)
    lock.take()
    if not lock.held:
        raise PermissionError(f"state_dir {folder} cannot be written to by this user")
    try:
        yield
    finally:
        lock.release()


def holder(folder: Path) -> str | None:
    """The process id of the agent that has a state folder; None where none has, or where that cannot be seen."""
    try:
        handle = os.open(folder / ".lock", os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return os.pread(handle, 20, 0).decode("ascii", "replace").strip() or "unknown"
    finally:
        os.close(handle)
    return None


def can_be_seen(folder: Path) -> bool:
    """Whether this user may look who has a state folder; where not, `holder` gives None whoever has it."""
    try:
        os.close(os.open(folder / ".lock", os.O_RDONLY | os.O_CLOEXEC))
    except PermissionError:
        return False
    except (OSError, ValueError):
        return True
    return True


def _is_elsewhere(handle: int, path: Path) -> bool:
    try:
        return not os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return True


def _remove_unfinished(folder: Path) -> None:
    """Files that a full disk or a power cut left half written, under the names that `write_atomically` gives them."""
    for below in (folder, folder / "streams"):
        for path in below.glob(".*.new"):
            with suppress(OSError):
                path.unlink()


def _make_private(folder: Path) -> None:
    """What earlier versions let others read, which is what this agent writes and nothing else in the folder."""
    names = ("outbox.db*", "streams/*", ".lock", "served.json", "tried-bundles")
    for path in (folder, folder / "streams", *(path for name in names for path in folder.glob(name))):
        with suppress(OSError):  # of another user, or not there
            if not path.is_symlink():
                path.chmod(0o700 if path.is_dir() else 0o600)
    with suppress(OSError):
        if folder.stat().st_mode & 0o077:
            log.warning("state_dir %s can be read by other users, and its rights cannot be changed", folder)
