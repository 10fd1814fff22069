"""What the columns of a sample hold as far as times go, and which may together be the time, the likeliest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from edge.readings.dates import Stamp, read_stamp
from edge.readings.head import Row
from edge.readings.instants import find_number_time
from edge.readings.options import FileError
from edge.readings.words import is_missing, part_of, time_rank

ORDERED = ("year", "month", "doy", "day", "hour", "minute", "second")


@dataclass(frozen=True)
class Profile:
    """What a column of the sample holds, as far as times go."""

    place: int
    name: str
    cells: tuple[tuple[int, str], ...]
    """Line and text of the cells that hold something."""
    kind: str
    """datetime, date, clock, number or other."""
    stamps: tuple[Stamp, ...]

    @property
    def texts(self) -> list[str]:
        """The cells' text."""
        return [text for _, text in self.cells]

    @property
    def varies(self) -> bool:
        """Whether not all cells are alike."""
        return len({text for _, text in self.cells}) > 1

    @property
    def rank(self) -> int:
        """How likely its name is that of a time; 1000 where it does not sound like one."""
        rank = time_rank(self.name)
        return 1000 if rank is None else rank


def profiles(names: Sequence[str], rows: Sequence[Row]) -> list[Profile]:
    """What each column of the sample's rows holds."""
    found = []
    for place, name in enumerate(names):
        cells = tuple((line, row[place]) for line, row in rows if place < len(row) and not is_missing(row[place]))
        stamps = [stamp for _, text in cells if not text.isdecimal() and (stamp := read_stamp(text)) is not None]
        found.append(Profile(place, name, cells, _kind(cells, stamps), tuple(stamps)))
    return found


def _kind(cells: Sequence[tuple[int, str]], stamps: Sequence[Stamp]) -> str:
    if stamps and len(stamps) > 0.5 * len(cells):
        clocks = sum(stamp.kind == "clock" for stamp in stamps)
        if clocks > 0.5 * len(stamps):
            return "clock"
        dated = sum(stamp.second is not None for stamp in stamps)
        return "datetime" if dated > 0.5 * len(stamps) else "date"
    numeric = sum(text.replace(",", ".", 1).lstrip("+-").replace(".", "", 1).isdecimal() or "e+" in text.lower()
                  for _, text in cells)  # fmt: skip
    return "number" if cells and numeric > 0.5 * len(cells) else "other"


def listed(found: Sequence[Profile]) -> str:
    """The names of a file's columns, the first twelve of them."""
    shown = ", ".join(one.name for one in found[:12])
    return shown if len(found) <= 12 else f"{shown} and {len(found) - 12} more"


def candidates(found: Sequence[Profile]) -> Iterator[list[Profile]]:
    """Columns that together may be the time, the likeliest first."""
    yield from _written(found)
    yield from _numbers(found)
    yield from _joined_parts(found)
    yield from _last(found)


def _written(found: Sequence[Profile]) -> list[list[Profile]]:
    """Written times that change, the likeliest names first; then a date beside a time of day."""
    whole = [one for one in found if one.kind == "datetime" and one.varies]
    utc = any("utc" in one.name.lower() and one.rank < 1000 for one in whole)
    whole.sort(key=lambda one: (utc and "local" in one.name.lower(), one.rank))
    dates = [one for one in found if one.kind == "date" or (one.kind == "number" and compact_dates(one))]
    clocks = [one for one in found if one.kind == "clock" and one.varies]
    pairs = [[dates[0], clocks[0]]] if dates and clocks else []
    return [*([one] for one in whole), *pairs]


def compact_dates(one: Profile) -> bool:
    texts = one.texts
    return all(len(text) == 8 and text.isdecimal() for text in texts) and all(read_stamp(text) for text in texts)


def _numbers(found: Sequence[Profile]) -> list[list[Profile]]:
    """Numbers that are Unix times or the like, named as times or growing as they do."""
    numbers = [one for one in found if one.kind == "number" and part_of(one.name) is None and unix_like(one)]
    named = sorted((one for one in numbers if one.rank < 1000), key=lambda one: one.rank)
    return [*([one] for one in named), *([one] for one in numbers if one.rank == 1000 and grows(one.texts))]


def unix_like(one: Profile) -> bool:
    """Whether a column of numbers is a time by their size, whatever it is called."""
    try:
        found = find_number_time("time", one.texts, "")
    except FileError:
        return True
    return found is not None and bool(found.shown) and not found.relative and found.pattern != "%Y%m%d"


def grows(texts: Sequence[str]) -> bool:
    values = [
        float(text.replace(",", ".")) for text in texts if text.replace(",", ".", 1).replace(".", "", 1).isdecimal()
    ]
    if len(values) < 2:
        return bool(values)
    return sum(b >= a for a, b in pairwise(values)) > 0.9 * (len(values) - 1)


def _joined_parts(found: Sequence[Profile]) -> list[list[Profile]]:
    """Year, month, day, hour, … in columns of their own; or a date and hours; or a date and times like 830."""
    parts = {part: one for one in reversed(found) if (part := part_of(one.name)) and fits_part(one, part)}
    dates = [one for one in found if one.kind == "date" or (one.kind == "number" and compact_dates(one))]
    if "year" in parts and ("doy" in parts or {"month", "day"} <= set(parts)):
        chosen = [parts[part] for part in ORDERED if part in parts]
        clock = [one for one in found if hhmm(one)] if "hour" not in parts else []
        written = [one for one in found if one.kind == "clock" and one.varies]
        return [chosen + (written or clock)[:1]] if "hour" not in parts else [chosen]
    if dates and "hour" in parts:
        return [[dates[0], *(parts[part] for part in ("hour", "minute", "second") if part in parts)]]
    return [[dates[0], one] for one in found if dates and hhmm(one)][:1]


_RANGES = {"year": (0, 2100), "month": (1, 12), "doy": (1, 366), "day": (1, 31), "hour": (0, 24), "minute": (0, 59),
           "second": (0, 60)}  # fmt: skip


def fits_part(one: Profile, part: str) -> bool:
    low, high = _RANGES[part]
    try:
        values = [float(text.replace(",", ".")) for text in one.texts]
    except ValueError:
        return False
    return bool(values) and all(low <= value <= high for value in values)


def hhmm(one: Profile) -> bool:
    """Whole numbers like 830 or 2359, in a column called a time."""
    if one.kind != "number" or (one.rank == 1000 and one.name.lower() not in ("hhmm", "hrmn")):
        return False
    longest = max(map(len, one.texts), default=0)
    if longest > 4:  # with seconds
        return one.varies and all(text.isdecimal() and _clock_like(text.zfill(6)) for text in one.texts)
    return one.varies and all(text.isdecimal() and int(text) <= 2400 and int(text) % 100 < 60 for text in one.texts)


def _clock_like(digits: str) -> bool:
    return len(digits) == 6 and int(digits) <= 240000 and digits[2:4] < "60" and digits[4:] < "60"


def _last(found: Sequence[Profile]) -> list[list[Profile]]:
    """Dates alone, counts from a start of their own, times of day without a date."""
    dates = [one for one in found if one.kind == "date" and one.varies]
    dates += [one for one in found if one.kind == "number" and compact_dates(one) and one.varies and one.rank < 1000]
    still = [one for one in found if one.kind == "datetime"] or [one for one in found if one.kind == "date"]
    pair = [one for one in found if one.kind == "clock"] if still and still[0].kind == "date" else []
    counts = sorted((one for one in found if one.kind == "number" and one.rank < 1000), key=lambda one: one.rank)
    clocks = [one for one in found if one.kind == "clock" and one.varies]
    return [*([one] for one in (*dates, *counts, *clocks)), *([[*still[:1], *pair[:1]]] if still else [])]
