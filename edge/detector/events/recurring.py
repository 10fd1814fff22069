"""An alarm that comes and goes: how often it came back, and how long it is waited for therefore.

After ISA-18.2, where an off-delay tames a chattering alarm; here the delay is learned from its pauses.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from edge.wire.events import Contributor

REMEMBERED_S = 600.0
"""What comes back within so long, or while it is waited for, is the same again, seconds. The pump's faults fall quiet
for some four minutes of twenty, where it stands; another fault seldom follows on one within ten."""
PAUSES = 4.0
"""What came back is waited for so many times its longest pause. With three times one, with twice two of seven faults
of eight hours break up into six to eight episodes."""
EACH_S = 600.0
"""But for no longer than this for each time that it came back, seconds: what came twice has not shown yet that it will
come again, and another fault may come as soon as that."""
LONGEST_S = 3600.0
"""Nor longer than this, seconds."""
SAME = 0.6
"""Cosine between the shares of two rows from which they show the same. The first row of a fault that came back had .84
and more with the nearest of its rows before, once .64; that of another fault mostly under .6, but up to .99."""
_KNOWN = 0.9
"""A row that is so near to one that is kept adds nothing."""
_MOST_KEPT = 16

Shares = Mapping[str, float]


class Recurring:
    """One condition of one stream. Times are those of its rows, Unix seconds."""

    def __init__(self) -> None:
        self.occurrences = 0
        """How often it came, without being gone for long in between."""
        self._quiet_at: float | None = None
        self._longest_s = 0.0
        self._shares: list[dict[str, float]] = []

    @property
    def wait_s(self) -> float:
        """How long it must be quiet to be over, seconds; 0 for what has not come back."""
        return min(PAUSES * self._longest_s, EACH_S * max(0, self.occurrences - 1), LONGEST_S)

    def is_again(self, time: float, contributors: Iterable[Contributor] = ()) -> bool:
        """Whether what begins at `time` is the same again."""
        return (
            self._quiet_at is not None
            and 0 <= time - self._quiet_at <= max(REMEMBERED_S, self.wait_s)
            and self.is_known(contributors)
        )

    def is_known(self, contributors: Iterable[Contributor]) -> bool:
        """Whether a row shows what rows of it have shown."""
        return self._nearest(_shares_of(contributors)) >= SAME

    def begin(self, time: float, contributors: Iterable[Contributor] = ()) -> int:
        """It is in alarm since `time`; the number of times it came."""
        contributors = tuple(contributors)
        if self.is_again(time, contributors):
            assert self._quiet_at is not None
            self._longest_s = max(self._longest_s, time - self._quiet_at)
            self.occurrences = max(1, self.occurrences) + 1
        else:
            self.occurrences, self._longest_s, self._shares = 1, 0.0, []
        self._quiet_at = None
        self.show(contributors)
        return self.occurrences

    def show(self, contributors: Iterable[Contributor]) -> None:
        """A row of it in alarm."""
        shares = _shares_of(contributors)
        if shares and len(self._shares) < _MOST_KEPT and (not self._shares or self._nearest(shares) < _KNOWN):
            self._shares.append(shares)

    def quiet(self, time: float) -> None:
        """It is quiet since `time`."""
        self._quiet_at = time

    def _nearest(self, shares: Shares) -> float:
        """Cosine with the nearest row that is kept; 1 where one of them has no shares, as rules have none."""
        return max((_cosine(shares, known) for known in self._shares), default=1.0) if shares else 1.0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, for the state file."""
        return {
            "occurrences": self.occurrences,
            "quiet_at": self._quiet_at,
            "longest_s": self._longest_s,
            "shares": self._shares,
        }


def recurring_from_dict(body: Mapping[str, Any]) -> Recurring:
    """What `to_dict` wrote.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is malformed.
    """
    one, quiet_at = Recurring(), body["quiet_at"]
    one.occurrences, one._longest_s = max(1, int(body["occurrences"])), max(0.0, float(body["longest_s"]))
    one._quiet_at = None if quiet_at is None else float(quiet_at)
    one._shares = [{str(name): float(part) for name, part in row.items()} for row in body["shares"][:_MOST_KEPT]]
    numbers = [one._longest_s, one._quiet_at or 0.0, *(part for row in one._shares for part in row.values())]
    if not all(map(math.isfinite, numbers)):
        raise ValueError("an alarm that comes back wants finite numbers")
    return one


def _shares_of(contributors: Iterable[Contributor]) -> dict[str, float]:
    return {part.channel: part.share for part in contributors}


def _cosine(one: Shares, other: Shares) -> float:
    size = math.sqrt(sum(part**2 for part in one.values()) * sum(part**2 for part in other.values()))
    return sum(part * other.get(name, 0.0) for name, part in one.items()) / size if size else 1.0
