"""Whether return periods hold: how often normal rows that nobody has seen reach the scores that are said to be rare."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.detector.bundle.calibration import Calibration
from edge.detector.bundle.tail import EXTRAPOLATION, cluster_peaks

CLAIMS_S = (600.0, 1800.0, 3600.0, 4 * 3600.0, 86400.0, 7 * 86400.0)
_LEAST_EXPECTED = 5.0
"""Claims that the rows should bear out so often at least: fewer are chance."""


@dataclass(frozen=True)
class Claim:
    """One return period beside what was seen of it."""

    claimed_s: float
    """Mean time between peaks at least this high that the calibration promises, seconds."""
    expected: float
    """Peaks that there should be of it."""
    seen: int

    @property
    def ratio(self) -> float | None:
        """Observed period over the claimed one; under 1 alarms come more often than was said."""
        return self.expected / self.seen if self.seen else None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**vars(self), "observed_over_claimed": self.ratio}


def claims(streams: Sequence[tuple[np.ndarray, Calibration]], apart: int, period_s: float) -> tuple[Claim, ...]:
    """Each of `CLAIMS_S` that the calibrations make and the rows suffice for.

    `streams` are (n,) scores of normal rows, `period_s` seconds apart, and what they
    were scored with; peaks are `apart` scores from each other, as in calibration.
    """
    made = []
    for claimed_s in CLAIMS_S:
        expected, seen = 0.0, 0
        for scores, calibration in streams:
            tail = calibration.tail
            if tail is None or not tail.span_s / max(tail.peaks, 1) <= claimed_s <= EXTRAPOLATION * tail.span_s:
                continue
            peaks = cluster_peaks(scores, apart)
            expected += float(np.isfinite(scores).sum()) * period_s / claimed_s
            seen += int((peaks * calibration.level >= tail.level(claimed_s)).sum())
        if expected >= _LEAST_EXPECTED:
            made.append(Claim(claimed_s, expected, seen))
    return tuple(made)
