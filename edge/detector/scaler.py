"""Readings to z-units and back: (value - center) / scale per channel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

KINDS = ("robust", "standard", "minmax")
CLIP = 10.0
"""Z-units beyond which a reading is cut off: further out it tells the network nothing more."""
_IQR_PER_SD = 1.349  # interquartile range of a normal distribution, in standard deviations
_LEAST_SCALE = 1e-3
"""A channel that stood still gets this part of its level as its scale, so that any move shows."""


@dataclass(frozen=True)
class Scaler:
    """Center and scale per channel, both (channels,) float64, in the channels' units."""

    kind: str
    center: np.ndarray
    scale: np.ndarray

    def transform(self, values: np.ndarray) -> np.ndarray:
        """(..., channels) readings in z-units, clipped at `CLIP`; NaN stays NaN."""
        return np.clip((values - self.center) / self.scale, -CLIP, CLIP)

    def inverse(self, z: np.ndarray) -> np.ndarray:
        """(..., channels) z-units as readings."""
        return z * self.scale + self.center

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, as in the manifest."""
        return {"kind": self.kind, "center": self.center.tolist(), "scale": self.scale.tolist()}


def scaler_from_dict(body: Mapping[str, Any]) -> Scaler:
    """The scaler that `to_dict` wrote.

    Raises:
        KeyError, TypeError, ValueError: fields are missing, or no finite numbers with a positive scale.
    """
    center, scale = (np.asarray(body[key], np.float64) for key in ("center", "scale"))
    if center.ndim != 1 or center.shape != scale.shape or not (np.isfinite(center).all() and (scale > 0).all()):
        raise ValueError("scaler wants one finite center and one positive scale a channel")
    return Scaler(str(body["kind"]), center, scale)


def fit_scaler(values: np.ndarray, kind: str = "robust", names: Sequence[str] = ()) -> Scaler:
    """Center and scale of (rows, channels) values with NaN where missing.

    robust: median and interquartile range / 1.349; standard: mean and sd; minmax:
    mid-range and half-range. Where the middle half of a channel stands still, the
    robust scale falls back to its sd, then to a thousandth of its level.

    Raises:
        ValueError: an unknown kind, or a channel without a single value.
    """
    if kind not in KINDS:
        raise ValueError(f"scaler {kind!r} is none of {', '.join(KINDS)}")
    empty = np.isnan(values).all(axis=0)
    if empty.any():
        position = int(np.argmax(empty))
        name = names[position] if names else f"number {position}"
        raise ValueError(f"channel {name} has no value in these rows; leave it out or give rows that have it")
    center, scale = _FITS[kind](values)
    sd = np.nanstd(values, axis=0)
    scale = np.where(scale > 1e-3 * sd, scale, sd)
    least = _LEAST_SCALE * np.maximum(np.abs(center), 1e-6)
    return Scaler(kind, center, np.maximum(scale, np.where(scale > 1e-9 * np.abs(center), 0, least)))


def _robust(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low, center, high = np.nanpercentile(values, [25, 50, 75], axis=0)
    return center, (high - low) / _IQR_PER_SD


def _standard(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.nanmean(values, axis=0), np.nanstd(values, axis=0)


def _minmax(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    return (low + high) / 2, (high - low) / 2


_FITS = {"robust": _robust, "standard": _standard, "minmax": _minmax}
