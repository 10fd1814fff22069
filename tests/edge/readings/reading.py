"""Reading a small file as the agent and as fit do, for tests."""

import math
from pathlib import Path

from edge.readings.layout import Layout
from edge.readings.opening import open_text
from edge.readings.options import FileOptions
from edge.readings.reader import ReadRow, read_rows
from edge.readings.understand import understand_file

NONE = FileOptions()


def read(path: Path, options: FileOptions = NONE) -> tuple[Layout, list[ReadRow]]:
    """The layout of a file and its rows."""
    file = open_text(path)
    layout = understand_file(file, options)
    for column in layout.channels:
        if column.error is not None:
            raise column.error
    return layout, [row for row in read_rows(layout, layout.channels, file.lines()) if isinstance(row, ReadRow)]


def read_text(folder: Path, text: str, options: FileOptions = NONE) -> tuple[Layout, list[ReadRow]]:
    """The layout and the rows of a file that holds this text."""
    file = folder / "x.csv"
    file.write_text(text)
    return read(file, options)


def column(rows: list[ReadRow], name: str) -> list[float]:
    """A channel's values, NaN where missing."""
    return [row.values.get(name, math.nan) for row in rows]
