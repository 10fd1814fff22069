"""Times and durations as people write them."""

import math
import re
from datetime import UTC, datetime

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")


def parse_duration(text: str) -> float:
    """Seconds in a duration such as `90`, `20m` or `1h30m`.

    >>> parse_duration("1h30m")
    5400.0

    Raises:
        ValueError: it is none.
    """
    text = text.strip()
    try:
        seconds = float(text)
    except ValueError:
        if not re.fullmatch(f"(?:{_PART.pattern})+", text):
            raise ValueError(f"{text!r} is no duration; write 90, 20m, 1h30m or 2d") from None
        seconds = sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(text))
    if not (math.isfinite(seconds) and seconds >= 0.0):
        raise ValueError(f"{text!r} is no duration; write 90, 20m, 1h30m or 2d")
    return seconds


def parse_time(text: str) -> float:
    """Unix seconds of a time in ISO 8601 or Unix seconds; without a zone it is UTC.

    >>> parse_time("1970-01-02")
    86400.0

    Raises:
        ValueError: it is none.
    """
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text.strip())
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            raise ValueError(f"{text!r} is no time; write 2026-01-05T08:00:00Z or Unix seconds") from None
    if not 0.0 <= seconds < 253402300800.0:  # the year 10000, where ISO times end
        raise ValueError(f"{text!r} is no time between the years 1970 and 9999")
    return seconds
