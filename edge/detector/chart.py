"""Per-channel EWMA control charts over a baseline that follows slow drift."""

import numpy as np

from edge.detector.tuning import Tuning


class Charts:
    """EWMA charts and baselines of many streams; the first axis is the stream.

    A channel's baseline follows its readings while that channel is in control, and stands
    still otherwise; it never leaves its commissioned value by more than `max_drift`. It
    does not wait for the stream's alarm to end: an alarm that froze what could end it
    would hold itself up (on SKAB valve1 that doubled the false alarms, J .53 against .70).
    Source: Roberts 1959 (EWMA chart).
    """

    def __init__(self, streams: int, slots: int, channels: int, window: int, tuning: Tuning) -> None:
        self.ewma: np.ndarray = np.zeros((streams, channels))
        """Smoothed distance from the baseline, z-units."""
        self.baseline: np.ndarray = np.zeros((streams, slots, channels))
        """Offset from the commissioned center, z-units."""
        self._weight = 1 / max(1.0, tuning.chart_windows * window)
        # A slot of a season comes round once a day or week; it must follow in a few visits, not in thousands.
        rows = tuning.baseline_windows * window
        self._follow = 1 / max(1.0, rows if slots == 1 else 4.0 * max(1.0, window / 24))
        self._tuning = tuning

    def center(self, streams: np.ndarray, slots: np.ndarray, z: np.ndarray) -> np.ndarray:
        """(n, channels) z-units relative to the baseline."""
        return z - self.baseline[streams, slots]

    def update(self, streams: np.ndarray, distance: np.ndarray) -> np.ndarray:
        """Take (n, channels) distances from the baseline, NaN where missing; the EWMA after them."""
        ewma = self.ewma[streams]
        ewma += self._weight * np.where(np.isnan(distance), 0.0, distance - ewma)
        self.ewma[streams] = ewma
        return ewma

    def follow(
        self,
        streams: np.ndarray,
        slots: np.ndarray,
        distance: np.ndarray,
        in_control: np.ndarray,
        max_drift: np.ndarray,
    ) -> None:
        """Move the baselines of (n, channels) `in_control` channels towards the readings, within `max_drift`."""
        step = np.clip(np.nan_to_num(distance), -self._tuning.step, self._tuning.step) * self._follow
        moved = self.baseline[streams, slots] + np.where(in_control, step, 0.0)
        self.baseline[streams, slots] = np.clip(moved, -max_drift, max_drift)

    def clear(self, streams: np.ndarray) -> None:
        """Start the charts over after a gap; baselines stay."""
        self.ewma[streams] = 0.0
