"""Five plain statistics of a row, without a network: what a detector that costs more has to beat.

Hotelling's T2 and the squared prediction error Q of a PCA, EWMA charts of each channel and of the PCA's residual, and
the distance to remembered normal windows. Each has the limit that normal rows reach which it has not seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from train.read.dataset import sliding_windows

MEMBERS = ("t2", "q", "level", "relation", "windows")
"""The statistics, in the order of their columns."""
MARGIN = 1.3
"""Times its limit a statistic alarms; from 1.0 to 2.0 little changes."""
LEAST_ROWS = 3
"""Rows that the loudest statistic must stay above that."""
WINDOW = 20
"""Rows in a remembered window; a tenth of the rows that a recording is commissioned on, where these are few."""
_FOLDS = 5
_LEAST_BLOCK_ROWS = 20
_EXPLAINED = 0.95
"""Part of the variance that the components kept explain."""
_SHORT_SPAN = 5.0
"""Span of the means of T2 and Q, rows."""
_BASELINE_ROWS = 300.0
"""Time constant with which the baseline follows a channel."""
_STEP = 3.0
"""A row moves the baseline as if it were at most so far away, standard deviations."""
_CLIP = 20.0
_REMEMBERED = 300
_NEAREST = 3
_CHUNK = 2000
"""Windows whose distances are taken at once: memory."""


@dataclass(frozen=True)
class Statistics:
    """What the five statistics learned from normal runs; arrays by channel unless said."""

    window: int
    mean: np.ndarray
    sd: np.ndarray
    in_control: np.ndarray
    """The baseline follows a channel while its level chart is within this, standard deviations."""
    axes: np.ndarray
    """(kept, channels): the components."""
    power: np.ndarray
    """(kept,): their variances."""
    remembered: np.ndarray
    """(n, window * channels): normal windows."""

    def of(self, rows: np.ndarray) -> np.ndarray:
        """(n, 5): the `MEMBERS` of each of (n, channels) rows without a gap."""
        z = self._relative(rows)
        parts = z @ self.axes.T
        rest = z - parts @ self.axes
        span = self.window / 2
        members = (
            _smooth((parts**2 / self.power).sum(axis=1, keepdims=True), _SHORT_SPAN)[:, 0],
            _smooth((rest**2).sum(axis=1, keepdims=True), _SHORT_SPAN)[:, 0],
            np.abs(_smooth(z, span)).max(axis=1),
            (_smooth(rest, span) ** 2).sum(axis=1),
            self._distances(z),
        )
        return np.stack(members, axis=1)

    def _relative(self, rows: np.ndarray) -> np.ndarray:
        """Scaled, less a baseline that follows each channel slowly while its chart is in control."""
        z = _scaled(rows, self.mean, self.sd)
        out, baseline, chart = np.empty_like(z), np.zeros(z.shape[1]), np.zeros(z.shape[1])
        part = 2 / (self.window / 2 + 1)
        for number, row in enumerate(z):
            out[number] = distance = row - baseline
            chart += part * (distance - chart)
            baseline += (np.abs(chart) <= self.in_control) * np.clip(distance, -_STEP, _STEP) / _BASELINE_ROWS
        return out

    def _distances(self, z: np.ndarray) -> np.ndarray:
        """(n,): the mean distance of a row's window to the nearest remembered ones; 0 while the window fills."""
        distances = np.zeros(len(z))
        windows = sliding_windows(z, self.window, 1)
        squares = (self.remembered**2).sum(axis=1)
        for first in range(0, len(windows), _CHUNK):
            part = windows[first : first + _CHUNK].reshape(-1, self.remembered.shape[1])
            squared = (part**2).sum(axis=1)[:, None] + squares - 2 * part @ self.remembered.T
            nearest = np.partition(squared, min(_NEAREST - 1, len(squares) - 1), axis=1)[:, :_NEAREST]
            row = self.window - 1 + first
            distances[row : row + len(part)] = np.sqrt(np.maximum(nearest, 0)).mean(axis=1)
        return distances


@dataclass(frozen=True)
class Reference:
    """The statistics with their limits."""

    statistics: Statistics
    limits: np.ndarray
    """(5,): the highest values on normal rows that the statistics had not seen."""

    def alarms(self, rows: np.ndarray) -> np.ndarray:
        """(n,) bool of (n, channels) rows without a gap: whether the loudest statistic stays above its limit."""
        loudness = (self.statistics.of(rows) / self.limits).max(axis=1)
        loudness[: self.statistics.window] = 0.0  # as for the limits: windows that are not full yet
        return np.convolve(loudness > MARGIN, np.ones(LEAST_ROWS, int))[: len(rows)] == LEAST_ROWS


def reference_alarms(
    normal: Sequence[np.ndarray], recordings: Sequence[np.ndarray], commission_rows: int = 0
) -> list[np.ndarray]:
    """(n,) bool for each recording of (n, channels) rows; a missing value counts as 0.

    Learned on the `normal` runs, or of each recording on its own first rows where they
    are to commission it.

    Raises:
        ValueError: no normal rows.
    """
    recordings = [np.nan_to_num(rows) for rows in recordings]
    if commission_rows:
        window = max(2, min(WINDOW, commission_rows // 10))
        return [fit_reference([rows[:commission_rows]], window).alarms(rows) for rows in recordings]
    reference = fit_reference([np.nan_to_num(rows) for rows in normal])
    return [reference.alarms(rows) for rows in recordings]


def fit_reference(runs: Sequence[np.ndarray], window: int = WINDOW) -> Reference:
    """The statistics of all normal runs, (n, channels) each, with limits from cross-fitting.

    The runs are cut into blocks; those that learn from four fifths of them say how
    high they get on the others.

    Raises:
        ValueError: no rows.
    """
    runs = [run for run in runs if len(run)]
    if not runs:
        raise ValueError("the reference wants normal rows")
    blocks = [block for run in runs for block in np.array_split(run, _blocks(len(run)))]
    folds = min(_FOLDS, len(blocks))
    highest = []
    for fold in range(folds):
        others = [block for number, block in enumerate(blocks) if number % folds != fold]
        statistics = _learn(others or blocks, window)
        for block in blocks[fold::folds]:
            highest.append(statistics.of(block)[min(window, len(block) - 1) :].max(axis=0))
    return Reference(_learn(runs, window), np.maximum(np.max(highest, axis=0), 1e-9))


def _blocks(rows: int) -> int:
    return max(1, min(_FOLDS, rows // _LEAST_BLOCK_ROWS))


def _learn(runs: Sequence[np.ndarray], window: int) -> Statistics:
    every = np.concatenate(runs)
    mean = every.mean(axis=0)
    sd = np.maximum(every.std(axis=0), 1e-6 * np.maximum(np.abs(mean), 1e-3))
    charts = [np.abs(_smooth(_scaled(run, mean, sd), window / 2)).max(axis=0) for run in runs]
    in_control = 1.5 * np.maximum(np.max(charts, axis=0), 0.3)
    nothing = np.zeros((0, every.shape[1]))
    blank = Statistics(window, mean, sd, in_control, nothing, np.zeros(0), nothing)
    relative = [blank._relative(run) for run in runs]
    axes, power = _components(np.concatenate(relative))
    return Statistics(window, mean, sd, in_control, axes, power, _remembered(relative, window))


def _components(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(kept, channels) axes and (kept,) variances of (n, channels) rows."""
    _, spread, axes = np.linalg.svd(z, full_matrices=False)
    part = np.cumsum(spread**2) / max(float((spread**2).sum()), 1e-12)
    kept = int(np.searchsorted(part, _EXPLAINED)) + 1
    return axes[:kept], np.maximum(spread[:kept] ** 2 / len(z), 1e-3)


def _remembered(relative: Sequence[np.ndarray], window: int) -> np.ndarray:
    """(n, window * channels): windows spread evenly over all runs; one of zeros where none is long enough."""
    width = window * relative[0].shape[1]
    every = np.concatenate([sliding_windows(run, window, 1) for run in relative]).reshape(-1, width)
    chosen = np.linspace(0, len(every) - 1, min(_REMEMBERED, len(every))).astype(int)
    return every[chosen] if len(every) else np.zeros((1, width))


def _scaled(rows: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    return np.clip((rows - mean) / sd, -_CLIP, _CLIP)


def _smooth(values: np.ndarray, span: float) -> np.ndarray:
    """Exponentially weighted mean of (n, m) values along n, from zero on."""
    part = 2 / (max(span, 1.0) + 1)
    return lfilter([part], [1, part - 1], values, axis=0)
