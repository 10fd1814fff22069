"""How long readings of several streams are gathered, so that one call scores many rows."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

LONGEST_S = 0.1
"""How long readings are gathered at most, seconds: no period is so long that an alert had time to spare."""


@dataclass
class Gathering:
    """Scoring 50 rows in one call takes about as long as scoring two, each by itself.

    A reading that comes alone is taken at once; those that come after it wait until a part of a period has gone by.
    """

    part: float = 0.0
    """Of the shortest period."""
    _taken_at: float = -math.inf

    def wait_s(self, periods_s: Iterable[float], monotonic: float) -> float:
        """How long to go on gathering; 0 where readings should be taken now."""
        longest_s = min(self.part * min(periods_s, default=0.0), LONGEST_S)
        return max(0.0, self._taken_at + longest_s - monotonic)

    def taken(self, more: bool, monotonic: float) -> None:
        """Readings were taken; with `more` waiting there is nothing to gather."""
        self._taken_at = -math.inf if more else monotonic
