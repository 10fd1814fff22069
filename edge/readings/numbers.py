"""Cells as numbers: what marks they have, counted over a column, and the reading of one cell.

A mark is surely decimal where it does not part groups of three digits: 21,5 and 1.25. It surely parts thousands where
both marks or several of one are in a number: 12,001.5 and 1.200.000. What is neither, 1,234, is decided by the other
cells of the column, then of the file; where these say nothing the file is refused.
"""

import math
import re
from collections import Counter
from dataclasses import dataclass, field

from edge.readings.dates import names_month
from edge.readings.words import MISSING, STATES, is_unit

_BLANKS = str.maketrans({"\u2212": "-", "\u00a0": " ", "\u2009": " ", "\u202f": " ", "’": "'"})
_UNIT = r"[a-zA-Zµμ°%‰Ωω℃℉][a-zA-Zµμ°%²³/·^Ωω0-9 -]{0,11}"
_CELL = re.compile(rf"([+-]?(?:\d[\d.,' ]*\d|\d|[.,]\d+)(?:[eE][+-]?\d+)?)[.,]?\s*({_UNIT}|℃|℉)?")
_AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_ONE_MARK = re.compile(r"[+-]?\d*[.,]\d+(?:[eE][+-]?\d+)?")
_GROUPS = {
    ".": re.compile(r"[+-]?\d{1,3}(?:[,' ]\d{3})+(?:\.\d+)?"),
    ",": re.compile(r"[+-]?\d{1,3}(?:[.' ]\d{3})+(?:,\d+)?"),
}
EITHER = "either"
"""A column whose single marks are all decimal, points and commas."""
_MOST_WORDS = 64


def looks_like_number(text: str) -> bool:
    """Whether a cell is a number in any dialect, with or without a unit."""
    if _plain(text) is not None:
        return True
    found = _number_and_unit(text)
    return found is not None and _shape(found[1]) is not None


def _number_and_unit(text: str) -> re.Match[str] | None:
    """A number, and what may be its unit; the name of a month is none: `24. Jan` is a 24.1 that a spreadsheet broke."""
    found = _CELL.fullmatch(text.translate(_BLANKS))
    return None if found is None or (found[2] and names_month(found[2])) else found


def loose_number(text: str) -> float | None:
    """A number in a message, written with a point, or an on/off word as 1 or 0; None where it is neither.

    >>> loose_number("21.5"), loose_number("21.5 °C"), loose_number("ON"), loose_number("nan"), loose_number("idle")
    (21.5, 21.5, 1.0, None, None)
    """
    value = _plain(text)
    if value is not None:
        return value
    if (state := STATES.get(text.lower())) is not None:
        return state
    found = _CELL.fullmatch(text.translate(_BLANKS))
    return _plain(found[1]) if found and found[2] and is_unit(found[2]) else None


def _plain(text: str) -> float | None:
    """What float() makes of it, if it is a number that files have."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def _shape(number: str) -> str | None:
    """int; `.` or `,`, surely decimal; `.?` or `,?`, decimal or thousands; `en` or `de`, thousands for sure."""
    body = number.lstrip("+-")
    if body.isdigit():
        return "int"
    if _AMBIGUOUS.fullmatch(number):
        return f"{'.' if '.' in number else ','}?"
    if _ONE_MARK.fullmatch(number):
        return "." if "." in number else ","
    marks = {mark for mark in ",." if mark in body}
    english, german = (_GROUPS[mark].fullmatch(number) for mark in ".,")
    if english and german:
        return "int"  # grouped by blanks or apostrophes alone
    if english:
        return "en" if "," in marks else "."
    return ("de" if "." in marks else ",") if german else None


@dataclass
class ColumnEvidence:
    """What the cells of a column are, counted; bounded, whatever the file."""

    rows: int = 0
    missing: int = 0
    shapes: Counter[str] = field(default_factory=Counter)
    seen: dict[str, tuple[str, int]] = field(default_factory=dict)
    """The first cell of each shape, and its line."""
    words: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    small: int = 0
    """Whole numbers below 1,000 without a mark."""
    large: int = 0
    """The others."""
    example: str = ""
    whole: set[float] | None = field(default_factory=set)
    """Different values, while there are few."""
    counts_rows: bool = True
    """Whether each plain number is the one before plus 1, or in all rows minus 1."""
    last: float | None = None
    step: float = 0.0

    @property
    def numbers(self) -> int:
        """Cells that are numbers in some dialect."""
        return sum(self.shapes.values())

    @property
    def texts(self) -> int:
        """Cells that are neither numbers nor missing."""
        return self.rows - self.missing - self.numbers

    def add(self, text: str, line: int) -> None:
        """Take one cell."""
        self.rows += 1
        shape: str | None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if value - value == 0 and "_" not in text and text[-1] != ".":  # finite, as most cells are
            shape = self._plain_shape(text, value)
        elif text.lower() in MISSING:
            self.missing += 1
            return
        else:
            shape = self._other_shape(text)
        if not self.example:
            self.example = text
        if shape is None:
            if len(self.words) < _MOST_WORDS or text in self.words:
                self.words[text] += 1
            self.seen.setdefault("word", (text, line))
            return
        self.shapes[shape] += 1
        if shape not in self.seen:
            self.seen[shape] = (text, line)

    def _plain_shape(self, text: str, value: float) -> str:
        if self.whole is not None:
            self.whole.add(value)
            if len(self.whole) > _MOST_WORDS:
                self.whole = None
        if self.counts_rows:
            if self.last is not None:
                step = value - self.last
                self.counts_rows = step in (1.0, -1.0) and step == (self.step or step)
                self.step = step
            self.last = value
        point = text.find(".")
        if point < 0:
            self.small += abs(value) < 1000
            self.large += abs(value) >= 1000
            return "int"
        return ".?" if len(text) - point == 4 and _AMBIGUOUS.fullmatch(text) else "."

    def _other_shape(self, text: str) -> str | None:
        self.counts_rows = False
        found = _number_and_unit(text)
        shape = _shape(found[1]) if found else None
        if found is None or shape is None:
            return None
        if shape == "int":
            number = found[1].lstrip("+-")
            self.small += number.isdigit() and len(number) < 4
            self.large += number.isdigit() and len(number) >= 4
        if found[2]:
            self.units[found[2].strip()] += 1
        return shape


@dataclass(frozen=True)
class NumberStyle:
    """How a column's cells are read as numbers."""

    decimal: str = "."
    """`.`, `,` or either."""
    units: tuple[tuple[str, float], ...] = ()
    """What may stand behind the number, and the factor that goes with it; longest first."""
    states: bool = False
    """Whether the cells are on/off words, read as 1 and 0."""
    codes: frozenset[float] = frozenset()
    """Numbers that the user called missing."""

    @property
    def plain(self) -> bool:
        """Whether what float() takes is the number: nothing else is to be seen to."""
        return self.decimal == "." and not self.codes

    def read(self, text: str) -> float:
        """The number in a cell; NaN where it is missing or none."""
        value = _plain(text) if self.decimal == "." else None
        if value is None:
            value = self._marked(text)
        if value is None:
            value = STATES.get(text.lower()) if self.states else None
        if value is None:
            value = self._with_unit(text)
        return math.nan if value in self.codes else value

    def bad(self, text: str) -> bool:
        """Whether a cell whose number is NaN holds neither a word for missing nor a code for it."""
        return text.lower() not in MISSING and not (self.codes and _plain(text.replace(",", ".")) in self.codes)

    def _with_unit(self, text: str) -> float:
        for unit, factor in self.units:
            if text.endswith(unit):
                value = self._marked(text[: -len(unit)].rstrip())
                return math.nan if value is None else value * factor if factor != 1 else value
        return math.nan

    def _marked(self, text: str) -> float | None:
        text = text.translate(_BLANKS)
        if self.decimal == EITHER:
            return _plain(text.replace(",", ".")) if text.count(",") + text.count(".") < 2 else None
        other = "," if self.decimal == "." else "."
        if _GROUPS[self.decimal].fullmatch(text):
            text = text.replace(other, "").replace("'", "").replace(" ", "")
        elif self.decimal == "," and "." in text:
            return None
        return _plain(text.replace(",", ".") if self.decimal == "," else text)
