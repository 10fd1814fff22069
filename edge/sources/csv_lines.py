"""Lines of a CSV as readings: a header with a time column, separator , or ; — standard library only."""

import csv
import math
from datetime import datetime, tzinfo

from edge.wire.readings import FrameError, Readings
from edge.wire.topics import valid_id

TIME_COLUMNS = ("time", "timestamp", "datetime")
"""Headers taken as the time, upper or lower case."""

Line = tuple[str | None, Readings]
"""Board, where the line names one, and its readings."""


class CsvParser:
    """Parses the lines of a CSV whose header it was made with; the columns board and seq are optional.

    >>> from datetime import timezone
    >>> parser = CsvParser("time;flow;board", zone=timezone.utc)
    >>> parser.parse("1763772004;2.5;p1")
    ('p1', Readings(values={'flow': 2.5}, time=1763772004.0, seq=None, rejected=()))
    """

    def __init__(self, header: str, zone: tzinfo, time_column: str | None = None, unit_s: float = 1.0) -> None:
        header = header.removeprefix("\ufeff")
        self._separator = ";" if header.count(";") > header.count(",") else ","
        self._names = [name.strip() for name in _split(header, self._separator)]
        self._zone, self._unit_s = zone, unit_s
        self._time = self._find_time(time_column)
        lowered = [name.lower() for name in self._names]
        self._board = lowered.index("board") if "board" in lowered else None
        self._seq = lowered.index("seq") if "seq" in lowered else None

    def parse(self, line: str) -> Line:
        """Board and readings of one line; an empty field is a missing value.

        Raises:
            FrameError: too many fields, or no time.
        """
        fields = [text.strip() for text in _split(line, self._separator)]
        if len(fields) > len(self._names) or len(fields) <= self._time:
            raise FrameError(f"a line of {len(fields)} fields, the header has {len(self._names)}: {line[:60]!r}")
        board, seq = self._field(fields, self._board), self._field(fields, self._seq)
        if board and not valid_id(board):
            raise FrameError(f"board {board[:40]!r}: ids have letters, digits, _ and - only")
        time = parse_time(fields[self._time], self._zone, self._unit_s)
        number = int(seq) if seq.isdecimal() and len(seq) < 20 else None
        values, rejected = self._values(fields)
        return board or None, Readings(values, time, number, rejected)

    def _values(self, fields: list[str]) -> tuple[dict[str, float], tuple[str, ...]]:
        special = (self._time, self._board, self._seq)
        good: dict[str, float] = {}
        rejected: list[str] = []
        for position, (name, text) in enumerate(zip(self._names, fields, strict=False)):
            if not text or position in special:
                continue
            number = _number(text)
            if math.isfinite(number):
                good[name] = number
            else:
                rejected.append(name)
        return good, tuple(rejected)

    def _field(self, fields: list[str], position: int | None) -> str:
        return fields[position] if position is not None and position < len(fields) else ""

    def _find_time(self, wanted: str | None) -> int:
        lowered = [name.lower() for name in self._names]
        for name in (wanted.lower(),) if wanted else TIME_COLUMNS:
            if name in lowered:
                return lowered.index(name)
        found = ", ".join(self._names)[:200]
        raise FrameError(f"a CSV wants a header with a {wanted or ', '.join(TIME_COLUMNS)} column; found {found}")


def parse_time(text: str, zone: tzinfo, unit_s: float = 1.0) -> float:
    """Unix seconds of a number, in units of `unit_s`, or of an ISO 8601 time; `zone` where that names none.

    Raises:
        FrameError: it is neither.
    """
    number = _number(text)
    if math.isfinite(number):
        return number * unit_s
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError) as error:
        raise FrameError(f"a time wants a Unix time or ISO 8601, found {text[:40]!r}") from error


def _split(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error as error:
        raise FrameError(f"no CSV line: {error}: {line[:40]!r}") from error


def _number(text: str) -> float:
    """NaN where the text is no number; float() takes underscores, a CSV does not."""
    try:
        return float(text) if "_" not in text else math.nan
    except ValueError:
        return math.nan
