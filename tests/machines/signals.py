"""What simulated machines are made of."""

from collections.abc import Sequence

import numpy as np

Chance = np.random.Generator


def wandering(chance: Chance, rows: int, slow: float) -> np.ndarray:
    """(rows,) an Ornstein-Uhlenbeck process of mean 0 and sd 1; `slow` is its time constant in rows."""
    kept = np.exp(-1 / slow)
    values, steps = np.zeros(rows), chance.normal(size=rows) * np.sqrt(1 - kept * kept)
    values[0] = chance.normal()
    for row in range(1, rows):
        values[row] = kept * values[row - 1] + steps[row]
    return values


def lagging(values: np.ndarray, slow: float) -> np.ndarray:
    """(rows,) what follows them with a time constant of `slow` rows."""
    followed = np.zeros(len(values))
    followed[0] = values[0]
    for row in range(1, len(values)):
        followed[row] = followed[row - 1] + (values[row] - followed[row - 1]) / slow
    return followed


def switching(chance: Chance, rows: int, shortest: int, longest: int, levels: Sequence[float]) -> np.ndarray:
    """(rows,) one level after another, each for `shortest` to `longest` rows."""
    held: list[int] = []
    now = int(chance.integers(len(levels)))
    while len(held) < rows:
        held += [now] * int(chance.integers(shortest, longest))
        now = (now + int(chance.integers(1, len(levels)))) % len(levels)
    return np.array(levels)[np.array(held[:rows])]


def noise(chance: Chance, rows: int, channels: int = 0) -> np.ndarray:
    """(rows,) or (rows, channels) of sd 1."""
    return chance.normal(size=(rows, channels) if channels else rows)
