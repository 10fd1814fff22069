"""All rows of the streams for the next training, in packed CSV files; off by default."""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.detector.rows.row import Row
from edge.history.day_files import DayFiles
from edge.wire.moments import utc_text


class Archive:
    """`STREAM/<day>T<begun>.csv.gz` below a folder: a column a channel, in the bundle's names. What was held for want
    of a reading is left empty, as training holds values by itself.
    """

    def __init__(self, folder: Path, max_bytes: int, wall: Callable[[], float] = time.time) -> None:
        """Without bytes nothing is written."""
        self._files = DayFiles(folder, max_bytes, wall, lambda stream, stamp: f"{stream}/{stamp}.csv.gz")
        self._on = max_bytes > 0
        self._waiting: dict[tuple[str, str], list[str]] = {}  # stream and header to lines

    def row(self, stream: str, channels: Sequence[tuple[str, str]], row: Row) -> int:
        """Add a row, which is written with the next `flush`; how many of the stream wait."""
        if not self._on:
            return 0
        header = ",".join(["time", *(_quoted(name) for name, _ in channels)])
        unknown = [math.isnan(value) or n in row.held for n, value in enumerate(row.values.tolist())]
        cells = ["" if none else repr(value) for none, value in zip(unknown, row.values.tolist(), strict=True)]
        lines = self._waiting.setdefault((stream, header), [])
        lines.append(",".join([utc_text(row.time), *cells]) + "\n")
        return len(lines)

    @property
    def waits(self) -> bool:
        """Whether there is something to write."""
        return bool(self._waiting)

    def flush(self) -> None:
        """Write what waits.

        Raises:
            OSError: the disk refuses; what waited is lost.
        """
        waiting, self._waiting = self._waiting, {}
        for (stream, header), lines in waiting.items():
            self._files.write(stream, header, "".join(lines))
        self._files.flush()

    def close(self) -> None:
        """Complete all files.

        Raises:
            OSError: the disk refuses.
        """
        self._files.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
