"""Forgetting what a stream has learnt, so that a kill in the middle leaves it as it was, or forgotten.

A note beside the state files says what is to be done; from the moment that it is on disk it will be done, by the agent
that wrote it or by the next one. Each step may be repeated. What was forgotten is kept under another name, once.
"""

import json
import logging
import os
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge.detector.bundle.files import read_file, write_atomically
from edge.wire.checksum import marked, unmarked
from edge.wire.topics import valid_stream_id

log = logging.getLogger(__name__)

VERSION = 1
_OF_A_STREAM = r"-[0-9a-f]{16}(?:\.2)?\.(?:json|rows)"


class RecalibrationError(Exception):
    """It cannot be done; one line with the reason and the remedy. Nothing has changed."""


class Recalibrations:
    """What is to be forgotten of the streams whose files lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ask(self, stream: str) -> None:
        """Note that all that a stream has learnt is to be forgotten, with every bundle that it has had.

        Raises:
            RecalibrationError: it is no name of a stream.
            OSError: the disk refuses.
        """
        self._note(stream, {"forget": uuid.uuid4().hex[:12]})

    def ask_back(self, stream: str) -> None:
        """Note that what was forgotten last is to come back, in place of what was learnt since.

        Raises:
            RecalibrationError: nothing is kept of it.
            OSError: the disk refuses.
        """
        if (noted := self.asked(stream)) is not None and "forget" in noted:
            self._path(stream).unlink()  # nothing was forgotten yet
            return
        kept = self.kept(stream)
        if not kept:
            raise RecalibrationError(f"stream {stream}: nothing is kept from before a recalibration")
        back = {path.name.partition(".before-")[0] for path in kept}
        gone = [path.name for path in self._files(stream) if path.name not in back]
        self._note(stream, {"bring_back": True, "drop": gone})

    def asked(self, stream: str) -> dict[str, Any] | None:
        """What is noted of a stream and not done yet; None without."""
        path = self._path(stream)
        try:
            body = json.loads(unmarked(read_file(path), path.name))
            if body["version"] == VERSION and ("forget" in body or "bring_back" in body):
                return body
            raise ValueError(f"version {body['version']}")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            log.error("stream %s: %s cannot be read (%s) and is passed over; ask again", stream, path, error)
            return None

    def carry_out(self, stream: str) -> bool:
        """Do with the files what was noted; whether anything was. `done` comes after all else that belongs to it.

        Raises:
            OSError: the disk refuses; to be tried again.
        """
        noted = self.asked(stream)
        if noted is None:
            return False
        if "forget" in noted:
            for path in list(self._files(stream)):
                path.replace(path.with_name(f"{path.name}.before-{noted['forget']}"))
            for path in self.kept(stream):
                if not path.name.endswith(f"-{noted['forget']}"):
                    path.unlink()
        else:
            for path in self.kept(stream):
                path.replace(path.with_name(path.name.partition(".before-")[0]))
            for name in noted.get("drop", ()):
                if re.fullmatch(re.escape(stream) + _OF_A_STREAM, str(name)):
                    (self._folder / str(name)).unlink(missing_ok=True)
        _sync(self._folder)
        return True

    def done(self, stream: str) -> None:
        """It was carried out.

        Raises:
            OSError: the disk refuses.
        """
        self._path(stream).unlink(missing_ok=True)

    def kept(self, stream: str) -> list[Path]:
        """Files with what was forgotten last."""
        wanted = re.compile(re.escape(stream) + _OF_A_STREAM + r"\.before-[0-9a-f]+")
        return sorted(path for path in self._folder.glob(f"{stream}-*.before-*") if wanted.fullmatch(path.name))

    def _files(self, stream: str) -> Iterator[Path]:
        wanted = re.compile(re.escape(stream) + _OF_A_STREAM)
        return (path for path in sorted(self._folder.glob(f"{stream}-*")) if wanted.fullmatch(path.name))

    def _note(self, stream: str, what: dict[str, Any]) -> None:
        if not valid_stream_id(stream):
            raise RecalibrationError(f"{stream[:100]!r} is no name of a stream")
        path = self._path(stream)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(path, marked(json.dumps({"version": VERSION, **what}).encode(), path.name))
        path.chmod(0o600)
        _sync(self._folder)

    def _path(self, stream: str) -> Path:
        return self._folder / f"{stream}.recalibrate"


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
