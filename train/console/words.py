"""Numbers and times as a reader likes them."""

import numpy as np

from train.console.times import format_time, is_unix


def percent(part: float | None) -> str:
    """A fraction as per cent, `-` for none.

    >>> percent(0.0823), percent(None)
    ('8.2 %', '-')
    """
    return "-" if part is None else f"{100 * part:.1f} %"


def number(value: float | None, digits: int = 3) -> str:
    """Significant digits, `-` for none.

    >>> number(13.0244), number(0.5), number(None)
    ('13', '0.5', '-')
    """
    return "-" if value is None else f"{value:.{digits}g}" if abs(value) < 1e4 else f"{value:.0f}"


def count(value: int) -> str:
    """Whole numbers with thousands set apart."""
    return f"{value:,}"


def plural(number_of: int, thing: str, things: str | None = None) -> str:
    """How many of a thing; `things` are several where an s does not do.

    >>> plural(1, "file"), plural(1200, "row"), plural(2, "anomaly", "anomalies")
    ('1 file', '1,200 rows', '2 anomalies')
    """
    return f"{count(number_of)} {thing if number_of == 1 else things or thing + 's'}"


def often(per_day: float | None) -> str:
    """How often something comes, empty for unknown.

    >>> often(3.04), often(0.05), often(0.0)
    ('3.04 a day', 'one in 20.0 days', '')
    """
    if not per_day:
        return ""
    return f"{number(per_day)} a day" if per_day >= 1 else f"one in {duration(86400 / per_day)}"


def duration(seconds: float | None) -> str:
    """A time span in its natural unit, `-` for none.

    >>> [duration(s) for s in (4, 90, 5400, 200000, -4)]
    ['4 s', '1.5 min', '1.5 h', '2.3 days', '-4 s']
    """
    if seconds is None:
        return "-"
    for unit_s, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if abs(seconds) >= (2 if unit == "days" else 1) * unit_s:
            return f"{seconds / unit_s:.1f} {unit}"
    return f"{seconds:.3g} s"


def when(time: float, timezone: str) -> str:
    """A moment in local time; plain seconds where a file's clock starts at zero."""
    return format_time(time, timezone) if is_unix(np.array([time])) else f"{time:.1f} s"


def size(size_bytes: int) -> str:
    """Bytes as kB."""
    return f"{size_bytes / 1000:.0f} kB"
