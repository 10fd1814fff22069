"""Which session `watch` goes on with: one for each user and question, so that what comes meanwhile is kept."""

import fcntl
import hashlib
import json
import os
import socket
from collections.abc import Iterable
from pathlib import Path

_SLOTS = 20
"""The same watch so many times at once."""
_MOST_DEVICES = 1000


class WatchSession:
    """A client id that no other running `watch` has, and how far each device's log was shown under it.

    Two connections with one id throw each other off: a lock on a file tells which ids are in use on this machine.
    """

    def __init__(self, folder: Path, question: Iterable[str]) -> None:
        who = (socket.gethostname(), str(os.getuid()), *question)
        digest = hashlib.sha256("\0".join(who).encode()).hexdigest()[:12]
        self._folder, self._name = folder, f"offbeat-watch-{digest}"
        self._handle: int | None = None
        self.client_id: str | None = None
        """None until `take`."""
        self.shown: dict[str, tuple[str, int]] = {}
        """By device, the log and the number shown last."""

    def take(self) -> None:
        """Take the first session that is free.

        Raises:
            OSError: the folder cannot be written, or all are in use.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for number in range(1, _SLOTS + 1):
            name = f"{self._name}-{number}"
            handle = os.open(self._folder / f"{name}.json", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                continue
            self._handle, self.client_id = handle, name
            self.shown = _read(handle)
            return
        raise OSError(f"{_SLOTS} of them run already")

    def note(self, device: str, log: str, seq: int) -> None:
        """This was shown."""
        before = self.shown.get(device)
        if self._handle is None or (before is None and len(self.shown) >= _MOST_DEVICES):
            return
        if before is not None and before[0] == log and before[1] >= seq:
            return
        self.shown[device] = log, seq
        body = json.dumps(self.shown).encode()
        try:  # a session without this is still one
            os.pwrite(self._handle, body, 0)
            os.ftruncate(self._handle, len(body))
        except OSError:
            return

    def release(self) -> None:
        """Another `watch` may have it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def usual_folder() -> Path:
    """Source: XDG base directory specification."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "offbeat" / "watch"


def _read(handle: int) -> dict[str, tuple[str, int]]:
    try:
        body = json.loads(os.pread(handle, 1_000_000, 0) or b"{}")
        return {str(device): (str(log), int(seq)) for device, (log, seq) in body.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):  # cut off by a power cut
        return {}
