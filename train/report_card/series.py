"""One column's readings, as the kinds of columns are told apart by them."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np

DIGITS = 6
"""Of values that are shown: a counter at 5011 is not at 5.01e3."""


@dataclass(frozen=True)
class Series:
    """Readings of a column in the order of time, a piece for each stretch without a gap."""

    name: str
    pieces: tuple[np.ndarray, ...]
    """(n,) float64 each, NaN where missing."""

    @cached_property
    def known(self) -> np.ndarray:
        """(n,) all readings that are not missing."""
        return np.concatenate([np.empty(0), *self._told])

    @cached_property
    def steps(self) -> np.ndarray:
        """(n,) from one reading to the next of the same piece."""
        return np.concatenate([np.empty(0), *map(np.diff, self._told)])

    @cached_property
    def values(self) -> np.ndarray:
        """(n,) different readings, rising."""
        return np.unique(self.known)

    def without(self, codes: Collection[float]) -> "Series":
        """The same with these readings missing."""
        if not codes:
            return self
        return Series(self.name, tuple(np.where(np.isin(piece, list(codes)), np.nan, piece) for piece in self.pieces))

    @property
    def _told(self) -> list[np.ndarray]:
        return [piece[~np.isnan(piece)] for piece in self.pieces]


def middle(values: np.ndarray, part: float = 0.8) -> float:
    """How wide the middle part of the values is, 0 without any."""
    if not len(values):
        return 0.0
    low, high = np.quantile(values, [(1 - part) / 2, (1 + part) / 2])
    return float(high - low)


def longest(marked: np.ndarray) -> int:
    """Length of the longest run of True in (n,) bool.

    >>> longest(np.array([True, False, True, True]))
    2
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))
