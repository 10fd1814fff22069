"""What rows of many streams gave."""

from dataclasses import dataclass

import numpy as np

from edge.detector.members.registry import MEMBERS


@dataclass(frozen=True)
class Scored:
    """What one row each of n streams gave; NaN and zeros where no network ran."""

    ran: np.ndarray
    """(n,) bool: whether this row completed a window that the network ran on."""
    statistic: np.ndarray
    """(n,): the fused statistic, NaN where it did not run, or no member takes part."""
    shares: np.ndarray
    """(n, channels)."""
    reason: np.ndarray
    """(n, channels): the member that says most of each channel, as a position in `MEMBERS`."""
    expected: np.ndarray
    """(n, channels): what the network made of the last row, in the channels' units; NaN where it did not run."""
    level: np.ndarray
    """(n, channels): where the baseline is, in the channels' units."""
    parts: np.ndarray
    """(ran, members, channels): every member's parts by channel, before usual sizes; of those that ran."""
    values: np.ndarray
    """(ran, members): the members that are one number for all; NaN for those by channel."""
    last: np.ndarray
    """(ran, channels): residuals of last rows, residual scales, signed."""
    away: np.ndarray
    """(ran, channels): distances of last rows from their baselines, z-units, signed."""


def silent(ran: np.ndarray, level: np.ndarray) -> Scored:
    """What rows give that completed no window; `ran` (n,) and `level` (n, channels) as in `Scored`."""
    n, channels = level.shape
    none = np.zeros((0, channels))
    return Scored(
        ran,
        statistic=np.full(n, np.nan),
        shares=np.zeros((n, channels)),
        reason=np.zeros((n, channels), np.intp),
        expected=np.full((n, channels), np.nan),
        level=level,
        parts=np.zeros((0, len(MEMBERS), channels)),
        values=np.zeros((0, len(MEMBERS))),
        last=none,
        away=none,
    )
