"""An alarm that comes and goes: how often it came back, and how long it is waited for therefore.

After ISA-18.2 and EEMUA 191, where an off-delay tames an alarm that repeats; here what repeats is recognised first.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from edge.wire.events import Contributor

REMEMBERED_S = 600.0
"""What comes back within so long is the same again, and what is known to come and go stays open for so long while it is
quiet, seconds. Ten minutes are the span over which EEMUA 191 counts alarms. Chosen on the simulated pump alone: less
breaks its long faults up, more takes a second fault for the first (decision 018)."""
TOLD = 4
"""So many times what comes back within that is told as an episode of its own, whatever came before: from its third time
on within a minute ISA-18.2 calls an alarm chattering, and the fourth is one more to be sure."""
KNOWN_S = 600.0
"""Or only twice where it was in alarm for so long in all, seconds: it has been told of for as long as it is
remembered."""
PAUSES = 2.0
"""And for so many times the longest pause after which it came back, where that is longer: quiet that was not the end
before says little. Only pauses within `REMEMBERED_S` count, or a second fault that looks the same would teach it."""
KEPT_S = 3600.0
"""What is known to come and go is remembered for so long after it was in alarm, seconds: as an episode of its own it is
told at once, and no more than that. An hour is what `update_every_s` is by default."""
SAME = 0.6
"""Cosine between the shares of two rows from which they show the same: there more than a third of the squares are of
one and the same channels. Where two channels of equal share have one in common it is .5."""
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
        self._began, self._before_s = 0.0, 0.0  # the last time it came, and how long it was in alarm before
        self._alarm_s = 0.0
        self._pause_s = 0.0  # the longest after which it came back
        self._shares: list[dict[str, float]] = []
        self.led: tuple[str, ...] = ()
        """Channels that were told as leading, in their order."""

    @property
    def is_known(self) -> bool:
        """Whether it has shown that it comes and goes."""
        return self.occurrences >= TOLD or (self.occurrences >= 2 and self._alarm_s >= KNOWN_S)

    @property
    def wait_s(self) -> float:
        """How long it must be quiet to be over, seconds; 0 for what is not known to come and go."""
        return max(REMEMBERED_S, PAUSES * self._pause_s) if self.is_known else 0.0

    def is_again(self, time: float, contributors: Iterable[Contributor] = ()) -> bool:
        """Whether what begins at `time` is the same again."""
        return (
            self._quiet_at is not None
            and 0 <= time - self._quiet_at <= (KEPT_S if self.is_known else REMEMBERED_S)
            and self._nearest(_shares_of(contributors)) >= SAME
        )

    def begin(self, time: float, contributors: Iterable[Contributor] = ()) -> int:
        """It is in alarm since `time`; the number of times it came."""
        contributors = tuple(contributors)
        if self._quiet_at is not None and self.is_again(time, contributors):
            self.occurrences = max(1, self.occurrences) + 1
            pause_s = time - self._quiet_at
            self._pause_s = max(self._pause_s, pause_s if pause_s <= REMEMBERED_S else 0.0)
        else:
            self.occurrences, self._alarm_s, self._pause_s, self._shares, self.led = 1, 0.0, 0.0, [], ()
        self._quiet_at, self._began, self._before_s = None, time, self._alarm_s
        self.show(contributors)
        return self.occurrences

    def show(self, contributors: Iterable[Contributor]) -> None:
        """A row of it in alarm."""
        shares = _shares_of(contributors)
        if shares and len(self._shares) < _MOST_KEPT and (not self._shares or self._nearest(shares) < _KNOWN):
            self._shares.append(shares)

    def quiet(self, time: float, led: Iterable[str] = ()) -> None:
        """It is quiet since `time`; these were told as leading by then."""
        self._quiet_at, self.led = time, tuple(led)
        self._alarm_s = self._before_s + max(0.0, time - self._began)

    def _nearest(self, shares: Shares) -> float:
        """Cosine with the nearest row that is kept; 1 where one of them has no shares, as rules have none."""
        return max((_cosine(shares, known) for known in self._shares), default=1.0) if shares else 1.0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, for the state file."""
        return {
            "occurrences": self.occurrences,
            "quiet_at": self._quiet_at,
            "began": self._began,
            "before_s": self._before_s,
            "alarm_s": self._alarm_s,
            "pause_s": self._pause_s,
            "shares": self._shares,
            "led": list(self.led),
        }


def recurring_from_dict(body: Mapping[str, Any]) -> Recurring:
    """What `to_dict` wrote.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is malformed.
    """
    one, quiet_at = Recurring(), body["quiet_at"]
    one.occurrences = max(1, int(body["occurrences"]))
    one._quiet_at = None if quiet_at is None else float(quiet_at)
    one._began, one._before_s, one._alarm_s = (float(body[name]) for name in ("began", "before_s", "alarm_s"))
    one._pause_s = float(body.get("pause_s", 0.0))
    one._shares = [{str(name): float(part) for name, part in row.items()} for row in body["shares"][:_MOST_KEPT]]
    one.led = tuple(map(str, body["led"]))
    own = [one._began, one._before_s, one._alarm_s, one._pause_s, one._quiet_at or 0.0]
    if not all(map(math.isfinite, [*own, *(part for row in one._shares for part in row.values())])):
        raise ValueError("how an alarm came back wants finite numbers")
    return one


def _shares_of(contributors: Iterable[Contributor]) -> dict[str, float]:
    return {part.channel: part.share for part in contributors}


def _cosine(one: Shares, other: Shares) -> float:
    size = math.sqrt(sum(part**2 for part in one.values()) * sum(part**2 for part in other.values()))
    return sum(part * other.get(name, 0.0) for name, part in one.items()) / size if size else 1.0
