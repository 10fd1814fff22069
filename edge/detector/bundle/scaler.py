"""Readings to z-units and back: (value - center) / scale per channel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

KINDS = ("robust", "standard", "minmax")
CLIP = 30.0
"""Z-units beyond which a reading is cut off: one wild reading is not to weigh more than a broken machine."""
_IQR_PER_SD = 1.349  # interquartile range of a normal distribution, in standard deviations
_WIDE_PER_SD = 4.652  # the same of the range from percentile 1 to 99
_LEAST_MIDDLE = 0.5
"""The middle half counts as no narrower than this part of what a normal distribution with the channel's range has:
a converter that mostly repeats one count would make a z-unit of its last digit."""
_NOTHING = 1e-9
"""A scale of no more than this part of the level is what rounding leaves."""
_LEAST_ROWS = 3
_SHRINK_ROWS = 10
"""Weight of the common scale in a slot's own, in rows: a slot of a weekly season has seen few of them."""
_LEAST_SCALE = 0.05
"""A channel that stood still gets this part of its level as its scale: what a move of it means nobody has seen."""
_STATES = 3
"""Whole numbers that a channel takes at most to count as a state, on or off: its range is its scale, or each of its
rare changes would be many z-units."""


@dataclass(frozen=True)
class Scaler:
    """Center and scale per slot of the season and channel, both (slots, channels) float64, in the channels' units.

    Without a season there is one slot.
    """

    kind: str
    center: np.ndarray
    scale: np.ndarray

    def transform(self, values: np.ndarray, slots: np.ndarray | int = 0) -> np.ndarray:
        """(n, channels) readings with their (n,) slots in z-units, clipped at `CLIP`; NaN stays NaN."""
        return to_z(values, self.center[slots], self.scale[slots])

    def inverse(self, z: np.ndarray, slots: np.ndarray | int = 0) -> np.ndarray:
        """(n, channels) z-units as readings."""
        return z * self.scale[slots] + self.center[slots]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, as in the manifest: (channels,) lists without a season, else (slots, channels)."""
        part = slice(None) if len(self.center) > 1 else 0
        return {"kind": self.kind, "center": self.center[part].tolist(), "scale": self.scale[part].tolist()}


def to_z(values: np.ndarray, center: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(value - center) / scale, clipped at `CLIP`."""
    return np.clip((values - center) / scale, -CLIP, CLIP)


def scaler_from_dict(body: Mapping[str, Any]) -> Scaler:
    """The scaler that `to_dict` wrote.

    Raises:
        KeyError, TypeError, ValueError: fields are missing, or no finite numbers with a positive scale.
    """
    center, scale = (np.atleast_2d(np.asarray(body[key], np.float64)) for key in ("center", "scale"))
    if center.ndim != 2 or center.shape != scale.shape:
        raise ValueError("scaler wants as many scales as centers")
    if not (np.isfinite(center).all() and np.isfinite(scale).all() and (scale > 0).all()):
        raise ValueError("scaler wants finite centers and positive, finite scales")
    return Scaler(str(body["kind"]), center, scale)


def fit_scaler(
    values: np.ndarray,
    kind: str = "robust",
    names: Sequence[str] = (),
    slots: np.ndarray | None = None,
    slot_count: int = 1,
) -> Scaler:
    """Center and scale of (rows, channels) values with NaN where missing.

    robust: median and interquartile range / 1.349; standard: mean and sd; minmax:
    mid-range and half-range. Where the middle half of a channel is narrow, the robust
    scale is half of what the range without the outermost hundredths makes it, and where
    that is nothing, the sd; a scale of nothing becomes a twentieth of the channel's level. A channel of at most
    three whole numbers is a state, and its range its scale. With a season,
    `slots` (rows,) says each row's slot and every slot gets its own.

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
    states = state_ranges(values)
    if slots is None or slot_count == 1:
        return Scaler(kind, center[None], np.where(np.isnan(states), _at_least(scale, center), states)[None])
    fitted = _fit_slots(values, kind, slots, np.tile(center, (slot_count, 1)))
    return Scaler(kind, fitted.center, np.where(np.isnan(states), fitted.scale, states))


def state_ranges(values: np.ndarray) -> np.ndarray:
    """(channels,): the range of each channel of (rows, channels) values that is a state, at least 1; NaN of others.

    >>> state_ranges(np.array([[0.0, 0.5], [1.0, 2.5], [0.0, 4.0]])).tolist()
    [1.0, nan]
    """
    ranges = np.full(values.shape[1], np.nan)
    for at, column in enumerate(values.T):
        known = column[~np.isnan(column)]
        if len(known) and (known[:1000] == np.round(known[:1000])).all():
            distinct = np.unique(known)
            if len(distinct) <= _STATES and (distinct == np.round(distinct)).all():
                ranges[at] = max(float(distinct[-1] - distinct[0]), 1.0)
    return ranges


def _at_least(scale: np.ndarray, center: np.ndarray) -> np.ndarray:
    """Scales with those that are nothing but rounding replaced by a part of the channel's level."""
    least = _LEAST_SCALE * np.maximum(np.abs(center), 1e-6)
    return np.where(scale > _NOTHING * np.abs(center), scale, least)


def _fit_slots(values: np.ndarray, kind: str, slots: np.ndarray, center: np.ndarray) -> Scaler:
    """A slot's own center; its scale is drawn towards that of all slots, the more so the fewer rows it has."""
    level = center[0].copy()
    seen = [slot for slot in range(len(center)) if (~np.isnan(values[slots == slot])).all(axis=1).sum() >= _LEAST_ROWS]
    for slot in seen:
        center[slot] = _FITS[kind](values[slots == slot])[0]
    rest = values - center[slots]
    pooled = _at_least(_FITS[kind](rest)[1], level)
    scale = np.tile(pooled, (len(center), 1))
    for slot in seen:
        rows = rest[slots == slot]
        own = _FITS[kind](rows)[1]
        scale[slot] = np.sqrt((len(rows) * own**2 + _SHRINK_ROWS * pooled**2) / (len(rows) + _SHRINK_ROWS))
    return Scaler(kind, center, scale)


def _robust(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lowest, low, center, high, highest = np.nanpercentile(values, [1, 25, 50, 75, 99], axis=0)
    scale, wide, sd = (high - low) / _IQR_PER_SD, (highest - lowest) / _WIDE_PER_SD, np.nanstd(values, axis=0)
    # Not against the sd: one reading of 1e6 would make every channel look as if it stood still.
    scale = np.maximum(scale, _LEAST_MIDDLE * wide)
    return center, np.where(scale > _NOTHING * np.abs(center), scale, sd)


def _standard(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.nanmean(values, axis=0), np.nanstd(values, axis=0)


def _minmax(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    return (low + high) / 2, (high - low) / 2


_FITS = {"robust": _robust, "standard": _standard, "minmax": _minmax}
