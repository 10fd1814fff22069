"""The latest rows of a stream, in memory."""

from collections.abc import Sequence

import numpy as np

from edge.history.stretch import KeptRow, Stretch


class Recent:
    """A ring of so many rows. What the detector made of them is kept to seven digits."""

    def __init__(self, stream: str, channels: Sequence[tuple[str, str]], size: int) -> None:
        self.stream, self.channels = stream, tuple(channels)
        self._size, self._count = size, 0
        width = len(channels)
        self._exact: np.ndarray = np.full((size, 1 + width), np.nan)
        self._made: np.ndarray = np.full((size, 1 + 2 * width), np.nan, np.float32)

    def add(self, row: KeptRow) -> None:
        """Keep it, in place of the oldest. A clock that was set back begins anew."""
        if not self._size:
            return
        if self._count and row.time <= self._exact[(self._count - 1) % self._size, 0]:
            self._count = 0
        at = self._count % self._size
        self._exact[at, 0], self._exact[at, 1:] = row.time, row.values
        width = len(self.channels)
        self._made[at, 0] = row.score
        self._made[at, 1 : 1 + width], self._made[at, 1 + width :] = row.expected, row.tolerance
        self._count += 1

    def stretch(self) -> Stretch:
        """A copy of the rows, oldest first."""
        held = min(self._count, self._size)
        order = (np.arange(self._count - held, self._count) % self._size) if held else np.arange(0)
        exact, made, width = self._exact[order], self._made[order].astype(float), len(self.channels)
        parts = (exact[:, 0], made[:, 0], exact[:, 1:], made[:, 1 : 1 + width], made[:, 1 + width :])
        return Stretch(self.stream, self.channels, *parts, total=held)
