"""Which slot of a daily or weekly season a time falls in; slots are local time."""

import datetime
import zoneinfo

import numpy as np

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
SEASONS = {None: 1, "daily": 24, "weekly": 72}
"""Slots a season has: hours, and for `weekly` hours of weekdays, Saturdays and Sundays."""


class Calendar:
    """Slots of one season in one zone.

    >>> int(Calendar("weekly", "UTC").slot(0.0))  # 1970-01-01 was a Thursday
    0
    """

    def __init__(self, season: str | None, timezone: str) -> None:
        """Of a season that is a key of `SEASONS`, in an IANA zone.

        Raises:
            ValueError: there is no such season, or the zone is not known here.
        """
        if season not in SEASONS:
            raise ValueError(f"season {season!r} is none of {', '.join(str(name) for name in SEASONS)}")
        self.slots = SEASONS[season]
        self._zone = time_zone(timezone) if self.slots > 1 else None

    def slot(self, time: float) -> int:
        """Slot of a time in Unix seconds, 0 to `slots` - 1."""
        if self._zone is None:
            return 0
        # Not fromtimestamp, which asks the C library: that of a 32-bit Debian 12 ends in 2038.
        local = (_EPOCH + datetime.timedelta(seconds=time)).astimezone(self._zone)
        day = 0 if self.slots == 24 else max(0, local.weekday() - 4)  # Monday to Friday, Saturday, Sunday
        return 24 * day + local.hour

    def slots_of(self, times: np.ndarray) -> np.ndarray:
        """(n,) slots of (n,) times."""
        if self._zone is None:
            return np.zeros(len(times), np.intp)
        return np.array([self.slot(float(time)) for time in times], np.intp)


def time_zone(name: str) -> datetime.tzinfo:
    """The IANA zone of this name.

    Raises:
        ValueError: it is not known here.
    """
    if name == "UTC":
        return datetime.UTC  # needs no database
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"time zone {name!r} is not known here; install tzdata, or correct the zone") from error
