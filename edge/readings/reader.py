"""Rows of readings of a file or a stream whose layout is known."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from edge.readings.clock import Clock
from edge.readings.layout import Column, Layout, Line
from edge.readings.numbers import looks_like_number
from edge.readings.options import FileError


@dataclass(slots=True)
class ReadRow:
    """One row: a line of the file, or the lines of a long one that share a time."""

    line: int
    time_text: str
    time: float
    """Unix seconds; NaN where the cells are no time."""
    values: dict[str, float] = field(default_factory=dict)
    """Channel to finite number; what is missing is not in it."""
    rejected: list[str] = field(default_factory=list)
    """Channels whose cells hold something that is no number."""
    odd: bool = False
    """Whether the line has more or fewer cells than the header."""
    contradicts: tuple[str, str] | None = None
    """Channel and cell of a number that is written otherwise than its column is."""
    label: str = ""
    board: str = ""
    seq: str = ""


def read_rows(
    layout: Layout,
    columns: tuple[Column, ...],
    lines: Iterator[Line | FileError],
    label: str | None = None,
    most_sorted: int | None = None,
) -> "Iterator[ReadRow | FileError]":
    """The rows with these of the layout's columns, and the cell of a `label` column; a line that cannot be read gives
    its error instead.

    Where the file is not in the order of its times the rows are kept and sorted: `most_sorted` values at most.

    Raises:
        FileError: more of them.
    """
    if layout.long is None:
        rows = _wide_rows(layout, columns, lines, label)
    else:
        rows = _long_rows(layout, columns, lines)
        if layout.in_order:
            rows = _merged(rows)
    if layout.in_order:
        yield from rows
        return
    kept, values = [], 0
    for one in rows:
        if isinstance(one, FileError):
            yield one
            continue
        kept.append(one)
        values += len(one.values)
        if most_sorted is not None and values > most_sorted:
            raise FileError(
                f"{layout.shape.where}: its rows are not in the order of their times, too many to sort here; sort it"
            )
    kept.sort(key=lambda row: row.time)  # stable; NaN compare false and stay about where they are
    yield from _merged(iter(kept)) if layout.long is not None else kept


def _wide_rows(
    layout: Layout, columns: tuple[Column, ...], lines: Iterator[Line | FileError], label_name: str | None
) -> "Iterator[ReadRow | FileError]":
    clock, plan = Clock(layout.time), layout.time
    names = layout.shape.head.names
    places = {name: place for place, name in enumerate(names)}
    wanted = [(places[one.name], one.channel, one.style, one.style.plain) for one in columns if one.style is not None]
    label = None if label_name is None else places[label_name]
    board, seq = (places.get(name) for name in ("board", "seq"))
    for row in layout.shape.rows(lines):
        if isinstance(row, FileError):
            yield row
            continue
        line, cells, odd = row
        one = ReadRow(line, plan.text(cells) if plan.columns else str(line), clock.seconds(cells), odd=odd > 0)
        for place, name, style, plain in wanted:
            text = cells[place]
            if not text:
                continue
            try:
                value = float(text) if plain else math.nan
            except ValueError:
                value = math.nan
            if value - value != 0 or "_" in text:  # not finite
                value = style.read(text)
            if value == value:
                one.values[name] = value
            elif style.bad(text):
                one.rejected.append(name)
                if one.contradicts is None and looks_like_number(text):
                    one.contradicts = (name, text)
        one.label = "" if label is None else cells[label]
        one.board = "" if board is None else cells[board]
        one.seq = "" if seq is None else cells[seq]
        yield one


def _long_rows(
    layout: Layout, columns: tuple[Column, ...], lines: Iterator[Line | FileError]
) -> "Iterator[ReadRow | FileError]":
    clock, plan, long = Clock(layout.time), layout.time, layout.long
    assert long is not None
    names = layout.shape.head.names
    wanted = {one.name: one for one in columns if one.style is not None}
    for row in layout.shape.rows(lines):
        if isinstance(row, FileError):
            yield row
            continue
        line, cells, odd = row
        one = ReadRow(line, plan.text(cells), clock.seconds(cells), odd=odd > 0)
        good = long.good(cells)
        for place in long.values:
            column = wanted.get(long.name(cells, place, names))
            text = cells[place]
            if column is None or column.style is None or not text or not good:
                continue
            value = column.style.read(text)
            if value == value:
                one.values[column.channel] = value
            elif column.style.bad(text):
                one.rejected.append(column.channel)
        yield one


def _merged(rows: "Iterator[ReadRow | FileError]") -> "Iterator[ReadRow | FileError]":
    """Rows of the same time that follow each other, as one."""
    last: ReadRow | None = None
    for one in rows:
        if isinstance(one, FileError):
            yield one
        elif last is not None and one.time == last.time and not (one.values.keys() & last.values.keys()):
            last.values.update(one.values)
            last.rejected += one.rejected
            last.odd |= one.odd
        else:
            if last is not None:
                yield last
            last = one
    if last is not None:
        yield last
