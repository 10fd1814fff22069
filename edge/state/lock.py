"""One agent a state folder: two of them would send each event twice and overwrite what the other learnt."""

import fcntl
import logging
import os
from contextlib import suppress
from pathlib import Path

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
            with suppress(OSError):  # of another user
                self._folder.chmod(0o700)
            _remove_unfinished(self._folder)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
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
        self._handle = handle
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another agent have it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _remove_unfinished(folder: Path) -> None:
    """Files that a full disk or a power cut left half written, under the names that `write_atomically` gives them."""
    for below in (folder, folder / "streams"):
        for path in below.glob(".*.new"):
            with suppress(OSError):
                path.unlink()
