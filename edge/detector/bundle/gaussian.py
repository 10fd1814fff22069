"""Residuals of last rows as draws from a multivariate Gaussian: how improbable one is, and which way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

_RIDGE = 1e-3
"""Added to every variance, squared residual scales: channels that move as one would have no inverse."""


@dataclass(frozen=True)
class Gaussian:
    """A Gaussian fitted by maximum likelihood to normal residuals, with the limits of what it says.

    The Mahalanobis distance is the log-density but for a constant and a square root.
    Source: Malhotra et al. 2016; for limits upwards and downwards Malhotra et al. 2015.
    """

    mean: np.ndarray
    """(channels,) residual scales."""
    precision: np.ndarray
    """(channels, channels): the inverse of the covariance."""
    limit: float
    """Distance that normal rows should not pass."""
    low: np.ndarray
    """(channels,): how far an error may lie below the mean, residual scales; infinite without signed limits."""
    high: np.ndarray
    """(channels,): the same above it."""

    def statistic(self, residual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of (n, channels) residuals: (n,) parts of the nearest limit reached, and (n, channels) shares."""
        off = residual - self.mean
        parts = np.maximum(off * (off @ self.precision), 0.0)
        signed = np.maximum(off / self.high, -off / self.low)
        distance = np.sqrt(np.maximum((off * (off @ self.precision)).sum(axis=1), 0.0)) / self.limit
        return np.maximum(distance, signed.max(axis=1)), parts / np.maximum(parts.sum(axis=1, keepdims=True), 1e-12)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; None for limits that are not there."""
        signed = bool(np.isfinite(self.low).all())
        return {
            "mean": self.mean.tolist(),
            "precision": self.precision.tolist(),
            "limit": self.limit,
            "low": self.low.tolist() if signed else None,
            "high": self.high.tolist() if signed else None,
        }


def fit_gaussian(residual: np.ndarray, highest: Callable[[np.ndarray], np.ndarray], signed: bool) -> Gaussian:
    """The Gaussian of (n, channels) normal residuals, by maximum likelihood.

    `highest` says of (n, m) statistics what each will reach on rows to come, (m,).
    """
    mean = residual.mean(axis=0)
    off = residual - mean
    channels = residual.shape[1]
    precision = np.linalg.inv(off.T @ off / len(off) + _RIDGE * np.eye(channels))
    distance = np.sqrt((off * (off @ precision)).sum(axis=1))
    limit = max(float(highest(distance[:, None])[0]), 1e-6)
    none = np.full(channels, np.inf)
    low, high = (np.maximum(highest(side), 1e-6) for side in (-off, off)) if signed else (none, none)
    return Gaussian(mean, precision, limit, low, high)


def gaussian_from_dict(body: Mapping[str, Any], channels: int) -> Gaussian:
    """The Gaussian that `to_dict` wrote for so many channels.

    Raises:
        KeyError, TypeError, ValueError: fields are missing, of another shape, or out of range.
    """
    none = np.full(channels, np.inf)
    mean, precision = (np.asarray(body[name], np.float64) for name in ("mean", "precision"))
    low, high = (none if body[name] is None else np.asarray(body[name], np.float64) for name in ("low", "high"))
    limit = float(body["limit"])
    if any(one.shape != (channels,) for one in (mean, low, high)) or precision.shape != (channels, channels):
        raise ValueError(f"a Gaussian wants numbers of {channels} channels")
    if not (np.isfinite(mean).all() and np.isfinite(precision).all() and 0 < limit < np.inf):
        raise ValueError("a Gaussian wants finite numbers and a limit above 0")
    if not ((low > 0).all() and (high > 0).all()):
        raise ValueError("a Gaussian wants limits above 0")
    return Gaussian(mean, precision, limit, low, high)
