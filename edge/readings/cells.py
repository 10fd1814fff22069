"""Lines cut into cells: which separator, and the cutting."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Sequence

from edge.readings.dates import looks_like_time
from edge.readings.numbers import looks_like_number
from edge.readings.words import is_missing

SEPARATORS = (",", ";", "\t", "|")
BLANKS, WIDE_BLANKS, NOTHING = "blanks", "wide blanks", "nothing"
"""Between cells: blanks of any number; two and more, or tabs; nothing, since there is one column."""
_WIDE = re.compile(r"\s{2,}|\t\s*")
_SHOWN = {"\t": "tab", BLANKS: "blanks", WIDE_BLANKS: "two blanks and more", NOTHING: "none, one column"}

Cut = Callable[[str], list[str]]


def cutter(separator: str) -> Cut:
    """The function that cuts a line into stripped cells; a line that is no CSV comes as one cell."""
    if separator == BLANKS:
        return lambda line: [cell.strip('"') for cell in line.split()]
    if separator == WIDE_BLANKS:
        return lambda line: [cell.strip('" ') for cell in _WIDE.split(line.strip())]
    if separator == NOTHING:
        return lambda line: [line.strip().strip('"')]

    def cut(line: str) -> list[str]:
        if '"' not in line:
            return [cell.strip().strip("'") for cell in line.rstrip("\r\n").split(separator)]
        try:
            cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
        except csv.Error:
            return [line.strip()]
        return [cell.strip() for cell in cells]

    return cut


def shown(separator: str) -> str:
    """A separator for the user.

    >>> shown(";"), shown("\\t")
    (';', 'tab')
    """
    return _SHOWN.get(separator, separator)


def find_separator(lines: Sequence[str]) -> str:
    """The separator that cuts most lines alike, into the most cells that are numbers, times or empty.

    >>> find_separator(["time;a", "10:00;1,5", "10:01;2,5"])
    ';'
    """
    tail = list(lines[len(lines) // 3 :])[:200]
    scored = [(_score(tail, separator), -place, separator) for place, separator in enumerate(_candidates())]
    best, _, separator = max(scored)
    if best[0] > 0:
        return separator
    widths = {one: [len(cutter(one)(line)) for line in lines[:50]] for one in SEPARATORS}
    several = [one for one, found in widths.items() if sum(width > 1 for width in found) > 0.8 * len(found)]
    return max(several, key=lambda one: widths[one][0], default=NOTHING)


def _candidates() -> tuple[str, ...]:
    return (*SEPARATORS, WIDE_BLANKS, BLANKS)


def _score(lines: Sequence[str], separator: str) -> tuple[float, float]:
    cut = cutter(separator)
    rows = [cut(line) for line in lines]
    width, count = Counter(map(len, rows)).most_common(1)[0]
    if width < 2 or count < 0.6 * len(rows):
        return 0.0, 0.0
    same = [row for row in rows if len(row) == width]
    good = sum(1.0 if _typed(cell) else 0.3 * (len(cell) < 24 and " " not in cell) for row in same for cell in row)
    quality = good / (width * len(same)) * count / len(rows)
    return round(quality, 1), width * quality


def _typed(cell: str) -> bool:
    return is_missing(cell) or looks_like_number(cell) or looks_like_time(cell)
