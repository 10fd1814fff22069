"""Readings written as lines of a text file: CSV with a header, or one JSON object a line."""

import json
from collections.abc import Callable, Iterator
from typing import Literal, TextIO
from zoneinfo import ZoneInfo

from edge.sources.csv_lines import CsvParser, Line
from edge.sources.intake import in_seconds
from edge.wire.readings import FrameError, decode_readings
from edge.wire.topics import valid_id

MAX_LINE_CHARS = 65536
"""A longer line is no line of readings; it bounds what a reader must keep."""


def read_lines(
    file: TextIO,
    format: Literal["auto", "csv", "json"] = "auto",
    time_column: str | None = None,
    zone: str = "UTC",
    unit_s: float = 1.0,
) -> Iterator[Line | FrameError]:
    """Board and readings of each line; a line that cannot be read gives its error instead.

    `zone` is that of written times without one, `unit_s` the unit of times that are numbers.

    Raises:
        FrameError: a CSV has no usable header.
    """
    lines = _bounded(file)
    first = next((line for line in lines if isinstance(line, FrameError) or line.strip()), None)
    if first is None:
        return
    if isinstance(first, FrameError):
        raise first
    if format == "json" or (format == "auto" and first.lstrip("\ufeff ").startswith("{")):
        parse = _json_parser(unit_s)
        yield _attempt(parse, first.lstrip("\ufeff"))
    else:
        parse = CsvParser(first, ZoneInfo(zone), time_column, unit_s).parse
    for line in lines:
        if isinstance(line, FrameError):
            yield line
        elif line.strip():
            yield _attempt(parse, line)


def _json_parser(unit_s: float) -> Callable[[str], Line]:
    def parse(line: str) -> Line:
        readings = decode_readings(line)
        board = json.loads(line).get("board") if '"board"' in line else None
        if board is not None and not (isinstance(board, str) and valid_id(board)):
            raise FrameError(f"board {str(board)[:40]!r}: ids have letters, digits, _ and - only")
        return board, in_seconds(readings, unit_s)

    return parse


def _attempt(parse: Callable[[str], Line], line: str) -> Line | FrameError:
    try:
        return parse(line)
    except FrameError as error:
        return error


def _bounded(file: TextIO) -> Iterator[str | FrameError]:
    """Lines of a file; one that is too long is skipped to its end and gives an error."""
    while line := file.readline(MAX_LINE_CHARS):
        if line.endswith("\n") or len(line) < MAX_LINE_CHARS:
            yield line
            continue
        while (rest := file.readline(MAX_LINE_CHARS)) and not rest.endswith("\n"):
            pass
        yield FrameError(f"a line longer than {MAX_LINE_CHARS} characters: {line[:40]!r}…")
