"""Stretches of time in which a board or its link is away."""

import numpy as np


class Outages:
    """Stretches drawn at random, on the average one every `every_s` seconds; none if that is 0."""

    def __init__(self, rng: np.random.Generator, every_s: float, length_s: tuple[float, float]):
        self.rng = rng
        self.every_s = every_s
        self.length_s = length_s
        self.start_s, self.end_s = np.inf, np.inf
        if every_s:
            self._draw(0.0)

    def during(self, since_s: np.ndarray) -> np.ndarray:
        """Whether each of the increasing instants, (rows,) seconds, falls into one."""
        inside = np.zeros(len(since_s), dtype=bool)
        while self.start_s <= since_s[-1]:
            inside |= (since_s >= self.start_s) & (since_s < self.end_s)
            if self.end_s > since_s[-1]:
                break
            self._draw(self.end_s)
        return inside

    def _draw(self, after_s: float) -> None:
        self.start_s = after_s + self.rng.exponential(self.every_s)
        self.end_s = self.start_s + self.rng.uniform(*self.length_s)
