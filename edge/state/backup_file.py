"""The file of a backup: a packed tar whose first member says whose it is, and whose last has the hash of each other.

Read by hand and strictly: plain files with plain relative names, one after the other, and nothing else. `tar -tzf`
lists one.
"""

import gzip
import hashlib
import json
import os
import re
import shutil
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

FORMAT = 1
"""Of the file; a newer one is refused."""
_HEAD, _SUMS = "offbeat-backup.json", "sha256.json"
_BLOCK = tarfile.BLOCKSIZE
MOST_BYTES, _MOST_FILES, _MOST_HEAD = 1_000_000_000, 20_000, 10_000_000
_ROOM_LEFT = 20_000_000
"""Bytes of the disk that a restore leaves free."""
_NAME = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,120}(/[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,120}){0,3}")
_PORTION = 1 << 20


class BackupError(Exception):
    """Nothing was written or restored; one line with the reason and the remedy."""


class BackupWriter:
    """Writes a backup beside its name, for its user alone; `finish` gives it the name."""

    def __init__(self, path: Path, about: Mapping[str, Any]) -> None:
        """Begin.

        Raises:
            BackupError: there is such a file.
            OSError: the disk refuses.
        """
        self._path, self._unfinished = path, path.with_name(f".{path.name}.new")
        if path.exists():
            raise BackupError(f"{path} is there already; name another file")
        self._unfinished.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.fdopen(os.open(self._unfinished, flags, 0o600), "wb")
        self._packed = gzip.GzipFile(fileobj=self._file, mode="wb", filename="", compresslevel=6)
        self._sums: dict[str, str] = {}
        self.bytes = 0
        """Of the files in it, unpacked."""
        self.add(_HEAD, json.dumps({"format": FORMAT, **about}).encode())

    def add(self, name: str, content: bytes) -> None:
        """One more file.

        Raises:
            OSError: the disk refuses.
            BackupError: the name is none for a backup, or it is there already.
        """
        if not _NAME.fullmatch(name) or name in self._sums:
            raise BackupError(f"{name!r} cannot be a file's name in a backup; rename it")
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(content), 0o600
        self._packed.write(info.tobuf(tarfile.USTAR_FORMAT))
        self._packed.write(content + b"\0" * (-len(content) % _BLOCK))
        self._sums[name] = hashlib.sha256(content).hexdigest()
        self.bytes += len(content)

    def finish(self) -> None:
        """Complete it and give it its name, both or neither.

        Raises:
            OSError: the disk refuses; BackupError: somebody was quicker.
        """
        sums = self._sums.copy()
        self.add(_SUMS, json.dumps(sums).encode())
        self._packed.write(b"\0" * (2 * _BLOCK))
        self._packed.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        try:
            os.link(self._unfinished, self._path)  # which, unlike a rename, replaces nothing
            self._unfinished.unlink()
        except FileExistsError as error:
            raise BackupError(f"{self._path} is there by now; name another file") from error
        except OSError:  # a file system without links, such as that of most memory sticks
            self._unfinished.replace(self._path)

    def abandon(self) -> None:
        """Leave nothing behind; after `finish` without effect."""
        self._file.close()
        self._unfinished.unlink(missing_ok=True)


@dataclass(frozen=True)
class Unpacked:
    """A backup that was read whole and found to be what was written."""

    about: Mapping[str, Any]
    folder: Path
    names: frozenset[str]
    """Of the files below the folder, without the first and the last."""


def about(path: Path) -> Mapping[str, Any]:
    """What a backup says of itself, once all of it was read and found whole; nothing is written.

    Raises:
        BackupError, OSError: as `unpack` does.
    """
    return _read(path, None).about


def unpack(path: Path, into: Path) -> Unpacked:
    """Read a backup and write its files below `into`, a new folder of the caller's.

    Raises:
        BackupError: it is none, damaged, of a later version, too much, or has names that lead elsewhere.
        OSError: the disk refuses.
    """
    return _read(path, into)


def _read(path: Path, into: Path | None) -> Unpacked:
    if not path.is_file():
        raise BackupError(f"{path}: there is no such file, or it is no plain one")
    try:
        with path.open("rb") as file, gzip.GzipFile(fileobj=file, mode="rb") as packed:
            return _Reader(path, packed, into).read()
    except (EOFError, gzip.BadGzipFile, zlib.error, tarfile.HeaderError, UnicodeDecodeError) as error:
        raise BackupError(f"{path} is damaged, or no backup of Offbeat ({error}); take another copy of it") from error


class _Reader:
    def __init__(self, path: Path, packed: gzip.GzipFile, into: Path | None) -> None:
        self._path, self._packed, self._into = path, packed, into
        self._left, self._sums = MOST_BYTES, dict[str, str]()

    def read(self) -> Unpacked:
        """All of it."""
        about = self._about()
        last = b""
        while (info := self._next()) is not None:
            if info.name == _SUMS:
                last = self._content(info)
                break
            self._pass_on(info)
        self._end(last)
        return Unpacked(about, self._into or self._path, frozenset(self._sums) - {_HEAD})

    def _about(self) -> Mapping[str, Any]:
        info = self._next()
        if info is None or info.name != _HEAD:
            raise BackupError(f"{self._path} is no backup of Offbeat; offbeat-edge backup writes one")
        about = _object(self._content(info))
        version = None if about is None else about.get("format")
        if about is None or type(version) is not int or version < 1:
            raise BackupError(f"{self._path}: its first part is none of Offbeat's; take another copy of it")
        if version > FORMAT:
            raise BackupError(
                f"{self._path} was written by a later version, Offbeat {about.get('offbeat')} (format {version}, this "
                f"one reads up to {FORMAT}); upgrade Offbeat here"
            )
        return about

    def _next(self) -> tarfile.TarInfo | None:
        block = self._exactly(_BLOCK)
        if not block.strip(b"\0"):
            return None
        # Only what a header itself says: longer names, links and sparse files are further members, which are refused.
        info = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or not _NAME.fullmatch(info.name):
            raise BackupError(f"{self._path}: {info.name[:100]!r} is no plain file of a backup; do not use it")
        if info.name in self._sums or len(self._sums) > _MOST_FILES:
            raise BackupError(f"{self._path}: {info.name!r} comes twice, or there are too many files; do not use it")
        most = _MOST_HEAD if info.name in (_HEAD, _SUMS) else self._left
        if not 0 <= info.size <= min(most, self._left):
            raise BackupError(f"{self._path}: {info.name} wants {info.size} bytes, more than a backup may have")
        self._left -= info.size
        return info

    def _content(self, info: tarfile.TarInfo) -> bytes:
        content = self._exactly(info.size)
        self._exactly(-info.size % _BLOCK)
        self._sums[info.name] = hashlib.sha256(content).hexdigest()
        return content

    def _pass_on(self, info: tarfile.TarInfo) -> None:
        if self._into is None:
            return self._copy(info, None)
        if shutil.disk_usage(self._into).free < info.size + _ROOM_LEFT:
            raise BackupError(f"{self._into}: the disk has no room for {info.name}, {info.size} bytes; make room")
        target = self._into / info.name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(target, flags, 0o600), "wb") as file:
            self._copy(info, file)
            file.flush()
            os.fsync(file.fileno())

    def _copy(self, info: tarfile.TarInfo, file: IO[bytes] | None) -> None:
        sum_, left = hashlib.sha256(), info.size
        while left:
            portion = self._exactly(min(left, _PORTION))
            left -= len(portion)
            sum_.update(portion)
            if file is not None:
                file.write(portion)
        self._exactly(-info.size % _BLOCK)
        self._sums[info.name] = sum_.hexdigest()

    def _end(self, last: bytes) -> None:
        self._sums.pop(_SUMS, None)
        if _object(last) != self._sums:
            raise BackupError(f"{self._path} is damaged: its files are not those that were written; take another copy")
        if self._packed.read(_PORTION).strip(b"\0") or self._packed.read(1):  # to the end, where the whole's sum is
            raise BackupError(f"{self._path} goes on after its end; do not use it")

    def _exactly(self, size: int) -> bytes:
        content = self._packed.read(size)
        if len(content) != size:
            raise EOFError("it ends too soon")
        return content


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None
