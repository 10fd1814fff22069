"""Columns made up for tests: 3000 rows of what a sensor, a meter or a switch would give."""

import numpy as np

from train.report_card.series import Series

ROWS = np.arange(3000)
NAN = float("nan")


def series(*pieces, name: str = "a") -> Series:
    """A column of these stretches."""
    return Series(name, tuple(np.asarray(piece, float) for piece in pieces))


def noise(sd: float = 1.0, rows: int = len(ROWS), seed: int = 0) -> np.ndarray:
    """(rows,) normal, the same each time."""
    return np.random.default_rng(seed).normal(0, sd, rows)


def wave(period: float = 40.0) -> np.ndarray:
    """(3000,) a sine of so many rows."""
    return np.sin(2 * np.pi * ROWS / period)


def with_rows(values: np.ndarray, at: dict[int, float]) -> np.ndarray:
    """The values with others in these rows."""
    changed = np.array(values, float)
    changed[list(at)] = list(at.values())
    return changed
