"""The detector's arithmetic for a whole recording at once, in plain NumPy: the oracle for the streaming code."""

import numpy as np

from edge.detector.calibration import Calibration
from edge.detector.runtime import Network
from edge.detector.tuning import Tuning


def offline_scores(
    values: np.ndarray, starts: list[int], calibration: Calibration, network: Network, window: int, tuning: Tuning
) -> np.ndarray:
    """(n,) scores of (n, channels) readings without a season; rows `starts` have a gap before them."""
    center, scale = calibration.scaler.center[0], calibration.scaler.scale[0]
    z = np.clip((values - center) / scale, -10, 10)
    level, shift = _levels(z, starts, calibration, window, tuning)
    inputs = z - shift if calibration.shifted else z
    known = ~np.isnan(inputs)
    inputs = np.where(known, inputs, 0.0).astype(np.float32)
    scores = np.full(len(z), np.nan)
    for first, stop in zip(starts, [*starts[1:], len(z)], strict=True):
        ends = np.arange(first + window - 1, stop)
        if len(ends):
            scores[ends] = _statistic(inputs, known, level, ends, calibration, network, window, tuning)
    scores[np.isnan(values).all(axis=1)] = np.nan  # a row without any value is not scored
    return scores / calibration.level


def _levels(
    z: np.ndarray, starts: list[int], calibration: Calibration, window: int, tuning: Tuning
) -> tuple[np.ndarray, np.ndarray]:
    """(n, channels) EWMA of the distance from the baseline, and the baseline before each row."""
    weight, follow = 1 / max(1, tuning.level_windows * window), 1 / max(1, tuning.baseline_windows * window)
    ewma, baseline = np.zeros(z.shape[1]), np.zeros(z.shape[1])
    levels, baselines = np.zeros_like(z), np.zeros_like(z)
    for row in range(len(z)):
        if row in starts:
            ewma = np.zeros(z.shape[1])
        distance = z[row] - baseline
        baselines[row] = baseline
        ewma = np.where(np.isnan(distance), ewma, (1 - weight) * ewma + weight * distance)
        levels[row] = ewma
        follows = (np.abs(ewma) <= tuning.freeze * calibration.control_limit) & ~np.isnan(distance)
        moved = baseline + follow * np.clip(distance, -tuning.step, tuning.step)
        baseline = np.clip(np.where(follows, moved, baseline), -calibration.max_drift, calibration.max_drift)
    return levels, baselines


def _statistic(
    inputs: np.ndarray,
    known: np.ndarray,
    level: np.ndarray,
    ends: np.ndarray,
    calibration: Calibration,
    network: Network,
    window: int,
    tuning: Tuning,
) -> np.ndarray:
    """The fused statistic of the windows that end at rows `ends`, which follow each other."""
    rows = ends[:, None] + np.arange(1 - window, 1)
    windows = inputs[rows]
    lowest, highest = calibration.fitted_range.astype(np.float32)
    windows = np.minimum(np.maximum(windows, lowest), highest)
    residual = np.where(known[rows], windows - network.run(windows), 0.0) / calibration.residual_scale
    residual = np.clip(residual, -tuning.cut, tuning.cut)
    recent = residual[:, -max(1, round(window * tuning.recent)) :]
    weight = 1 / max(1, tuning.error_windows * window)
    mean, square = residual.mean(axis=1), (residual**2).mean(axis=1)
    # A chart counts as far as its window still shows what it remembers.
    bias = np.minimum(np.abs(_ewma(mean, weight)), np.abs(mean))
    energy = np.minimum(_ewma(square, weight), square)
    in_limits = np.stack([np.abs(level[ends]), bias, energy], axis=1) / calibration.channel_limits
    whole = np.stack([(residual**2).mean(axis=(1, 2)), (recent**2).mean(axis=(1, 2))], axis=1)
    loudest = in_limits[:, 0].max(axis=1)
    errors = np.sqrt((whole / calibration.whole_limits).prod(axis=1))
    joint = np.minimum(np.sqrt(loudest * errors), np.minimum(loudest, errors) / tuning.least_joint)
    in_limits[:, 0] /= tuning.loud_level
    return np.maximum(joint, in_limits.max(axis=(1, 2)))


def _ewma(series: np.ndarray, weight: float) -> np.ndarray:
    smoothed, state = [], np.zeros(series.shape[1])
    for row in series:
        state = (1 - weight) * state + weight * row
        smoothed.append(state)
    return np.array(smoothed)
