"""Packed CSV files, one for each name and day, bounded in bytes all together: what a bundle can be trained on."""

import contextlib
import os
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

_WINDOW_BITS, _MEMORY = 13, 6
"""With these a file that is open takes some 60 kB in place of 270, and becomes a few per cent larger."""
_MOST_NAMES = 200


class _Packed:
    """A gzip file that is made anew; what was flushed can be read, also if the end never comes."""

    def __init__(self, path: Path, header: str) -> None:
        self.header = header
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0)  # noqa: SIM115
        self._packer = zlib.compressobj(6, zlib.DEFLATED, 16 + _WINDOW_BITS, _MEMORY)  # 16: as gzip
        self.write(header + "\n")

    def write(self, text: str) -> None:
        """Add lines; some wait in memory until `flush`."""
        if packed := self._packer.compress(text.encode()):
            self._file.write(packed)

    def flush(self) -> None:
        """All up to here can be read from now on."""
        self._file.write(self._packer.flush(zlib.Z_SYNC_FLUSH))

    def close(self) -> None:
        """Complete it."""
        with self._file:
            self._file.write(self._packer.flush())


class DayFiles:
    """Files below a folder, each named for its name and the time when it was begun; `path` says how.

    A new one is begun with each UTC day, each start and each change of the header. The oldest are removed once all
    together hold more than `max_bytes`.
    """

    def __init__(
        self, folder: Path, max_bytes: int, wall: Callable[[], float], path: Callable[[str, str], str]
    ) -> None:
        self._folder, self._max_bytes, self._wall, self._path = folder, max_bytes, wall, path
        self._files: dict[str, tuple[str, _Packed]] = {}

    def write(self, name: str, header: str, lines: str) -> bool:
        """Add lines, each with its end, under a header without one; whether there was room for one name more.

        Raises:
            OSError: the disk refuses.
        """
        begun = datetime.fromtimestamp(self._wall(), UTC)
        day = begun.strftime("%Y-%m-%d")
        known = self._files.get(name)
        if known is None or known[0] != day or known[1].header != header:
            if known is None and len(self._files) >= _MOST_NAMES:
                return False
            self._end(name)
            known = self._files[name] = (day, self._new(name, begun.strftime("%Y-%m-%dT%H%M%S"), header))
        known[1].write(lines)
        return True

    def flush(self) -> None:
        """What was written can be read from now on; the oldest files go where there are too many bytes.

        Raises:
            OSError: the disk refuses.
        """
        for _, file in self._files.values():
            file.flush()
        files = sorted(self._folder.rglob("*.csv.gz"), key=lambda path: path.stat().st_mtime)
        size = sum(path.stat().st_size for path in files)
        for path in files[:-1]:
            if size <= self._max_bytes:
                return
            size -= path.stat().st_size
            path.unlink()

    def close(self) -> None:
        """Complete all files.

        Raises:
            OSError: the disk refuses.
        """
        for name in list(self._files):
            self._end(name)

    def _end(self, name: str) -> None:
        if (known := self._files.pop(name, None)) is not None:
            known[1].close()

    def _new(self, name: str, stamp: str, header: str) -> _Packed:
        path = self._folder / self._path(name, stamp)
        for number in range(2, 1000):
            with contextlib.suppress(FileExistsError):
                return _Packed(path, header)
            path = self._folder / self._path(name, f"{stamp}-{number}")
        raise FileExistsError(f"{path} and others of its name are there")
