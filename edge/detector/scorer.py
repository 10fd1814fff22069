"""Residuals and charts to one fused statistic, and each channel's share in it."""

from dataclasses import dataclass

import numpy as np

from edge.detector.tuning import Tuning


@dataclass(frozen=True)
class Limits:
    """The limits of n streams, stacked: arrays (n, channels) or (n,); see `Calibration` for their meaning."""

    chart: np.ndarray
    residual: np.ndarray
    bias: np.ndarray
    window: np.ndarray
    recent: np.ndarray


@dataclass(frozen=True)
class Statistics:
    """What n windows gave before they are compared with limits."""

    window: np.ndarray
    """(n, channels): mean squared residual over the window, in squared residual scales."""
    recent: np.ndarray
    """(n, channels): the same over its last rows."""
    bias: np.ndarray
    """(n, channels): |mean residual| over the window, in residual scales."""


@dataclass(frozen=True)
class Fused:
    """n fused statistics and where they come from."""

    statistic: np.ndarray
    """(n,): about 1 at the most unusual normal row; higher is more unusual."""
    shares: np.ndarray
    """(n, channels): parts of the statistic, adding up to 1."""


def residual_statistics(
    windows: np.ndarray, outputs: np.ndarray, known: np.ndarray, scale: np.ndarray, tuning: Tuning
) -> Statistics:
    """Statistics of (n, window, channels) windows and what the network made of them.

    `known` (n, window, channels) is False where a reading was missing: those residuals
    count as zero. `scale` (n, channels) is the normal size of a residual.
    """
    residual = np.where(known, windows - outputs, 0.0) / scale[:, None]
    recent = max(1, round(residual.shape[1] * tuning.recent))
    squared = residual * residual
    return Statistics(
        window=squared.mean(axis=1),
        recent=squared[:, -recent:].mean(axis=1),
        bias=np.abs(residual.mean(axis=1)),
    )


def fuse(statistics: Statistics, ewma: np.ndarray, limits: Limits, tuning: Tuning) -> Fused:
    """One statistic of the members: the autoencoder's errors, their bias, and the (n, channels) EWMA chart.

    Errors and chart are multiplied (geometric mean), so that what both see counts at
    once and what only one sees must be louder; a member `loud` times over its limit
    counts alone, so that none can silence another.
    """
    chart = np.abs(ewma) / limits.chart
    bias = statistics.bias / limits.bias
    window = statistics.window.mean(axis=1) / limits.window
    recent = statistics.recent.mean(axis=1) / limits.recent
    errors = np.sqrt(window * recent)
    loudest = np.maximum(np.maximum(chart.max(axis=1), bias.max(axis=1)), np.maximum(window, recent))
    statistic = np.maximum(np.sqrt(chart.max(axis=1) * errors), loudest / tuning.loud)
    return Fused(statistic, _shares(statistics, chart, bias))


def _shares(statistics: Statistics, chart: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Each channel's part: how far it is out in energy, in level and in bias, added up."""
    parts = statistics.window + statistics.recent + chart**2 + bias**2
    return parts / np.maximum(parts.sum(axis=1, keepdims=True), 1e-12)
