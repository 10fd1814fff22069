"""Written times, one cell at a time: date, time of day and zone in any of the forms that programs export."""

import re
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

_MONTHS = """
january jan januar jän jänner janvier janv enero ene gennaio gen januari janeiro
february feb februar fév févr février fevrier febrero febbraio febbr februari fevereiro fev
march mar märz mär mrz maerz mars marzo maart mrt março marco
april apr avril avr abril abr aprile
may mai mayo maggio mag mei maio
june jun juni juin junio giugno giu junho
july jul juli juil juillet julio luglio lug julho
august aug août aout agosto ago augustus
september sep sept septembre septiembre settembre set setembro
october oct oktober okt octobre octubre ottobre ott outubro out
november nov novembre noviembre novembro
december dec dezember dez déc décembre decembre diciembre dic dicembre dezembro
"""
_MONTH = {name: number for number, line in enumerate(_MONTHS.strip().split("\n"), 1) for name in line.split()}
_ZONES = {
    **dict.fromkeys(("Z", "UTC", "GMT", "WET", "UCT"), 0.0),
    **{"CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "WEST": 1, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9, "KST": 9},
    **{"EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "HST": -10},
    **{"AEST": 10, "AEDT": 11, "ACST": 9.5, "AWST": 8, "NZST": 12, "NZDT": 13, "SAST": 2},
}
"""Hours east of Greenwich. What names several zones, such as CST and IST, is not among them."""

_DAY = r"[^\W\d_]{2,10}"
_NAME = r"[^\W\d_]{3,10}"
_DATE = "|".join(
    (
        r"(?P<y>\d{4})(?P<ys>[-/. ])(?P<m>\d{1,2})(?P=ys)(?P<d>\d{1,2})",
        rf"(?:{_DAY}\.?,?\s+)?(?P<a>\d{{1,2}})(?P<s>[-/. ])(?P<b>\d{{1,2}})(?P=s)(?P<c>\d{{4}}|\d{{2}})(?!\d)",
        r"(?P<k>\d{8})(?=[T _-]|\d{4}|$)",
        rf"(?:{_NAME}\.?,?\s+)?(?P<d1>\d{{1,2}})(?:st|nd|rd|th|\.)?[-\s/.]{{0,2}}(?:de )?"
        rf"(?P<n1>{_NAME})\.?,?[-\s/.]{{0,2}}(?:de )?"
        r"(?P<y1>\d{4}|\d{2})(?!\d)",
        rf"(?:{_NAME}\.?,?\s+)?(?P<n2>{_NAME})\.?[-\s/]+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,?[-\s/]+"
        r"(?P<y2>\d{4}|\d{2})(?![\d:])",
        rf"(?P<y4>\d{{4}})[-\s/](?P<n4>{_NAME})\.?[-\s/](?P<d4>\d{{1,2}})",
        r"(?P<y5>\d{4})-?W(?P<w>\d{2})(?:-?(?P<wd>[1-7]))?(?!\d)",
        r"(?P<y6>(?:19|20)\d{2})-(?P<doy>\d{3})(?!\d)",
        rf"(?:{_NAME}\.?,?\s+)?(?P<n3>{_NAME})\.?\s+(?P<d3>\d{{1,2}})(?=\s+\d{{1,2}}:\d\d.*\s(?P<y3>\d{{4}})$)",
    )
)
_TIME = (
    r"(?P<h>\d{1,2})(?P<ts>[:.h-])(?P<mi>\d{2})(?:(?:(?P=ts)|[:.m])(?P<se>\d{2})(?:[.,:](?P<f>\d{1,9}))?s?)?"
    r"|(?P<h2>\d{2})(?P<mi2>\d{2})(?P<se2>\d{2})?(?:[.,](?P<f2>\d{1,9}))?|(?P<h3>\d{1,2})(?=\s*[AaPp]\.?\s?[Mm])"
)
_AFTER = (
    r"\s*(?P<ap>[AaPp]\.?\s?[Mm]\.?)?\s*(?P<zone>[A-Za-z]+/[A-Za-z_/]+|[A-Z]{0,5}\s?(?:[+-]\d{1,2}(?::?\d{2})?)?)"
    r"(?:\s?\[(?P<region>[\w/+-]+)\])?(?: Uhr)?"
)
_WHOLE = re.compile(rf"(?:{_DATE})(?:[T\s,_-]{{0,3}}(?:{_TIME}){_AFTER})?(?:\s+\d{{4}})?")
_CLOCK = re.compile(rf"(?:{_TIME}){_AFTER}")
_INTERVAL = re.compile(r"(\S.{3,}?)(?: [-–] | bis | to |/|--)(.{3,}\S)")
_MONTH_HAS_DIGITS = re.compile(r"\d")


class Stamp(NamedTuple):
    """What a cell says, before the order of day and month is known."""

    kind: str
    """`ymd`: year, month and day are known; `-`, `/`, `.`, blank: numbers with this between; `clock`: no date."""
    parts: tuple[int, int, int]
    second: float | None
    """Of the day; None where there is a date alone."""
    zone: str
    """As written; empty where none is."""


def looks_like_time(text: str) -> bool:
    """Whether a cell is a written date or a time of day. Plain numbers are not."""
    return ("-" in text or ":" in text or "/" in text or "." in text or " " in text) and read_stamp(text) is not None


def names_month(text: str) -> bool:
    """Whether a word is the name of a month, in one of eight languages."""
    return text.strip(" .-").lower() in _MONTH


@lru_cache(maxsize=4096)
def read_stamp(text: str) -> Stamp | None:
    """The date, time of day and zone that a cell holds, of an interval its beginning; None where it is no time.

    >>> read_stamp("04/03/2024 8:00 PM")
    Stamp(kind='/', parts=(4, 3, 2024), second=72000.0, zone='')
    """
    if len(text) > 64 or not _MONTH_HAS_DIGITS.search(text):
        return None
    found = _WHOLE.fullmatch(text)
    if found is not None:
        dated = _date(found)
        timed = _second(found)
        return None if dated is None or timed is False else Stamp(*dated, timed, _zone(found))
    if (interval := _INTERVAL.fullmatch(text)) is not None:
        first, last = read_stamp(interval[1]), read_stamp(interval[2])
        return first if first is not None and last is not None else None
    found = _CLOCK.fullmatch(text)
    if found is None or not (found["mi"] or found["h3"]) or found["ts"] in (".", "-"):
        return None
    second = _second(found)
    return None if second is None or second is False else Stamp("clock", (0, 0, 0), second, _zone(found))


def _date(found: re.Match[str]) -> tuple[str, tuple[int, int, int]] | None:
    if found["y"]:
        return "ymd", (int(found["y"]), int(found["m"]), int(found["d"]))
    if found["a"]:
        return found["s"], (int(found["a"]), int(found["b"]), int(found["c"]) if found["c"] else 0)
    if found["k"]:
        digits = found["k"]
        return "ymd", (int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    if found["w"] or found["doy"]:
        return _counted_day(found)
    for number in "1234":
        if found[f"n{number}"]:
            month = _MONTH.get(found[f"n{number}"].lower())
            year = full_year(int(found[f"y{number}"]))
            return None if month is None else ("ymd", (year, month, int(found[f"d{number}"])))
    return None


def _counted_day(found: re.Match[str]) -> tuple[str, tuple[int, int, int]] | None:
    """Of ISO 8601: a day of a week, its Monday where none is named, or a day of the year."""
    try:
        if found["w"]:
            day = date.fromisocalendar(int(found["y5"]), int(found["w"]), int(found["wd"] or 1))
        else:
            day = date.fromordinal(date(int(found["y6"]), 1, 1).toordinal() + int(found["doy"]) - 1)
    except ValueError:
        return None
    return None if found["doy"] and day.year != int(found["y6"]) else ("ymd", (day.year, day.month, day.day))


def full_year(year: int) -> int:
    """A year of two digits as one of four, 1970 to 2069.

    >>> full_year(24), full_year(99), full_year(1999)
    (2024, 1999, 1999)
    """
    return year if year > 99 else year + (2000 if year < 70 else 1900)


def _second(found: re.Match[str]) -> "float | bool | None":
    """Second of the day, None without a time of day, False where it cannot be one."""
    hour = found["h"] or found["h2"] or found["h3"]
    if hour is None:
        return None
    hours, minutes = int(hour), int(found["mi"] or found["mi2"] or 0)
    half = (found["ap"] or "").lower()[:1]
    if half:
        if not 1 <= hours <= 12:
            return False
        hours = hours % 12 + (12 if half == "p" else 0)
    digits = found["f"] or found["f2"]
    whole = int(found["se"] or found["se2"] or 0)
    if minutes > 59 or whole > 60 or hours > 24:
        return False
    second = float(hours * 3600 + minutes * 60 + whole)
    return second + int(digits) / 10 ** len(digits) if digits else second


def _zone(found: re.Match[str]) -> str:
    return (found["zone"] or "").strip() or found["region"] or ""


@lru_cache(maxsize=256)
def offset_of(zone: str) -> "float | ZoneInfo | None":
    """Seconds east of Greenwich of a zone as written, or the zone itself; None where it is not known.

    >>> offset_of("+0130"), offset_of("GMT+01:00"), offset_of("CST")
    (5400.0, 3600.0, None)
    """
    if "/" in zone:
        try:
            return ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            return None
    found = re.fullmatch(r"([A-Z]*)\s?(?:([+-])(\d{1,2})(?::?(\d{2}))?)?", zone)
    if found is None or (found[1] not in _ZONES and found[1]):
        return None
    if not found[2]:
        return _ZONES[found[1]] * 3600.0 if found[1] else None
    if found[1] not in ("", "UTC", "GMT", "Z"):
        return None
    seconds = int(found[3]) * 3600.0 + int(found[4] or 0) * 60.0
    return -seconds if found[2] == "-" else seconds


_ORDERS = {"dmy": (2, 1, 0), "mdy": (2, 0, 1), "ymd": (0, 1, 2)}


@lru_cache(maxsize=4096)
def day_number(parts: tuple[int, int, int], order: str) -> int | None:
    """Days since 1970 of three numbers in the order `dmy`, `mdy` or `ymd`; None where there is no such day."""
    year, month, day = (parts[place] for place in _ORDERS[order])
    try:
        return date(full_year(year), month, day).toordinal() - 719163
    except ValueError:
        return None


def orders_of(stamp: Stamp) -> tuple[str, ...]:
    """Orders in which a date may be meant, the usual one of its kind first."""
    if stamp.kind == "ymd":
        return ("ymd",)
    return ("dmy", "mdy") if stamp.parts[2] > 99 else ("dmy", "mdy", "ymd")


def by_pattern(text: str, pattern: str) -> tuple[float, float | None] | None:
    """Wall seconds since 1970 and offset in seconds, or None, of a cell in a strptime pattern; None if it is not."""
    try:
        found = datetime.strptime(text, pattern)
    except ValueError:
        return None
    offset = found.utcoffset()
    wall = found.replace(tzinfo=None)
    day = wall.toordinal() - 719163
    second = wall.hour * 3600 + wall.minute * 60 + wall.second + wall.microsecond / 1e6
    return day * 86400.0 + second, None if offset is None else offset.total_seconds()
