"""Which slot of a daily or weekly season a time falls in; slots are local time."""

import datetime
import zoneinfo

import numpy as np

SEASONS = {None: 1, "daily": 24, "weekly": 72}
"""Slots a season has: hours, and for `weekly` hours of weekdays, Saturdays and Sundays."""


class Calendar:
    """Slots of one season in one zone.

    >>> int(Calendar("weekly", "UTC").slot(0.0))  # 1970-01-01 was a Thursday
    0
    """

    def __init__(self, season: str | None, timezone: str) -> None:
        if season not in SEASONS:
            raise ValueError(f"season {season!r} is none of {', '.join(str(name) for name in SEASONS)}")
        self.slots = SEASONS[season]
        self._zone = zoneinfo.ZoneInfo(timezone) if self.slots > 1 else None

    def slot(self, time: float) -> int:
        """Slot of a time in Unix seconds, 0 to `slots` - 1."""
        if self._zone is None:
            return 0
        local = datetime.datetime.fromtimestamp(time, self._zone)
        day = 0 if self.slots == 24 else max(0, local.weekday() - 4)  # Monday to Friday, Saturday, Sunday
        return 24 * day + local.hour

    def slots_of(self, times: np.ndarray) -> np.ndarray:
        """(n,) slots of (n,) times."""
        if self._zone is None:
            return np.zeros(len(times), np.intp)
        return np.array([self.slot(float(time)) for time in times], np.intp)
