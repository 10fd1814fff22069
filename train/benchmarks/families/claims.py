"""Whether alerts are as rare as calibrations say: false episodes claimed beside those seen, family by family."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy.stats import chi2

from edge.detector.bundle.calibration import Calibration

LEAST_CLAIMED = 3.0
"""Families of which fewer false episodes are claimed say little each, and are told as one."""
FACTOR = 3.0
"""So many times too few or too many still count as what was claimed."""
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Claim:
    """False episodes that calibrations promise for the normal rows of some recordings, and those that were seen."""

    families: tuple[str, ...]
    days: float
    """Of normal rows, with a calibration that makes a claim."""
    claimed: float
    seen: float
    """A whole number but for means over seeds."""

    @property
    def interval(self) -> tuple[float, float]:
        """The means of Poisson distributions of which what was seen is no surprise, 95 % (Garwood 1936).

        >>> [round(end, 2) for end in Claim((), 1.0, 1.0, 4).interval]
        [1.09, 10.24]
        """
        rest = (1 - _CONFIDENCE) / 2
        low = float(chi2.ppf(rest, 2 * self.seen)) / 2 if self.seen else 0.0
        return low, float(chi2.ppf(1 - rest, 2 * self.seen + 2)) / 2

    @property
    def holds(self) -> bool:
        """Whether the interval of what was seen meets a third to three times what was claimed."""
        low, high = self.interval
        return low <= FACTOR * self.claimed and high >= self.claimed / FACTOR

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**vars(self), "families": list(self.families), "interval": list(self.interval), "holds": self.holds}


def alerts_per_s(calibration: Calibration) -> float | None:
    """How often normal rows should reach score 1.0, a second, extrapolated; None where the calibration cannot say."""
    tail = calibration.tail
    return None if tail is None or tail.peaks == 0 else tail.rate(calibration.level)


def pooled(claims: Mapping[str, Claim]) -> Sequence[Claim]:
    """By family: those of which enough is claimed each, then all others as one."""
    small = [claim for claim in claims.values() if claim.claimed < LEAST_CLAIMED]
    large = [claim for claim in claims.values() if claim.claimed >= LEAST_CLAIMED]
    return [*large, _one(small)] if small else large


def _one(claims: Sequence[Claim]) -> Claim:
    families = tuple(family for claim in claims for family in claim.families)
    days, claimed, seen = (sum(getattr(one, name) for one in claims) for name in ("days", "claimed", "seen"))
    return Claim(families, days, claimed, seen)
