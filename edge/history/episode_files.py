"""The rows around each episode, on disk: `STREAM/EPISODE.rows` below a folder, so that a renamed stream takes a renamed
folder.

A file is a JSON object with what the episode is, then a JSON array a line: time, score, values, expected, tolerance,
null where nothing is known; at the end `{"end_time": …}`. What a power cut left of the last line is passed over.
"""

import contextlib
import json
import logging
import math
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge.history.stretch import KeptRow, Stretch, stretch_of
from edge.wire.payload import encode_payload

log = logging.getLogger(__name__)

VERSION = 1
_ID = re.compile(r"[a-zA-Z0-9_-]{1,100}")
_SUFFIX = ".rows"
_UNREADABLE = (ValueError, KeyError, TypeError, OverflowError, RecursionError)
"""What a file that another has written, or a dying card, may raise."""


class EpisodeFiles:
    """Reads and writes the files; any process may read while the agent writes."""

    def __init__(self, folder: Path, most: int, max_bytes: int) -> None:
        self._folder, self._most, self._max_bytes = folder, most, max_bytes

    def create(self, stream: str, event_id: str, head: dict[str, Any], rows: Iterable[KeptRow]) -> None:
        """Write an episode's file as a whole, in place of one that is there.

        Raises:
            OSError: the disk refuses.
        """
        about = encode_payload({"version": VERSION, "event_id": event_id, **head})
        self._write(self._path(stream, event_id), [about, *map(_line, rows)])

    def choose(self, stream: str, event_id: str, chosen: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
        """Keep the rows of a file that `chosen` says, from their times and scores; times of those that were kept.

        Only this much of the rows is decoded: an agent is to stay small.

        Raises:
            OSError: the disk refuses.
        """
        path = self._path(stream, event_id)
        head, *lines = path.read_bytes().splitlines() or [b""]
        marks = np.array([_mark(line) for line in lines]).reshape(len(lines), 2)
        order = np.argsort(marks[:, 0], kind="stable")
        order = order[: int(np.isfinite(marks[:, 0]).sum())]  # NaN is sorted to the end
        kept = order[chosen(marks[order, 0], marks[order, 1])]
        ends = [line for line in lines if line.startswith(b"{")]
        self._write(path, [head, *(lines[at] for at in kept.tolist()), *ends[-1:]])
        return marks[kept, 0]

    def _write(self, path: Path, lines: Sequence[bytes]) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        temporary = path.with_name(f".{path.name}.new")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(b"\n".join(lines) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)

    def append(self, stream: str, event_id: str, rows: Sequence[KeptRow], end_time: float | None = None) -> None:
        """Add rows, and with `end_time` that the episode is over.

        Raises:
            OSError: the disk refuses, or there is no such file.
        """
        lines = [_line(row) for row in rows]
        if end_time is not None:
            lines.append(encode_payload({"end_time": end_time}))
        flags = os.O_WRONLY | os.O_APPEND
        with open(os.open(self._path(stream, event_id), flags), "ab", buffering=0) as file:
            # First of all an end of line: the last one may be half a line.
            file.write(b"\n" + b"\n".join(lines) + b"\n")
            if end_time is not None:
                os.fsync(file.fileno())

    def read(self, event_id: str, stream: str | None = None) -> Stretch | None:
        """An episode's rows; None where nothing is kept of it."""
        if not _ID.fullmatch(event_id):
            return None
        streams = self._streams() if stream is None else [stream]
        for name in streams:
            try:
                content = self._path(name, event_id).read_bytes()
            except OSError:
                continue
            return _stretch(name, content.splitlines())
        return None

    def ids(self) -> dict[str, list[str]]:
        """Episodes of which rows are kept, by stream, the newest last."""
        found: dict[str, list[str]] = {}
        for _, _, path in sorted(self._files()):
            found.setdefault(path.parent.name, []).append(path.name.removesuffix(_SUFFIX))
        return found

    def prune(self, open_: Collection[tuple[str, str]] = ()) -> bool:
        """Remove the oldest until there is room; whether there is. Those of open episodes stay."""
        files = sorted(self._files())
        size = sum(size for _, size, _ in files)
        count = len(files)
        for _, its_size, path in files:
            if size <= self._max_bytes and count <= self._most:
                break
            if (path.parent.name, path.name.removesuffix(_SUFFIX)) in open_:
                continue
            with contextlib.suppress(OSError):
                path.unlink()
                size, count = size - its_size, count - 1
        return size <= self._max_bytes

    def _files(self) -> Iterator[tuple[int, int, Path]]:
        """Time of the last change, size and path of each."""
        for stream in self._streams():
            with contextlib.suppress(OSError), os.scandir(self._folder / stream) as entries:
                for entry in entries:
                    if entry.name.endswith(_SUFFIX):
                        stat = entry.stat()
                        yield stat.st_mtime_ns, stat.st_size, Path(entry.path)

    def _streams(self) -> list[str]:
        try:
            return sorted(entry.name for entry in os.scandir(self._folder) if entry.is_dir())
        except OSError:
            return []

    def _path(self, stream: str, event_id: str) -> Path:
        return self._folder / stream / f"{event_id}{_SUFFIX}"


def _line(row: KeptRow) -> bytes:
    values = [None if math.isnan(value) else float(value) for value in row.values]
    made = [[float(f"{one:.5g}") if math.isfinite(one) else None for one in part] for part in row[3:]]
    score = float(f"{row.score:.5g}") if math.isfinite(row.score) else None
    return json.dumps([row.time, score, values, *made], separators=(",", ":")).encode()


def _mark(line: bytes) -> tuple[float, float]:
    """Time and score of a row's line, NaN where there is none."""
    time, _, rest = line.removeprefix(b"[").partition(b",")
    score = rest.partition(b",")[0]
    try:
        return float(time) if line.endswith(b"]]") else math.nan, math.nan if score == b"null" else float(score)
    except ValueError:
        return math.nan, math.nan


def _stretch(stream: str, lines: list[bytes]) -> Stretch | None:
    try:
        head = json.loads(lines[0])
        channels = [(str(one["name"]), str(one["unit"])) for one in head["channels"]]
        about = {
            "event_id": str(head["event_id"]),
            "kind": str(head["kind"]),
            "start_time": _finite(head["start_time"]),
        }
    except (*_UNREADABLE, IndexError):
        return None
    rows: list[KeptRow] = []
    end_time: float | None = None
    for line in filter(None, lines[1:]):
        found = _read(line, len(channels))
        if isinstance(found, KeptRow):
            rows.append(found)
        elif found is not None:
            end_time = found
    return stretch_of(stream, channels, rows, end_time=end_time, **about)


def _read(line: bytes, width: int) -> KeptRow | float | None:
    """A row, or when the episode was over; None for what a power cut left of a line."""
    try:
        body = json.loads(line)
        if isinstance(body, dict):
            return _finite(body["end_time"])
        time, score, *parts = body
        columns = [[math.nan if one is None else float(one) for one in part] for part in parts]
        if len(columns) != 3 or any(len(column) != width for column in columns):
            return None
        return KeptRow(_finite(time), math.nan if score is None else float(score), *columns)
    except _UNREADABLE:
        return None


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is no time")
    return number
