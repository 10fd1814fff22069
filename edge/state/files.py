"""What a stream has learnt, on disk: written as a whole, versioned, set aside when it cannot be read."""

import json
import logging
import time
from pathlib import Path
from typing import Any

from edge.detector.bundle.files import read_file, write_atomically
from edge.detector.state import STATE_VERSION
from edge.state.collected_rows import CollectedRows
from edge.state.recalibration import Recalibrations
from edge.wire.checksum import marked, unmarked

log = logging.getLogger(__name__)

VERSION = 1
_VERSIONS = (VERSION, STATE_VERSION)
"""Of the file, and of the state in it."""
_HASH_DIGITS = 16


_GENERATION = ".2"
"""In the names of files that hold what version 0.1.0 cannot read: it looks for names without, and finds its own."""


class StateFiles:
    """One JSON file for each stream and bundle below `folder`: another bundle starts afresh, the old state stays.

    A file of version 0.1.0 is read where there is none of this version yet, and never written, moved or removed: after
    a downgrade that version goes on with it, and after the next upgrade this one with its own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.recalibrations = Recalibrations(folder)
        """What is to be forgotten."""
        self._written: dict[Path, bytes] = {}
        self._collected: dict[Path, CollectedRows] = {}
        self._newer: set[Path] = set()
        """Files of a later version or of another user, which are left as they are."""
        self._older: dict[Path, Path] = {}
        """By the name that a state is written under, the file of an older version that was read in its place."""

    def holds(self, stream: str, bundle_sha256: str) -> bool:
        """Whether there is a file that this version wrote."""
        return self._path(stream, bundle_sha256).exists()

    def load(self, stream: str, bundle_sha256: str) -> dict[str, Any] | None:
        """The state saved last, or None where there is none or none that can be read."""
        path, older = self._path(stream, bundle_sha256), older_file(self._folder, stream, bundle_sha256)
        self._older.pop(path, None)
        if not path.exists() and older.exists():
            self._older[path] = older
        place = self._older.get(path, path)
        try:
            body = json.loads(unmarked(read_file(place), place.name))
        except FileNotFoundError:
            return None
        except PermissionError as error:
            self._newer.add(path)
            log.error(
                "stream %s: %s cannot be read by this user (%s) and is left as it is; the stream starts afresh and its "
                "state is not saved: chown the file to who runs the agent, and start it again",
                stream, place, error.strerror,
            )  # fmt: skip
            return None
        except (OSError, ValueError, RecursionError) as error:
            self.set_aside(stream, bundle_sha256, error)
            return None
        if isinstance(body, dict) and is_later(body):
            self._newer.add(path)
            log.error(
                "stream %s: %s was written by a later version (%s, this one reads %s) and is left as it is; the stream "
                "starts afresh and its state is not saved: upgrade Offbeat, or move the file away",
                stream, place, body.get("version"), VERSION,
            )  # fmt: skip
            return None
        if not isinstance(body, dict) or body.get("version") != VERSION or not isinstance(body.get("state"), dict):
            self.set_aside(stream, bundle_sha256, f"no state of version {VERSION}")
            return None
        return body["state"]

    def save(self, stream: str, bundle_sha256: str, state: dict[str, Any]) -> bool:
        """Write the state unless it is the one written last; whether it was written.

        Raises:
            OSError: the disk refuses.
        """
        path = self._path(stream, bundle_sha256)
        if path in self._newer:
            return False
        body = {"version": VERSION, "stream": stream, "bundle": bundle_sha256, "state": state}
        content = marked(json.dumps(body, separators=(",", ":"), allow_nan=False).encode(), path.name)
        if self._written.get(path) == content:
            return False
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
        self._written[path] = content
        return True

    def collected(self, stream: str, bundle_sha256: str) -> CollectedRows:
        """The file of the rows that a stream collects to commission itself, beside that of its state."""
        path = self._path(stream, bundle_sha256).with_suffix(".rows")
        older = older_file(self._folder, stream, bundle_sha256).with_suffix(".rows")
        return self._collected.setdefault(path, CollectedRows(path, older))

    def forget(self, stream: str) -> None:
        """The stream's files were changed by others: what is remembered of them does not hold."""
        for known in (self._written, self._collected):
            for path in [path for path in known if path.name.rpartition("-")[0] == stream]:
                del known[path]  # type: ignore[attr-defined]
        self._newer = {path for path in self._newer if path.name.rpartition("-")[0] != stream}

    def set_aside(self, stream: str, bundle_sha256: str, reason: object) -> None:
        """Give an unusable file a name that says so, or leave it to the older version that wrote it; the stream starts
        afresh."""
        path = self._path(stream, bundle_sha256)
        if (older := self._older.get(path)) is not None:
            log.warning("stream %s: %s", stream, left_to_older(older, reason))
            return
        aside = path.with_name(f"{path.name}.damaged-{int(time.time())}")
        log.warning("stream %s: state file is unusable (%s); set aside as %s", stream, reason, aside)
        try:
            path.replace(aside)
        except OSError as error:
            log.warning("stream %s: %s cannot be set aside: %s", stream, path, error)

    def _path(self, stream: str, bundle_sha256: str) -> Path:
        return self._folder / f"{stream}-{bundle_sha256[:_HASH_DIGITS]}{_GENERATION}.json"


def older_file(folder: Path, stream: str, bundle_sha256: str) -> Path:
    """Where version 0.1.0 keeps what a stream has learnt with a bundle."""
    return folder / f"{stream}-{bundle_sha256[:_HASH_DIGITS]}.json"


def left_to_older(path: Path, reason: object) -> str:
    """What becomes of a state of an older version that cannot be gone on with, and what can be done about it."""
    return (
        f"{path} cannot be gone on with ({reason}); the stream starts afresh, and commissions itself anew where it has "
        "calibrate_rows. The file stays as it is: the older version, put back, goes on with it"
    )


def is_later(body: dict[str, Any]) -> bool:
    """Whether a state file, decoded, was written by a later version."""
    state = body.get("state")
    versions = (body.get("version"), state.get("version") if isinstance(state, dict) else None)
    return any(type(version) is int and version > known for version, known in zip(versions, _VERSIONS, strict=True))
