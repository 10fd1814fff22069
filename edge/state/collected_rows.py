"""The rows that a stream has collected for its commissioning, on disk: appended, so that each is written once."""

import json
import logging
import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge.detector.bundle.files import read_file, write_atomically
from edge.detector.rows.row import Row
from edge.wire.checksum import line_checksum

log = logging.getLogger(__name__)


class CollectedRows:
    """One file below a folder: a JSON array a line, [time, restart, held, values, checksum], null where missing.

    The checksum is that of the line without it; lines of older versions have none. The file of an older version is
    read where there is no other, and left as it is.
    """

    def __init__(self, path: Path, older: Path | None = None) -> None:
        self._path, self._older = path, older
        self._written: tuple[float, int] | None = None  # time of the first row in the file, and how many there are

    def save(self, rows: Sequence[Row]) -> None:
        """Bring the file up to these rows; without any it goes.

        Raises:
            OSError: the disk refuses.
        """
        if not rows:
            self._path.unlink(missing_ok=True)
            self._written = None
            return
        first, count = self._written or (math.nan, 0)
        if first != rows[0].time or count > len(rows):
            count = 0
        if count < len(rows):
            self._written = None  # should the disk refuse, half a line may be there
            self._write(b"".join(_line(row) for row in rows[count:]), anew=count == 0)
        self._written = rows[0].time, len(rows)

    def load(self, channels: int) -> list[Row]:
        """The rows saved last, as far as they can be read: a line cut off by a power cut is the last one."""
        place = self._path if self._older is None or self._path.exists() else self._older
        try:
            lines = read_file(place).splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            log.warning("%s: rows collected before the restart are lost: %s", place, error)
            return []
        rows: list[Row] = []
        for line in lines:
            row = _row(line, channels)
            if row is None:
                log.warning("%s: %d of %d lines are readable", place, len(rows), len(lines))
                break
            rows.append(row)
        else:  # all of them: go on behind the last one
            self._written = (rows[0].time, len(rows)) if rows and place == self._path else None
        return rows

    def _write(self, lines: bytes, anew: bool) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if anew:
            write_atomically(self._path, lines)
            return
        with self._path.open("ab") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())


def _line(row: Row) -> bytes:
    values = [None if math.isnan(value) else value for value in row.values.tolist()]
    line = json.dumps([row.time, row.restart, row.held, values], separators=(",", ":")).encode()
    return b"%s,%d]\n" % (line[:-1], line_checksum(line))


def _row(line: bytes, channels: int) -> Row | None:
    try:
        time, restart, held, values, *checksum = json.loads(line)
        if checksum and line_checksum(line[: line.rindex(b",")] + b"]") != checksum[0]:
            return None
        numbers = np.array([math.nan if value is None else value for value in values], np.float64)
        row = Row(float(time), numbers, bool(restart), tuple(int(position) for position in held))
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    return row if row.values.shape == (channels,) and math.isfinite(row.time) else None
