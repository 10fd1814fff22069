"""Readings written as lines: any CSV that `edge.readings` reads, or a JSON object a line."""

import json
import os
import select
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Literal, Protocol

from edge.readings.clock import moment_of
from edge.readings.jsonrows import flat_object, is_json
from edge.readings.layout import SAMPLE_LINES, Layout
from edge.readings.layout import Line as TextLine
from edge.readings.numbers import loose_number
from edge.readings.opening import TextFile, bounded_lines, open_text
from edge.readings.options import FileError, FileOptions
from edge.readings.reader import ReadRow, read_rows
from edge.readings.understand import understand_file, understand_lines
from edge.readings.words import time_rank
from edge.sources.intake import in_seconds
from edge.wire.readings import FrameError, Readings, decode_readings
from edge.wire.topics import valid_id

Line = tuple[str | None, Readings]
"""Board, where the line names one, and its readings."""
_MOST_SORTED = 250_000
"""Values of a file that is not in the order of its times which are kept to sort it, some 40 MB."""
_FOUND_OUT = FileOptions()
_PAUSE_S = 1.0
"""A live stream is judged on its first lines; where no more come for so long, on those that are there, seconds."""
_FEWEST_LINES = 3
Format = Literal["auto", "csv", "json"]


class Readable(Protocol):
    """What lines can be read from."""

    def readline(self, limit: int = ..., /) -> str:
        """The next line with its end, or so many characters of it; empty at the end."""
        ...


class PipeText:
    """Text from a file descriptor, which knows whether a line is waiting: sys.stdin hides that in its buffer."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._bytes = bytearray()
        self._ended = False

    def ready(self, timeout_s: float) -> bool:
        """Whether a line, or the end, has come within the time."""
        while b"\n" not in self._bytes and not self._ended:
            if not select.select([self._descriptor], [], [], timeout_s)[0]:
                return False
            self._fill()
        return True

    def readline(self, limit: int = 65536, /) -> str:
        """The next line with its end, or so many bytes of it; empty at the end."""
        while (end := self._bytes.find(b"\n")) < 0 and len(self._bytes) < limit and not self._ended:
            self._fill()
        size = min(limit, len(self._bytes) if end < 0 else end + 1)
        line = bytes(self._bytes[:size])
        del self._bytes[:size]
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            return line.decode("cp1252", errors="replace")

    def _fill(self) -> None:
        got = os.read(self._descriptor, 65536)
        self._bytes += got
        self._ended = not got


def file_layout(path: Path, options: FileOptions) -> tuple[TextFile, Layout]:
    """How a file is understood.

    Raises:
        FileError: it cannot be read, or in several ways.
    """
    file = open_text(path)
    return file, understand_file(file, options)


def read_file(
    path: Path, options: FileOptions = _FOUND_OUT, format: Format = "auto", unit_s: float = 1.0
) -> Iterator[Line | FrameError]:
    """Board and readings of each row of a file; a row that cannot be read gives its error instead.

    Raises:
        FileError: the file cannot be read, or in several ways.
    """
    file = open_text(path)
    if _own_json(file.lines(), format):
        yield from _json_lines(file.lines(), unit_s)
        return
    layout = understand_file(file, options)
    yield from _readings(layout, file.lines())


def read_lines(
    text: Readable, options: FileOptions = _FOUND_OUT, format: Format = "auto", unit_s: float = 1.0
) -> Iterator[Line | FrameError]:
    """The same of a stream, which is judged on its first 1,000 lines, or on fewer where it pauses.

    Raises:
        FileError: these can be read in several ways.
    """
    lines = bounded_lines(text.readline)
    ready: Callable[[float], bool] = getattr(text, "ready", lambda _timeout_s: True)
    first = next((one for one in lines if isinstance(one, FileError) or one[1].strip()), None)
    if first is None:
        return
    if isinstance(first, FileError):
        raise first
    if format == "json" or (format == "auto" and is_json(first[1])):
        yield from _json_lines(chain([first], lines), unit_s)
        return
    sample: list[TextLine | FileError] = [first]
    while len(sample) < SAMPLE_LINES and (len(sample) < _FEWEST_LINES or ready(_PAUSE_S)):
        if (more := next(lines, None)) is None:
            break
        sample.append(more)
    layout = understand_lines(sample, options, "standard input")
    yield from _readings(layout, chain(sample, lines))


def _readings(layout: Layout, lines: Iterator[TextLine | FileError]) -> Iterator[Line | FrameError]:
    usable = tuple(one for one in layout.numeric if one.error is None)
    unclear = next((one.error for one in layout.columns if one.error is not None), None)
    if unclear is not None:
        raise unclear
    for row in read_rows(layout, usable, lines, most_sorted=_MOST_SORTED):
        if isinstance(row, FileError):
            yield FrameError(str(row))
        else:
            yield from _line(row)


def _line(row: ReadRow) -> Iterator[Line | FrameError]:
    if row.time != row.time:
        yield FrameError(f"line {row.line}: {row.time_text[:40]!r} is not understood as a time")
        return
    if row.board and not valid_id(row.board):
        yield FrameError(f"line {row.line}: board {row.board[:40]!r}: ids have letters, digits, _ and - only")
        return
    if row.contradicts:
        name, cell = row.contradicts
        yield FrameError(
            f"line {row.line}: {cell[:40]!r} in {name} is written otherwise than the lines before; say how with decimal"
        )
    seq = int(row.seq) if row.seq.isdecimal() and len(row.seq) < 20 else None
    yield row.board or None, Readings(row.values, row.time, seq, tuple(row.rejected))


def _own_json(lines: Iterator[TextLine | FileError], format: Format) -> bool:
    """Whether a file holds JSON objects without a time that a table could be made of: those of the own form."""
    first = next((one[1] for one in lines if not isinstance(one, FileError) and one[1].strip()), "")
    if format == "csv" or not is_json(first):
        return format == "json"
    try:
        found = json.loads(first.strip().lstrip("\ufeff"))
    except ValueError:
        return False
    return isinstance(found, dict) and isinstance(found.get("values"), dict) and "time" not in found


def _json_lines(lines: Iterator[TextLine | FileError], unit_s: float) -> Iterator[Line | FrameError]:
    """Each line by itself: objects of the own form, or of any other with numbers and, perhaps, a time in them."""
    for one in lines:
        if isinstance(one, FileError):
            yield FrameError(str(one))
        elif one[1].strip():
            try:
                found = _json_line(one[1].strip(), unit_s)
            except FrameError as error:
                yield error
            else:
                if found is not None:
                    yield found


def _json_line(text: str, unit_s: float) -> Line | None:
    if '"values"' in text:
        readings = decode_readings(text)
        board = json.loads(text).get("board") if '"board"' in text and "nan" not in text else None
        return _board(board), in_seconds(readings, unit_s)
    try:
        found = flat_object(text)
    except FileError as error:
        raise FrameError(str(error)) from error
    if found is None:
        return None
    board = found.pop("board", None)
    seq = found.pop("seq", "")
    times = sorted((name for name in found if time_rank(name) is not None), key=lambda name: time_rank(name) or 0)
    time = moment_of(found.pop(times[0]), unit_s) if times else None
    numbers = {name: loose_number(cell) for name, cell in found.items()}
    good = {name: value for name, value in numbers.items() if value is not None}
    bad = tuple(name for name, value in numbers.items() if value is None and found[name])
    return _board(board), Readings(good, time, int(seq) if seq.isdecimal() and len(seq) < 20 else None, bad)


def _board(board: Any) -> str | None:
    if board is not None and not (isinstance(board, str) and valid_id(board)):
        raise FrameError(f"board {str(board)[:40]!r}: ids have letters, digits, _ and - only")
    return board
