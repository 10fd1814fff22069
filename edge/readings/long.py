"""Files with a row for each value: which column says whose it is, and which holds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from edge.readings.cells import kind_of
from edge.readings.head import Row
from edge.readings.options import FileError, FileOptions
from edge.readings.profiles import Profile, listed
from edge.readings.words import ID_NAMES, QUALITY_NAMES, UNIT_NAMES, VALUE_NAMES, part_of

_MOST_CHANNELS = 2000
_GOOD_QUALITY = 192.0
"""OPC: 192 and above are good."""


@dataclass(frozen=True)
class LongPlan:
    """How rows of single values become channels."""

    ids: tuple[int, ...]
    """Columns that together name a channel, or the front of its name."""
    values: tuple[int, ...]
    quality: int | None = None
    """Column of OPC quality codes; values that are not good are missing."""
    unit: int | None = None
    """Column with the values' unit."""

    def name(self, cells: Sequence[str], value: int, names: Sequence[str]) -> str:
        """The channel that a row's cell belongs to."""
        front = " ".join(filter(None, (cells[place] for place in self.ids)))
        return front if len(self.values) == 1 else f"{front} {names[value]}"

    def good(self, cells: Sequence[str]) -> bool:
        """Whether the row's value counts."""
        if self.quality is None:
            return True
        text = cells[self.quality].lower()
        try:
            return float(text) >= _GOOD_QUALITY
        except ValueError:
            return not text.startswith(("bad", "uncertain", "invalid"))


def find_long(
    found: Sequence[Profile], rows: Sequence[Row], time: Sequence[int], options: FileOptions, where: str
) -> LongPlan | None:
    """The plan of a long file; None where each row has all channels.

    Raises:
        FileError: a column that was named is not in the file.
    """
    by_name = {one.name: one for one in found}
    for option, name in (("--id-column", options.id_column), ("--value-column", options.value_column)):
        if name is not None and name not in by_name:
            raise FileError(f"{where}: {option} {name!r} is not in the file; it has {listed(found)}")
    rest = [one for one in found if one.place not in time]
    if options.id_column:
        return _plan(by_name[options.id_column], rest, rows, time, options)
    for one in _ids(rest) if time else ():
        plan = _plan(one, rest, rows, time, options)
        if plan is not None and _interleaved(one, plan, rest, rows, time):
            return plan
    return None


def _ids(rest: Sequence[Profile]) -> list[Profile]:
    """Columns that may say whose a value is, the likeliest names first."""
    rest = [one for one in rest if one.name.lower() in ID_NAMES or part_of(one.name) is None]  # H01 is no sensor
    words = [one for one in rest if one.kind == "other" and 1 <= len(set(one.texts)) <= _MOST_CHANNELS and one.cells]
    numbers = [one for one in rest if one.kind == "number" and one.name.lower() in ID_NAMES and _few(one)]
    named = [one for one in words if one.name.lower() in ID_NAMES and one.name.lower() != "board"]
    last = [one for one in words if one not in named and one.name.lower() != "board" and len(set(one.texts)) > 1]
    order = sorted(named, key=lambda one: (not one.varies, "field" not in one.name.lower()))
    return [*order, *(one for one in numbers if one.name.lower() not in VALUE_NAMES), *last]


def _few(one: Profile) -> bool:
    different = set(one.texts)
    return 1 < len(different) <= max(2, len(one.cells) // 10) and all(text.isdigit() for text in different)


def _plan(
    one: Profile, rest: Sequence[Profile], rows: Sequence[Row], time: Sequence[int], options: FileOptions
) -> LongPlan | None:
    others = [other for other in rest if other is not one]
    named = [other for other in others if other.name == options.value_column]
    quality = next((other for other in others if other.name.lower() in QUALITY_NAMES and _codes(other)), None)
    unit = next((other for other in others if other.name.lower() in UNIT_NAMES and other.kind == "other"), None)
    values = named or [other for other in others if other.name.lower() in VALUE_NAMES and other.cells][:1]
    if not values:
        values = [
            other
            for other in others
            if other not in (quality, unit)
            and other.cells
            and _number_or_state(other)
            and not other.name.startswith("_")
        ]
    if not values:
        return None
    ids = [one.place]
    for tag in others:
        if not _repeats(rows, time, ids):
            break
        if tag.kind == "other" and tag.varies and tag not in values and tag is not unit:
            ids.append(tag.place)
    where = None if quality is None or quality in values else quality.place
    return LongPlan(tuple(ids), tuple(other.place for other in values), where, None if unit is None else unit.place)


def _codes(one: Profile) -> bool:
    """Whether a column holds OPC quality: 192 most of the time, or words."""
    texts = one.texts
    return sum(text in ("192", "192.0") or text.lower() == "good" for text in texts) > 0.5 * len(texts)


def _number_or_state(one: Profile) -> bool:
    kinds = [kind_of(text) for text in one.texts[:200]]
    return bool(kinds) and sum(kind in "ns" for kind in kinds) > 0.5 * len(kinds)


def _repeats(rows: Sequence[Row], time: Sequence[int], ids: Sequence[int]) -> bool:
    """Whether more than a twentieth of the rows repeat time and id of another."""
    if not (time or ids):
        return False
    keys = [tuple(cells[place] for place in (*time, *ids)) for _, cells in rows if len(cells) > max((*time, *ids))]
    return len(set(keys)) < 0.95 * len(keys)


def _interleaved(
    one: Profile,
    plan: LongPlan,
    rest: Sequence[Profile],
    rows: Sequence[Row],
    time: Sequence[int],
) -> bool:
    """Whether rows of several ids take turns, or share their times, or the names leave nothing else."""
    valued = any(other.place in plan.values and other.name.lower() in VALUE_NAMES for other in rest)
    named = one.name.lower() in ID_NAMES
    if valued and named and len(plan.values) == 1 and one.name.lower() not in ("host", "source", "location"):
        return True
    texts = [cells[one.place] for _, cells in rows if len(cells) > one.place]
    if len(set(texts)) < 2:
        return False
    turns = sum(a != b for a, b in pairwise(texts)) / max(1, len(texts) - 1)
    if named and turns > 0.3:
        return True
    shares = _repeats(rows, time, ()) and not _repeats(rows, time, plan.ids)
    times = [tuple(cells[place] for place in time) for _, cells in rows if len(cells) > max((*time, 0))]
    most = len(set(times)) < 0.75 * len(times)
    return shares and most and (named or turns > 0.3)
