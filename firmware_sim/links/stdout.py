"""Stdout: one JSON object a line, as the agent reads it on stdin."""

from typing import TextIO

from edge.wire.readings import Readings, encode_readings


class StdoutLink:
    """Writes readings to `out`; with several boards each object names its own under `board`."""

    def __init__(self, out: TextIO, name_boards: bool):
        self.out = out
        self.name_boards = name_boards
        self.lost = 0

    def open(self) -> None:
        """Nothing to open."""

    def send(self, board: str, readings: Readings) -> None:
        """Write one line and flush it."""
        line = encode_readings(readings).decode()
        if self.name_boards:
            line = f'{{"board":"{board}",{line[1:]}'
        self.out.write(line + "\n")
        self.out.flush()

    def close(self) -> None:
        """The stream belongs to the caller."""
