"""The baseline that stands beside every result: fixed limits of mean +- 3 sd on each channel."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from firmware_sim.machine.faults import Fault

GRACE_S = 30.0
"""An episode that starts so long after a fault's end still counts as finding it."""


@dataclass(frozen=True)
class Limits:
    """Fixed limits, learned from a normal run. Rows outside are alarms."""

    low: np.ndarray
    """(channels,)"""
    high: np.ndarray
    """(channels,)"""

    def outside(self, values: np.ndarray) -> np.ndarray:
        """Whether any channel is outside, bool (rows,); a missing value never is. `values` is (rows, channels)."""
        return np.any((values < self.low) | (values > self.high), axis=1)


def fit_limits(values: np.ndarray, sds: float = 3.0) -> Limits:
    """Mean +- `sds` standard deviations of each channel of normal rows, (rows, channels), NaN ignored."""
    mean, sd = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    return Limits(mean - sds * sd, mean + sds * sd)


def alarm_episodes(times: np.ndarray, alarm: np.ndarray, hold_s: float = 60.0) -> list[tuple[float, float]]:
    """Start and end of each stretch of alarm, Unix seconds; it ends once `hold_s` pass without an alarm row."""
    moments = times[alarm]
    if not len(moments):
        return []
    breaks = np.flatnonzero(np.diff(moments) > hold_s) + 1
    return [(float(part[0]), float(part[-1])) for part in np.split(moments, breaks)]


def found(fault: Fault, episodes: Iterable[tuple[float, float]]) -> bool:
    """Whether an episode starts during the fault or within `GRACE_S` after it; one already on does not count."""
    return any(fault.start <= start <= fault.end + GRACE_S for start, _ in episodes)


def false_episodes(faults: Sequence[Fault], episodes: Iterable[tuple[float, float]]) -> int:
    """How many episodes start outside every fault and its grace."""
    return sum(not any(fault.start <= start <= fault.end + GRACE_S for fault in faults) for start, _ in episodes)
