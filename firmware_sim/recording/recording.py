"""The rows of a file as messages of a board, through the one reader of files."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.readings.layout import Column, Layout
from edge.readings.opening import TextFile, open_text
from edge.readings.options import FileError, FileOptions
from edge.readings.reader import ReadRow, read_rows
from edge.readings.understand import understand_file
from edge.wire.readings import Readings
from edge.wire.topics import valid_id
from firmware_sim.board.fleet import Message


@dataclass(frozen=True)
class Recording:
    """A file that was understood."""

    file: TextFile
    layout: Layout
    columns: tuple[Column, ...]
    """The channels: labels and row numbers are none."""
    board: str
    """What rows are sent as that name no board."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the channels."""
        return tuple(one.channel for one in self.columns)

    @property
    def boards(self) -> tuple[str, ...]:
        """All boards that it is about."""
        column = self.layout.column("board")
        if column is None or column.meaning != "board":
            return (self.board,)
        named = [name for name in column.evidence.words if valid_id(name)]
        return tuple(dict.fromkeys([*named, *([self.board] if column.evidence.missing else [])])) or (self.board,)

    def rows(self) -> Iterator[ReadRow]:
        """Rows with a time and a value, by time; a line that cannot be read is passed over."""
        for row in read_rows(self.layout, self.columns, self.file.lines()):
            if isinstance(row, ReadRow) and math.isfinite(row.time) and row.values:
                yield row


@dataclass
class Playback:
    """What was played: how often, and what was passed over."""

    recording: Recording
    start: float | None
    """Unix seconds of the first row; None leaves the times as they are."""
    loop: bool = False
    late: int = 0
    """Rows dated before one that went before, which go out at once."""
    span_s: float = 0.0
    """How long the recording is, seconds, as far as it was played."""

    def messages(self) -> Iterator[tuple[Message, str]]:
        """Every row as a message of its board, in the order of the file; over and over with `loop`."""
        passed_s = 0.0
        seq = 0
        boards = {name: number for number, name in enumerate(self.recording.boards, 1)}
        while True:
            first: float | None = None
            latest = step_s = 0.0
            for row in self.recording.rows():
                first = row.time if first is None else first
                since_s = row.time - first
                if since_s > latest:
                    step_s, latest = since_s - latest, since_s
                self.late += since_s < latest
                moment = passed_s + latest
                time = passed_s + since_s + (first if self.start is None else self.start)
                board = row.board if row.board in boards else self.recording.board
                number = boards.setdefault(board, len(boards) + 1)
                yield Message(moment, number, Readings(dict(row.values), round(time, 6), seq)), board
                seq += 1
                self.span_s = moment
            if not self.loop or step_s == 0.0:
                return
            passed_s += latest + step_s


def open_recording(path: Path, options: FileOptions, board: str) -> Recording:
    """Understand a file; it is read to its end twice, in bounded memory.

    Raises:
        FileError: it cannot be read, can be read in several ways, or holds no channel.
        ValueError: no topic can carry the board's name.
    """
    if not valid_id(board):
        raise ValueError(f"--board {board!r} cannot be part of a topic; use letters, digits, _ and -")
    file = open_text(path)
    layout = understand_file(file, options)
    columns = layout.channels
    unclear = next((one.error for one in layout.columns if one.error is not None), None)
    if unclear is not None:
        raise unclear
    if not columns:
        raise FileError(f"{path}: no column of it is a channel; it has {', '.join(one.name for one in layout.columns)}")
    return Recording(file, layout, columns, board)
