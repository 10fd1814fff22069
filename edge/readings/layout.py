"""What was understood of a file: where its readings are, what each column means, and how its cells are read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from edge.readings.cells import BLANKS, WIDE_BLANKS, Cut, cutter, find_separator, paired_from
from edge.readings.clock import TimePlan
from edge.readings.head import Head, Row, find_head
from edge.readings.jsonrows import JsonColumns, flat_object, is_json
from edge.readings.labels import holds_labels, names_labels
from edge.readings.long import LongPlan
from edge.readings.numbers import ColumnEvidence, NumberStyle
from edge.readings.options import FileError, FileOptions
from edge.readings.words import part_of, unit_in

Line = tuple[int, str]
Lines = Callable[[], Iterator[Line | FileError]]
"""The lines of a file from its beginning, each time that it is called."""
SHORT, LONG = 1, 2
"""Rows with fewer cells than the header has names, and with more."""
SAMPLE_LINES = 1000
"""Lines on which separator, header and time column are judged; of standard input, everything is."""


@dataclass(frozen=True)
class Column:
    """A column of a file, or a channel of a long one."""

    name: str
    """In the file."""
    channel: str
    """What the channel is called, if it is one: `--rename` is done."""
    meaning: str
    """time, channel, label, board, seq, id, value, quality, unit, row number, part of the time, another time, text or
    empty."""
    unit: str
    evidence: ColumnEvidence
    style: NumberStyle | None
    """How its cells are numbers; None where they are not."""
    error: FileError | None = None
    """Why they cannot be read as such, for who uses them."""


@dataclass(frozen=True)
class Shape:
    """How lines become rows of cells."""

    where: str
    """The file, for messages."""
    separator: str
    head: Head
    json: bool
    skip: int
    alone: int | None = None
    """Where decimal commas stand unquoted between commas: cells at the front that are none; the others are pairs."""

    def rows(self, lines: Iterator[Line | FileError]) -> "Iterator[tuple[int, list[str], int] | FileError]":
        """Line, cells, and 0, or SHORT or LONG where there were too few or too many, for each row of readings."""
        if self.json:
            yield from self._json_rows(lines)
            return
        cut, width = cutter(self.separator, self.alone), self.head.width
        first, above = self.head.first, self.head.above
        for one in lines:
            if isinstance(one, FileError):
                yield one
                continue
            number, text = one
            if number < first or not text.strip() or text[0] == "#":
                continue
            cells = cut(text)
            if len(cells) == width and not (above and tuple(cells) in above):
                if any(cells):
                    yield number, cells, 0
            elif tuple(cells) not in above and any(cells):
                yield number, *_fitted(cells, width, self.separator in (BLANKS, WIDE_BLANKS))

    def _json_rows(self, lines: Iterator[Line | FileError]) -> "Iterator[tuple[int, list[str], int] | FileError]":
        columns = JsonColumns()
        columns.places = {name: place for place, name in enumerate(self.head.names)}
        for one in lines:
            if isinstance(one, FileError):
                yield one
                continue
            try:
                found = flat_object(one[1]) if one[1].strip() else None
            except FileError as error:
                yield FileError(f"line {one[0]}: {error}")
                continue
            if found:
                yield one[0], columns.cells(found, grow=False), 0


def _fitted(cells: list[str], width: int, blanks: bool) -> tuple[list[str], int]:
    """Cells filled up to a width; where there are more, nobody knows which is whose, and only the first stays.

    So it is of fewer where `blanks` part them, since an empty cell is a blank, too.
    """
    if len(cells) < width and blanks:
        return [*cells[:1], *[""] * (width - 1)], SHORT
    if len(cells) < width:
        return cells + [""] * (width - len(cells)), SHORT
    if not any(cells[width:]):
        return cells[:width], 0
    return [*cells[:1], *[""] * (width - 1)], LONG


def find_shape(lines: Lines, options: FileOptions, where: str, whole: bool) -> tuple[Shape, list[Row], list[str]]:
    """How the lines become rows, the rows of a sample, and notes.

    `whole` says that the lines are all there are, so that JSON may be searched for columns to its end.

    Raises:
        FileError: there are no rows, or the header does not fit them.
    """
    sample, notes = _sample(lines, options.skip_lines, where)
    if not sample:
        raise FileError(f"{where}: no usable rows: found 0 lines, wanted a header and readings")
    if is_json(sample[0][1]):
        names = _json_names(lines() if whole else iter(sample))
        if not names:
            raise FileError(f"{where}: no usable rows: found no JSON object")
        units = tuple(unit_in(name) for name in names)
        shape = Shape(where, "JSON", Head(names, units, sample[0][0], frozenset(), True), True, options.skip_lines)
    else:
        separator, cut, alone = _separator(sample, options.decimal, where)
        head = find_head(sample, cut, options.header_row, where)
        notes += head.notes
        shape = Shape(where, separator, head, False, options.skip_lines, alone)
    rows = [(one[0], one[1]) for one in shape.rows(iter(sample)) if not isinstance(one, FileError)]
    wide = [one for one in shape.rows(iter(sample)) if not isinstance(one, FileError) and one[2] == LONG]
    if len(wide) > 0.2 * len(rows) + 2:
        line = wide[0][0]
        text = next(text for number, text in sample if number == line)
        raise FileError(
            f"{where}: {len(wide)} of the first {len(rows)} rows have more cells than the {shape.head.width} "
            f"names of the header; line {line}: {text[:60]!r}; quote cells that hold "
            f"{separator!r}, or write a header that fits"
        )
    return shape, rows, notes


def _sample(lines: Lines, skip: int, where: str) -> tuple[list[Line], list[str]]:
    found: list[Line] = []
    for one in islice(lines(), SAMPLE_LINES + skip):
        if isinstance(one, FileError):
            if not found:
                raise FileError(f"{where}: {one}")
            continue
        if one[0] > skip and (one[1].strip() or found):
            found.append(one)
    return found, []


def _separator(sample: list[Line], decimal: str | None, where: str) -> tuple[str, Cut, int | None]:
    """The separator, as a first line `sep=;` gives it or as it is found, and what `alone` is of a `Shape`.

    Raises:
        FileError: decimal commas stand between commas, and nobody said so.
    """
    first = sample[0][1].strip().strip('"').lower()
    if first.startswith("sep=") and len(first) >= 4:
        given = sample[0][1].strip().strip('"')[4:5] or "\t"
        sample.pop(0)
        return given, cutter(given), None
    separator = find_separator([text for _, text in sample if text.strip() and not text.startswith("#")] or [""])
    alone = paired_from(sample, cutter(separator)) if separator == "," else None
    if alone is not None and decimal != ",":
        line, text = sample[-1]
        raise FileError(
            f"{where}: line {line}, {text[:60]!r}, has two cells for each name but the first {alone}: commas that are "
            "decimal in a file that commas separate? --decimal , joins them"
        )
    return separator, cutter(separator, alone), alone


def _json_names(lines: Iterator[Line | FileError]) -> tuple[str, ...]:
    columns = JsonColumns()
    for one in lines:
        if isinstance(one, FileError) or not one[1].strip():
            continue
        try:
            found = flat_object(one[1])
        except FileError:
            continue
        if found:
            columns.cells(found, grow=True)
    return tuple(columns.places)


@dataclass(frozen=True)
class Layout:
    """A file as it was understood."""

    shape: Shape
    time: TimePlan
    time_names: str
    """The time's columns for the user."""
    long: LongPlan | None
    columns: tuple[Column, ...]
    """Of the file, in its order; behind them the channels of a long one."""
    notes: tuple[str, ...]
    """What a user should know, a line each."""
    in_order: bool
    """Whether rows come by time; else they are put in order before they are handed on."""
    rows: int
    """Rows that were judged."""
    packing: str = ""
    encoding: str = ""

    def column(self, name: str) -> Column | None:
        """The column, or the long file's channel, of that name, or the one that was renamed so."""
        named = [one for one in self.columns if one.channel == name] or [
            one for one in self.columns if one.name == name
        ]
        return named[0] if named else None

    @property
    def numeric(self) -> tuple[Column, ...]:
        """All columns that can be channels, also those that hardly are meant to be."""
        return tuple(one for one in self.columns if one.style is not None and one.meaning in MAY_BE_CHANNELS)

    @property
    def channels(self) -> tuple[Column, ...]:
        """Those that are."""
        return tuple(one for one in self.columns if one.meaning == "channel")


MAY_BE_CHANNELS = ("channel", "label", "part of the time", "row number")
_ROW_NAMES = frozenset(("#", "no", "no.", "nr", "nr.", "id", "index", "idx", "record", "rec", "row", "line", "sample",
                        "entry_id", "unnamed: 0", "lfd", "lfd. nr.", "num", "number", "recordno"))  # fmt: skip
_FLUX = ("result", "table")
"""Columns that InfluxDB adds."""


def named(name: str) -> bool:
    """Whether a column has a name of its own."""
    return not name.startswith("column ")


def meaning_of(
    place: int, name: str, evidence: ColumnEvidence, kind: str, layout: tuple[Sequence[int], LongPlan | None, bool]
) -> str:
    """What a column is for; `layout` is the time's places, the plan of a long file, and whether InfluxDB wrote it."""
    time, long, flux = layout
    if place in time:
        return "time"
    if long is not None:
        roles: Mapping[int | None, str] = {
            **dict.fromkeys(long.ids, "id"),
            **dict.fromkeys(long.values, "value"),
            long.quality: "quality",
            long.unit: "unit",
        }
        return roles.get(place, "text")
    if name in ("board", "seq"):
        return name
    if kind in ("datetime", "date", "clock"):
        return "another time"
    return _by_content(name, evidence, time, flux)


def _by_content(name: str, evidence: ColumnEvidence, time: Sequence[int], flux: bool) -> str:
    if evidence.rows == evidence.missing:
        return "empty"
    if names_labels(name) and holds_labels(_different(evidence), evidence.words):
        return "label"
    if part_of(name) and _whole_small(evidence) and time:
        return "part of the time"
    if (
        evidence.counts_rows
        and evidence.numbers == evidence.rows > 1
        and (name.lower() in _ROW_NAMES or not named(name))
    ):
        return "row number"
    if name in _FLUX and evidence.whole is not None and len(evidence.whole) < 2 and flux:
        return "text"
    if evidence.numbers and evidence.numbers >= evidence.texts:
        return "channel"
    return "channel" if evidence.texts and _states(evidence) else "text"


def _states(evidence: ColumnEvidence) -> bool:
    from edge.readings.words import STATES

    return all(word.lower() in STATES for word in evidence.words)


def _different(evidence: ColumnEvidence) -> set[float]:
    """Different numbers of a column; one that no label has where there are too many to keep."""
    if not evidence.numbers:
        return set()
    return {0.5} if not evidence.whole else set(evidence.whole)


def _whole_small(evidence: ColumnEvidence) -> bool:
    return bool(evidence.whole) and all(value == int(value) and 0 <= value <= 2100 for value in evidence.whole or ())
