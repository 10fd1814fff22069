"""From scores to episodes: when an alarm begins, and when it is over."""

from dataclasses import dataclass

import numpy as np

from edge.detector.tuning import Tuning


@dataclass(frozen=True)
class Changes:
    """What n scores changed; (n,) bool each."""

    opened: np.ndarray
    closed: np.ndarray


class EpisodeDetector:
    """Opens after consecutive scores above 1.0, closes with hysteresis relative to the episode's own level.

    State of many streams; the first axis is the stream. After an episode has closed
    the next one must be louder than the alarm level, and than the last one was when it
    closed; that hurdle fades.

    >>> detector = EpisodeDetector(streams=1, window=30, tuning=Tuning(min_windows=2))
    >>> [bool(detector.update(np.array([0]), np.array([score])).opened[0]) for score in (1.2, 1.3, 1.4)]
    [False, True, False]
    """

    def __init__(self, streams: int, window: int, tuning: Tuning, min_windows: np.ndarray | None = None) -> None:
        self.on: np.ndarray = np.zeros(streams, bool)
        """(streams,): whether an episode is open."""
        self._window = window
        self._tuning = tuning
        self._min_windows = np.full(streams, tuning.min_windows) if min_windows is None else min_windows
        self._above: np.ndarray = np.zeros(streams, np.intp)  # consecutive scores above the level
        self._low: np.ndarray = np.zeros(streams, np.intp)  # consecutive scores under the closing score
        self._below: np.ndarray = np.zeros(streams, np.intp)  # consecutive scores well under the episode's level
        self._age: np.ndarray = np.zeros(streams, np.intp)  # scores since it opened
        self._own: np.ndarray = np.zeros(streams)  # the episode's own level
        self._hurdle: np.ndarray = np.zeros(streams)  # above the alarm level, after an episode, fading

    def update(self, streams: np.ndarray, scores: np.ndarray) -> Changes:
        """Take one score of each of n different streams, NaN for none."""
        valid = ~np.isnan(scores)
        on = self.on[streams]
        opened = np.zeros(len(streams), bool)
        closed = np.zeros(len(streams), bool)
        if (quiet := valid & ~on).any():
            opened[quiet] = self._watch(streams[quiet], scores[quiet])
        if (open_ := valid & on).any():
            closed[open_] = self._follow(streams[open_], scores[open_])
        return Changes(opened, closed)

    def _watch(self, streams: np.ndarray, scores: np.ndarray) -> np.ndarray:
        tuning = self._tuning
        level = 1.0 + self._hurdle[streams]
        self._above[streams] = np.where(scores > level, self._above[streams] + 1, 0)
        self._hurdle[streams] *= 1 - 1 / max(1.0, tuning.fade_windows * self._window)
        opened = self._above[streams] >= self._min_windows[streams]
        new = streams[opened]
        self.on[new] = True
        self._above[new] = self._low[new] = self._below[new] = self._age[new] = 0
        self._own[new] = scores[opened]
        return opened

    def _follow(self, streams: np.ndarray, scores: np.ndarray) -> np.ndarray:
        tuning = self._tuning
        age = self._age[streams] = self._age[streams] + 1
        own = self._own[streams]
        own = np.where(
            age <= self._window, np.maximum(own, scores), own + (scores - own) / (tuning.own_windows * self._window)
        )
        self._own[streams] = own
        relative = np.minimum(tuning.relative_close * own, tuning.relative_most)
        below = np.where(scores < relative, self._below[streams] + 1, 0)
        self._below[streams] = below
        low = np.where(scores < tuning.close, self._low[streams] + 1, 0)
        self._low[streams] = low
        closed = (low >= max(1, round(tuning.close_windows * self._window))) | (below >= self._window)
        over = streams[closed]
        self.on[over] = False
        self._hurdle[over] = np.maximum(tuning.rearm * np.maximum(scores[closed], 1.0) - 1.0, 0.0)
        return closed

    def force(self, stream: int, on: bool) -> None:
        """Open or close an episode from outside: after a restart, or at the end of a stream."""
        self.on[stream] = on
        self._above[stream] = self._low[stream] = self._below[stream] = self._age[stream] = 0
        self._own[stream] = 1.0
        self._hurdle[stream] = 0.0
