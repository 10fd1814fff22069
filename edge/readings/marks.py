"""Which marks and units the columns of a file use, decided on all their cells; refused where they say two things."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge.readings.numbers import EITHER, ColumnEvidence, NumberStyle
from edge.readings.options import FileError
from edge.readings.words import STATES, is_unit

_PREFIXES = {"n": 1e-9, "µ": 1e-6, "u": 1e-6, "m": 1e-3, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}


@dataclass(frozen=True)
class FileMarks:
    """Which marks the columns of a file use for sure, counted over all of them."""

    point: int
    comma: int
    english: int
    german: int

    @classmethod
    def of(cls, columns: Sequence[ColumnEvidence]) -> "FileMarks":
        """Of the columns that may be channels."""
        return cls(*(sum(column.shapes[shape] for column in columns) for shape in (".", ",", "en", "de")))


def decide(
    name: str, column: ColumnEvidence, file: FileMarks, decimal: str | None, codes: frozenset[float], where: str
) -> NumberStyle:
    """How to read a column.

    Raises:
        FileError: its cells can be read in two ways, or contradict each other; `where` names the file.
    """
    units = _units(name, column, where)
    states = column.texts > 0 and not any(word.lower() not in STATES for word in column.words)
    mark = decimal or _mark(name, column, file, where)
    return NumberStyle(mark, units, states, codes)


def _mark(name: str, column: ColumnEvidence, file: FileMarks, where: str) -> str:
    has = column.shapes
    if (has["en"] and (has["de"] or has[","])) or (has["de"] and has["."]):
        pair = [column.seen[shape] for shape in ("en", "de", ".", ",") if has[shape]][:2]
        raise _refused(where, name, pair, "use the marks in two ways")
    if has["en"] or has["de"]:
        return "." if has["en"] else ","
    if has[","] and (has["."] or (has[".?"] and file.point)):
        return EITHER
    if has[","]:
        return ","
    if has["."]:
        return EITHER if has[",?"] and file.comma and not file.english else "."
    if has[",?"] and has[".?"]:
        if file.comma and file.point:
            return EITHER
        raise _refused(where, name, [column.seen[",?"], column.seen[".?"]], "use both marks before three digits")
    return _ambiguous(name, column, file, where)


def _ambiguous(name: str, column: ColumnEvidence, file: FileMarks, where: str) -> str:
    """Of a column whose marks all stand before three digits, or that has none."""
    if column.shapes[",?"]:
        if file.comma and not file.english and not file.point:
            return ","
        if file.comma and file.point:
            return EITHER
        if file.english or file.point or (column.small and not column.large):
            return "."
        raise _refused(where, name, [column.seen[",?"]], "may be decimal or thousands")
    if column.shapes[".?"]:
        if file.german or (file.comma and not file.point and column.small and not column.large):
            return ","
        if file.comma and not file.point:
            raise _refused(where, name, [column.seen[".?"]], "may be decimal or thousands in a file of decimal commas")
        return "."
    return "," if file.comma and not file.point else "."


def _refused(where: str, name: str, cells: Sequence[tuple[str, int]], what: str) -> FileError:
    shown = " and ".join(f"{text!r} (line {line})" for text, line in cells)
    return FileError(f"{where}: column {name!r}: {shown} {what}; say which mark is decimal: --decimal , or --decimal .")


def _units(name: str, column: ColumnEvidence, where: str) -> tuple[tuple[str, float], ...]:
    """Units behind numbers, with the factors that bring them to the commonest: 950 W among 1.2 kW is 0.95 kW."""
    if not column.units:
        return ()
    common = column.units.most_common(1)[0][0]
    factors = {unit: _factor(unit, common) for unit in column.units}
    strange = [unit for unit, factor in factors.items() if factor is None]
    if strange and not all(map(is_unit, column.units)):
        return ()  # 12A, 13B: names rather than numbers
    if strange:
        raise FileError(
            f"{where}: column {name!r} has the units {common!r} and {strange[0]!r} behind its numbers; "
            f"export it with one unit, or --drop {name!r}"
        )
    return tuple(sorted(((unit, factor or 1.0) for unit, factor in factors.items()), key=lambda one: -len(one[0])))


def _factor(unit: str, common: str) -> float | None:
    """What a number in `unit` is multiplied with to be in `common`."""
    if unit == common:
        return 1.0
    for long, short, sign in ((unit, common, 1), (common, unit, -1)):
        if long[1:] == short and long[:1] in _PREFIXES:
            return _PREFIXES[long[0]] ** sign
        if long[1:] == short[1:] and long[:1] in _PREFIXES and short[:1] in _PREFIXES and len(short) > 1:
            return (_PREFIXES[long[0]] / _PREFIXES[short[0]]) ** sign
    return None
