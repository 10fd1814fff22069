"""Lines cut into cells: which separator, and the cutting."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Sequence

from edge.readings.dates import looks_like_time
from edge.readings.numbers import looks_like_number
from edge.readings.words import STATES, is_missing

SEPARATORS = (",", ";", "\t", "|")
BLANKS, WIDE_BLANKS, NOTHING = "blanks", "wide blanks", "nothing"
"""Between cells: blanks of any number; two and more, or tabs; nothing, since there is one column."""
_CLEAR = 0.75
"""Part of the cells that are numbers, times or empty, with which a mark is taken before blanks are tried: a date and
its time of day have a blank between them."""
_WIDE = re.compile(r"\s{2,}|\t\s*")
_SHOWN = {"\t": "tab", BLANKS: "blanks", WIDE_BLANKS: "two blanks and more", NOTHING: "none, one column"}

Cut = Callable[[str], list[str]]


def cutter(separator: str, alone: int | None = None) -> Cut:
    """The function that cuts a line into stripped cells; a line that is no CSV comes as one cell.

    With `alone` so many cells are as they are, and the others are joined in pairs where there are too many.
    """
    if alone is not None:
        plain = cutter(separator)
        return lambda line: _joined(plain(line), alone)
    if separator == BLANKS:
        return lambda line: [cell.strip('"') for cell in line.split()]
    if separator == WIDE_BLANKS:
        return lambda line: [cell.strip('" ') for cell in _WIDE.split(line.strip())]
    if separator == NOTHING:
        return lambda line: [line.strip().strip('"')]

    def cut(line: str) -> list[str]:
        if '"' not in line:
            cells = line.split(separator)
            if " " in line or "'" in line or "\t" in line:
                return [cell.strip().strip("'") for cell in cells]
            return cells
        try:
            cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
        except csv.Error:
            return [line.strip()]
        return [cell.strip() for cell in cells]

    return cut


def _joined(cells: list[str], alone: int) -> list[str]:
    if not all(cell.lstrip("+-").isdigit() for cell in cells[alone:]) or (len(cells) - alone) % 2:
        return cells
    pairs = zip(cells[alone::2], cells[alone + 1 :: 2], strict=True)
    return [*cells[:alone], *(f"{whole},{part}" for whole, part in pairs)]


def paired_from(lines: Sequence[tuple[int, str]], cut: Cut) -> int | None:
    """How many cells stand alone before two for each name, where unquoted decimal commas make these; None elsewhere."""
    rows = [cells for cells in (cut(text) for _, text in lines) if len(cells) > 1]
    if len(rows) < 3 or any(cell.isdigit() for cell in rows[0]):
        return None
    names, tail = len(rows[0]), rows[len(rows) // 3 :]
    for alone in (1, 2, 0):
        width = alone + 2 * (names - alone)
        fits = names > alone and width > names and all(len(cells) == width for cells in tail)
        if fits and all(cell.lstrip("+-").isdigit() for cells in tail for cell in cells[alone:]):
            return alone
    return None


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
    every = (*SEPARATORS, WIDE_BLANKS, BLANKS)
    for candidates, least in ((SEPARATORS, _CLEAR), ((WIDE_BLANKS,), _CLEAR), (every, 0.0)):
        best, place = max((_score(tail, one), -place) for place, one in enumerate(candidates))
        if best[0] > least:
            return candidates[-place]
    widths = {one: [len(cutter(one)(line)) for line in lines[:50]] for one in SEPARATORS}
    several = [one for one, found in widths.items() if sum(width > 1 for width in found) > 0.8 * len(found)]
    return max(several, key=lambda one: widths[one][0], default=NOTHING)


def kind_of(cell: str) -> str:
    """n for a number, t for a time, s for an on/off state, e for none, w for other words."""
    if is_missing(cell):
        return "e"
    if looks_like_number(cell):
        return "n"
    if looks_like_time(cell):
        return "t"
    return "s" if cell.lower() in STATES else "w"


def _score(lines: Sequence[str], separator: str) -> tuple[float, float]:
    cut = cutter(separator)
    rows = [cut(line) for line in lines]
    width, count = Counter(map(len, rows)).most_common(1)[0]
    if width < 2 or count < 0.6 * len(rows):
        return 0.0, 0.0
    same = [row for row in rows if len(row) == width]
    good = sum(_worth(cell) for row in same for cell in row)
    quality = good / (width * len(same)) * count / len(rows)
    return round(quality, 1), width * quality


def _worth(cell: str) -> float:
    """How much a piece of a line looks like a cell: a number or a time 1, a word less, what has marks in it 0."""
    if is_missing(cell) or looks_like_number(cell) or looks_like_time(cell) or cell.lower() in STATES:
        return 1.0
    return 0.5 if len(cell) < 40 and not any(mark in cell for mark in SEPARATORS) else 0.0
