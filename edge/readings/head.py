"""Where a file's readings begin, and what stands above them: names, units, and lines of a logger's own."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from edge.readings.cells import Cut, kind_of
from edge.readings.dates import looks_like_time, read_stamp
from edge.readings.numbers import looks_like_number
from edge.readings.options import FileError
from edge.readings.words import TIME_NAMES, is_under_names, is_unit, time_rank, unique_names, unit_in

Row = tuple[int, list[str]]
"""A line's number, from 1, and its cells."""
_RULE = re.compile(r"[-=+|_ ]*")
_COMMENT_MARKS = ("%", "//", "!", ";", "*")
_SERIAL = re.compile(r"\s*\((?:LGR|SEN) S/N:.*\)$")


@dataclass(frozen=True)
class Head:
    """Names and units of a file's columns, and where its readings begin."""

    names: tuple[str, ...]
    """Unique and not empty."""
    units: tuple[str, ...]
    """Empty where none is given."""
    first: int
    """The line of the first reading."""
    above: frozenset[tuple[str, ...]]
    """Rows of names and units, which may come again further down."""
    named: bool
    """Whether there is a line of names."""
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Cells in a row."""
        return len(self.names)


def find_head(lines: Sequence[tuple[int, str]], cut: Cut, header_row: int | None, where: str) -> Head:
    """What stands above the readings.

    Raises:
        FileError: there are none, or it cannot be told which name is whose.
    """
    rows = [(number, cut(text)) for number, text in lines if text.strip() and not text.startswith("#")]
    if not rows:
        raise FileError(f"{where}: no usable rows: found {len(lines)} lines, wanted a header and readings")
    if header_row:
        return _named_head(lines, cut, header_row, where)
    width, kinds = _kinds(rows[len(rows) // 3 :])
    start = _first_reading(rows, width, kinds)
    if header_row == 0:
        return _nameless(rows[0 if start is None else start][0], width)
    if start is None:
        start = 1 if len(rows) > 1 else 0
        if start == 0:
            raise FileError(f"{where}: no usable rows: found {len(rows)} lines, wanted a header and readings")
    start = _back_to_first(rows, start, width, kinds)
    above = rows[:start]
    found = _names_above(above, width)
    if found is None and (comment := _comment_names(lines, cut, rows[start][0], width)):
        return _made(comment, [""] * width, rows[start:], width, [comment], where)
    if found is None:
        if start and len(above[-1][1]) > 1 and len(above[-1][1]) < width - 1:
            raise _shifted(where, above[-1], rows[start])
        return _nameless(rows[start][0], width)
    names, units, used = found
    return _made(names, units, rows[start:], width, used, where)


def _named_head(lines: Sequence[tuple[int, str]], cut: Cut, header_row: int, where: str) -> Head:
    names = next((cut(text.lstrip("#")) for number, text in lines if number == header_row), None)
    if names is None:
        raise FileError(f"{where}: --header-row {header_row}: there is no such line among the first {len(lines)}")
    rows = [(number, cut(text)) for number, text in lines if number > header_row and text.strip()]
    units, used = [""] * len(names), [names]
    while rows and sum(map(is_under_names, rows[0][1])) >= 0.5 * sum(map(bool, rows[0][1])) > 0:
        if any(map(is_unit, rows[0][1])):
            units = rows[0][1]
        used.append(rows.pop(0)[1])
    if not rows:
        raise FileError(f"{where}: --header-row {header_row}: no readings below it")
    width = Counter(len(cells) for _, cells in rows).most_common(1)[0][0]
    return _made(names, units, rows, width, used, where)


def _kinds(rows: Sequence[Row]) -> tuple[int, list[str]]:
    """The usual width of rows, and what each column mostly holds."""
    width = Counter(len(cells) for _, cells in rows).most_common(1)[0][0]
    same = [cells for _, cells in rows if len(cells) == width][:300]
    kinds = []
    for column in zip(*same, strict=True):
        counts = Counter(map(kind_of, column))
        empty = counts.pop("e", 0)
        kind, count = counts.most_common(1)[0] if counts else ("e", 0)
        kinds.append(kind if count >= 0.6 * (len(same) - empty) else "w")
    return width, kinds


def _first_reading(rows: Sequence[Row], width: int, kinds: Sequence[str]) -> int | None:
    """Place of the first row that is one of readings."""
    typed = [place for place, kind in enumerate(kinds) if kind in "nts"]
    if not typed:
        return None

    def reads(cells: Sequence[str]) -> bool:
        if len(cells) < 0.7 * width:
            return False
        found = [(kinds[place], kind_of(cells[place])) for place in typed if place < len(cells)]
        known = [(wanted, kind) for wanted, kind in found if kind != "e"]
        fits = sum(wanted == kind for wanted, kind in known)
        times = [kind for wanted, kind in known if wanted == "t"]
        return fits > 0 and fits >= (0.7 if len(known) > 2 else 0.5) * len(known) and (not times or "t" in times)

    for place, (_, cells) in enumerate(rows):
        later = [reads(after) for _, after in rows[place + 1 : place + 5]]
        if reads(cells) and 2 * sum(later) >= len(later):
            return place
    return None


def _back_to_first(rows: Sequence[Row], start: int, width: int, kinds: Sequence[str]) -> int:
    """`start`, or the place of rows of readings above it that lack a number, or whose time is written otherwise.

    They have a time where those below have one; or, below a line of names, numbers where those below have them.
    """
    first = start
    for place in range(start - 1, -1, -1):
        found = [kind_of(cell) for cell in rows[place][1]]
        alike = [kind for kind, wanted in zip(found, kinds, strict=False) if kind == wanted]
        if "t" in alike and len(found) <= width:
            first = place
        elif len(found) != width:
            break
        elif not any(kind in "nt" for kind in found):
            return place + 1 if found.count("w") > 0.5 * width else first
        elif alike.count("n") < 0.5 * kinds.count("n"):
            break
    return first


def _names_above(above: Sequence[Row], width: int) -> tuple[list[str], list[str], list[list[str]]] | None:
    """Names, units, and all rows between them and the readings."""
    units: list[str] = [""] * width
    used: list[list[str]] = []
    for place in range(len(above) - 1, max(-1, len(above) - 12), -1):
        cells = above[place][1]
        filled = [cell for cell in cells if cell]
        if not filled or all(_RULE.fullmatch(cell) for cell in filled):
            continue
        if abs(len(cells) - width) > 1 and not (len(cells) < width and place == len(above) - 1):
            if used:
                break
            return None
        below = sum(map(is_under_names, filled)) >= 0.6 * len(filled)
        more = place > 0 and abs(len(above[place - 1][1]) - width) <= 1 and sum(map(bool, above[place - 1][1])) > 1
        if below and more and not any(time_rank(cell) in (0, 1, 2) for cell in filled):
            if sum(map(is_unit, filled)) >= 0.5 * len(filled) or any(map(is_unit, filled)):
                units = [cell if is_unit(cell) else "" for cell in cells]
            used.append(cells)
            continue
        if len(cells) < width - 1:
            return None
        if cells[:1] == filled and place and len(above[place - 1][1]) == width and all(above[place - 1][1][1:]):
            used.append(cells)  # pandas writes the name of the index below those of the columns
            place -= 1
            cells = [cells[0], *above[place][1][1:]]
        return _levels(cells, above[:place], width), units, [*used, cells]
    return None


def _levels(names: list[str], above: Sequence[Row], width: int) -> list[str]:
    """Names that repeat, with those of the line above before them where these tell them apart."""
    filled = [name for name in names if name]
    if len(set(filled)) == len(filled) or not above or len(above[-1][1]) != width:
        return names
    upper, last = [], ""
    for cell in above[-1][1]:
        last = cell or last
        upper.append(last)
    joined = [
        (f"{top} {name}" if top and name and names.count(name) > 1 else name) or top
        for top, name in zip(upper, names, strict=False)
    ]
    return joined if len(set(filter(None, joined))) > len(set(filled)) else names


def _comment_names(lines: Sequence[tuple[int, str]], cut: Cut, first: int, width: int) -> list[str] | None:
    """The last comment above the readings, where it has as many words as they have cells."""
    comments = [text for number, text in lines if number < first and text.startswith("#")]
    names = cut(comments[-1].lstrip("# ")) if comments else []
    return names if len(names) == width and not any(map(looks_like_number, names)) else None


def _nameless(first: int, width: int) -> Head:
    note = "no line of names: the columns are called column 1, column 2, …; --rename 'column 2=flow' names one"
    names = tuple(f"column {place}" for place in range(1, width + 1))
    return Head(names, ("",) * width, first, frozenset(), False, (note,))


def _made(
    names: list[str], units: list[str], readings: Sequence[Row], width: int, used: Sequence[list[str]], where: str
) -> Head:
    """Names and units fitted to the rows, which may have a row name in front or a separator at the end."""
    names, units = list(names), list(units)
    above = frozenset(tuple(row) for row in used)
    notes: list[str] = []
    while len(names) > width and not names[-1]:
        names.pop()
    if len(names) == width + 1 and names[0] in _COMMENT_MARKS:
        names, units = names[1:], units[1:]
    if len(names) > width and not _open_ended(names, readings):
        raise _shifted(where, (0, names), readings[0])
    if len(names) < width:
        missing = width - len(names)
        extra = [cells for _, cells in readings if len(cells) == width]
        if all(not cell for cells in extra for cell in cells[len(names) :]):
            names += [""] * missing
        elif missing == 1 and (place := _date_and_clock(names, extra[0])) is not None:
            names[place : place + 1] = [f"{names[place]} date", f"{names[place]} clock"]
        elif missing == 1 and _named_rows(names, extra):
            names.insert(0, "")
            notes.append("the header has one name less than the rows have cells: the first cell is the row's name")
        else:
            raise _shifted(where, (0, names), readings[0])
    units = (units + [""] * len(names))[: len(names)]
    unique, twice = unique_names([_SERIAL.sub("", name) for name in names])
    if twice:
        notes.append(f"a name comes more than once: {', '.join(twice)}")
    units = [unit.strip("[]()") if is_unit(unit) and unit != "-" else "" for unit in units]
    units = [unit if unit.lower() not in ("ts", "rn", "none", "n/a") else "" for unit in units]
    units = [unit or unit_in(name) for unit, name in zip(units, unique, strict=True)]
    return Head(tuple(unique), tuple(units), readings[0][0], above, True, tuple(notes))


def _open_ended(names: Sequence[str], readings: Sequence[Row]) -> bool:
    """Whether names without cells are the last ones: rows leave out what is empty at their end."""
    if any(len(cells) == len(names) for _, cells in readings):
        return True
    timed = [place for place, name in enumerate(names) if time_rank(name) in range(len(TIME_NAMES))]
    cells = readings[0][1]
    return bool(timed) and all(
        place < len(cells) and kind_of(cells[place]) in ("t" if place else "tn") for place in timed
    )


def _date_and_clock(names: Sequence[str], cells: Sequence[str]) -> int | None:
    """Place of a time whose date and time of day are two cells under one name, as blanks between them make it."""
    for place, name in enumerate(names):
        stamps = [read_stamp(cell) for cell in cells[place : place + 2]]
        if time_rank(name) is not None and None not in stamps and len(stamps) == 2:
            return place if stamps[0].second is None and stamps[1].kind == "clock" else None  # type: ignore[union-attr]
    return None


def _named_rows(names: Sequence[str], rows: Sequence[list[str]]) -> bool:
    """Whether the first cells are names of rows: each once, and no names without them fit better."""
    first = [cells[0] for cells in rows]
    timed = [place for place, name in enumerate(names) if time_rank(name) is not None]
    if timed:
        cells = rows[0]
        here, moved = (looks_like_time(cells[timed[0] + by]) for by in (0, 1))
        if here != moved:
            return moved
    # No row has a number of 18 digits; Python refuses to read one of 4,300.
    counts = all(cell.isdecimal() and len(cell) < 18 for cell in first) and [int(cell) for cell in first] == list(
        range(int(first[0]), int(first[0]) + len(first))
    )
    return counts or (len(set(first)) == len(first) and not any(map(looks_like_number, first)))


def _shifted(where: str, header: Row, row: Row) -> FileError:
    names, cells = header[1], row[1]
    return FileError(
        f"{where}: the header has {len(names)} names ({', '.join(names)[:60]}), line {row[0]} has {len(cells)} cells "
        f"({', '.join(cells)[:60]}): which is whose cannot be told; mend the header, name its line with --header-row "
        "N, or --header-row 0 to call the columns column 1, column 2, …"
    )
