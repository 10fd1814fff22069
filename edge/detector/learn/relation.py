"""How channels go together in one row: what a principal component analysis of normal rows leaves over."""

import numpy as np

_KEPT = 0.95
"""Part of the variance that the components kept explain; usual in process monitoring (Chiang, Russell, Braatz 2001)."""
_LEAST_VARIANCE = 1e-12


def residual_projector(rows: np.ndarray) -> np.ndarray:
    """(channels, channels) matrix that takes a row to its part outside the principal components of (n, channels) rows.

    Rows are distances from the baseline, z-units; their mean is taken as zero.
    Source: Jackson and Mudholkar 1979, the Q statistic or squared prediction error.
    """
    channels = rows.shape[1]
    if not len(rows):
        return np.zeros((channels, channels))
    variances, axes = np.linalg.eigh(rows.T @ rows / len(rows))
    variances, axes = variances[::-1], axes[:, ::-1]
    total = max(float(variances.sum()), _LEAST_VARIANCE)
    kept = int(np.searchsorted(np.cumsum(variances) / total, _KEPT)) + 1
    axes = axes[:, :kept]
    return np.eye(channels) - axes @ axes.T
