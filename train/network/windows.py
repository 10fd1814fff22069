"""The windows a network is trained on: the rows that the device's rings would hold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.detector.bundle.scaler import Scaler
from edge.detector.rows.season import Calendar
from train.read.dataset import Run


@dataclass(frozen=True)
class WindowSet:
    """Windows over shared rows: neighbours overlap, so only their first rows are kept."""

    rows: np.ndarray
    """(m, channels) float32 in scaled units, NaN where missing; all segments one after another."""
    starts: np.ndarray
    """(n,) first row of each window; none reaches over the end of its segment."""
    length: int
    """Rows in a window."""

    def __len__(self) -> int:
        return len(self.starts)

    def take(self, numbers: np.ndarray | slice) -> np.ndarray:
        """Windows by number: (n, length, channels), NaN where missing."""
        return self.rows[self.starts[numbers][:, None] + np.arange(self.length)]


def window_set(segments: Sequence[np.ndarray], length: int, stride: int = 1) -> WindowSet:
    """All windows of (n, channels) segments, one every `stride` rows; segments shorter than a window have none."""
    starts, rows_before = [np.empty(0, np.intp)], 0
    for segment in segments:
        starts.append(rows_before + np.arange(0, len(segment) - length + 1, stride))
        rows_before += len(segment)
    rows = np.concatenate(segments) if segments else np.empty((0, 0))
    return WindowSet(rows.astype(np.float32), np.concatenate(starts), length)


def filled(windows: np.ndarray) -> np.ndarray:
    """Windows as the network takes them: missing values are 0."""
    return np.nan_to_num(windows, nan=0.0)


def scaled_rows(run: Run, scaler: Scaler, calendar: Calendar) -> list[np.ndarray]:
    """Each segment's rows (n, channels) in scaled units, NaN where missing."""
    return [scaler.transform(part.values, calendar.slots_of(part.times)) for part in run.segments]
