"""How far windows are from those that are remembered, taken anew every few rows of a stream."""

import numpy as np

from edge.detector.bundle.memory import Memory
from edge.detector.members.registry import position
from edge.detector.score.calibrations import Calibrations, Shape

_DISTANCES = 10
"""Distances to remembered windows that are taken in the time of one window."""
_MEMORY = position("memory")


class Nearest:
    """The last distances of many streams."""

    def __init__(self, streams: int, shape: Shape) -> None:
        self._shape = shape
        self._every = max(shape.stride, round(shape.window / _DISTANCES))
        self._away: np.ndarray = np.full(streams, np.nan)
        self._parts: np.ndarray = np.zeros((streams, shape.channels))

    def measure(
        self,
        due: np.ndarray,
        distances: tuple[np.ndarray, np.ndarray, np.ndarray],
        age: np.ndarray,
        learned: Calibrations,
    ) -> tuple[np.ndarray, np.ndarray]:
        """(n,) distances to remembered windows and (n, channels) parts; NaN and 0 where nothing is remembered.

        `distances`: (n, window, channels) z-units, which of them are known, and (n,
        channels) baselines. `age` (n,) rows since the windows started over: windows that
        share nearly all of their rows differ little.
        """
        windows, known, baseline = distances
        anew = (age - self._shape.window) % self._every < self._shape.stride
        if anew.any():
            for memory, at in _by_memory(due, np.flatnonzero(anew), learned):
                away = np.where(known[at], windows[at] - baseline[at][:, None], 0.0).astype(np.float32)
                self._away[due[at]], self._parts[due[at]] = memory.distances(away, known[at])
        return self._away[due], self._parts[due]

    def clear(self, streams: np.ndarray | int) -> None:
        """Nothing was measured of them."""
        self._away[streams], self._parts[streams] = np.nan, 0.0

    def take_over(self, stream: int, other: "Nearest", theirs: int) -> None:
        """Go on with those of a stream of another."""
        self._away[stream], self._parts[stream] = other._away[theirs], other._parts[theirs]


def _by_memory(due: np.ndarray, places: np.ndarray, learned: Calibrations) -> list[tuple[Memory, np.ndarray]]:
    """Places in `due` of the streams that share a memory."""
    shared: dict[int, tuple[Memory, list[int]]] = {}
    for place in places.tolist():
        stream = due[place]
        memory = learned.memory[stream]
        if memory is not None and learned.limit[stream, _MEMORY] < np.inf:
            shared.setdefault(id(memory), (memory, []))[1].append(place)
    return [(memory, np.array(of)) for memory, of in shared.values()]
