"""Windows of normal rows that are remembered, and how far a window is from them."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

WINDOWS = 300
"""Windows kept: evenly spread over the normal rows."""
NEAREST = 3
"""Neighbours whose distance is averaged: one alone may be the odd one (PaAno, ICLR 2026, takes as many)."""
_STEP = 0.01
"""Resolution of what is stored, z-units."""
_AT_ONCE = 64
"""Windows whose distances are taken in one piece."""


@dataclass(frozen=True)
class Memory:
    """(k, window * channels) float32 remembered windows, distances from the baseline in z-units."""

    windows: np.ndarray
    rows: int
    """Rows in each."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_squares", (self.windows**2).sum(axis=1))

    def distances(self, windows: np.ndarray, known: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Of (n, window, channels) windows: (n,) mean distance to the nearest, (n, channels) squared parts of the
        distance from the nearest of all.

        Where readings are missing, `known` False, distances are of the others, as large as if all were there.
        """
        flat = windows.reshape(len(windows), -1)
        mean, nearest = np.empty(len(flat)), np.empty(len(flat), np.intp)
        for start in range(0, len(flat), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            mean[part], nearest[part] = _nearest(self._squared(flat[part]))
        off = flat - self.windows[nearest]
        if known is not None and not known.all():
            there = known.reshape(flat.shape)
            for n in np.flatnonzero(~there.all(axis=1) & there.any(axis=1)).tolist():
                squares = ((self.windows[:, there[n]] - flat[n, there[n]]) ** 2).sum(axis=1)
                one, which = _nearest(squares[None] * (there.shape[1] / there[n].sum()))
                mean[n], off[n] = one[0], np.where(there[n], flat[n] - self.windows[which[0]], 0.0)
            mean[~there.any(axis=1)], off[~there.any(axis=1)] = 0.0, 0.0
        off = off.reshape(windows.shape)
        return mean, (off * off).sum(axis=1)

    def _squared(self, flat: np.ndarray) -> np.ndarray:
        """(n, k) squared distances."""
        squares: np.ndarray = getattr(self, "_squares")  # noqa: B009
        return (flat * flat).sum(axis=1)[:, None] + squares - 2 * flat @ self.windows.T

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: 16-bit integers, hundredths of a z-unit, little-endian, in base 64."""
        stored = np.round(self.windows / _STEP).astype("<i2")
        return {
            "windows": len(stored),
            "window": self.rows,
            "values": base64.b64encode(stored.tobytes()).decode("ascii"),
        }


def _nearest(squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of (n, k) squared distances: (n,) mean distance to the nearest, and (n,) which is the nearest."""
    count = min(NEAREST, squares.shape[1])
    best = np.partition(squares, count - 1, axis=1)[:, :count]
    return np.sqrt(np.maximum(best, 0.0)).mean(axis=1), squares.argmin(axis=1)


def memory_from_dict(body: Mapping[str, Any], channels: int) -> Memory:
    """The memory that `to_dict` wrote for so many channels.

    Raises:
        KeyError, TypeError, ValueError: it is malformed.
    """
    stored = np.frombuffer(base64.b64decode(str(body["values"]), validate=True), "<i2")
    count, rows = int(body["windows"]), int(body["window"])
    size = rows * channels
    if not 0 < count <= WINDOWS or len(stored) != count * size:
        raise ValueError(f"a memory of {count} windows wants {count * size} numbers, found {len(stored)}")
    return Memory(stored.reshape(count, size).astype(np.float32) * np.float32(_STEP), rows)


def remember(segments: Sequence[np.ndarray], window: int) -> Memory | None:
    """A memory of (n, channels) segments of rows, distances from their baselines in z-units; None without a window."""
    long = [segment for segment in segments if len(segment) >= window]
    if not long:
        return None
    starts = [(number, start) for number, segment in enumerate(long) for start in range(len(segment) - window + 1)]
    chosen = np.unique(np.linspace(0, len(starts) - 1, min(WINDOWS, len(starts))).astype(int))
    picked = (starts[at] for at in chosen)
    windows = [long[number][start : start + window].reshape(-1) for number, start in picked]
    return Memory(np.nan_to_num(np.stack(windows)).astype(np.float32), window)
