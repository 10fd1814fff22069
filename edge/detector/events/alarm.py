"""From scores to alarm on and off."""

from dataclasses import dataclass

import numpy as np

from edge.detector.members.tuning import Tuning


@dataclass(frozen=True)
class Changes:
    """What n scores changed; (n,) bool each."""

    opened: np.ndarray
    closed: np.ndarray


class EpisodeDetector:
    """Opens once scores lie above 1.0 for long enough or far enough, closes once they stay low.

    State of many streams; the first axis is the stream. What scores exceed 1.0 by is added
    up over consecutive ones, as a cumulative sum chart does (Page 1954): an alarm takes
    `surplus` windows' worth of it, and `min_windows` scores. After an alarm the level is
    higher by its echo, which fades.

    >>> detector = EpisodeDetector(streams=1, window=10, tuning=Tuning(min_windows=2, surplus=0.1))
    >>> [bool(detector.update(np.array([0]), np.array([score])).opened[0]) for score in (1.5, 1.3, 1.3)]
    [False, False, True]
    """

    def __init__(self, streams: int, window: int, tuning: Tuning, min_windows: np.ndarray | None = None) -> None:
        """`window` in scores."""
        self.on: np.ndarray = np.zeros(streams, bool)
        """(streams,): whether an episode is open."""
        self._tuning = tuning
        self._min_windows = np.full(streams, tuning.min_windows) if min_windows is None else min_windows
        self._needed = tuning.surplus * window
        self._closing = max(1, round(tuning.close_windows * window))
        self._above: np.ndarray = np.zeros(streams, np.intp)  # consecutive scores above the level
        self._surplus: np.ndarray = np.zeros(streams)  # what they exceed it by, in sum
        self._low: np.ndarray = np.zeros(streams, np.intp)  # consecutive scores under the closing score
        self._peak: np.ndarray = np.zeros(streams)  # highest score of the alarm
        self._age: np.ndarray = np.zeros(streams, np.intp)  # scores since it opened
        self._echo: np.ndarray = np.zeros(streams)  # what the last one left, in score
        self._fade: np.ndarray = np.ones(streams)  # scores over which that fades
        self._least_fade = max(1.0, tuning.baseline_windows * window)

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
        level = 1.0 + self._echo[streams]
        over = scores > level
        self._echo[streams] *= 1 - 1 / self._fade[streams]
        if not over.any():
            self._above[streams], self._surplus[streams] = 0, 0.0
            return over
        self._above[streams] = np.where(over, self._above[streams] + 1, 0)
        self._surplus[streams] = np.where(over, self._surplus[streams] + scores - level, 0.0)
        opened = (self._above[streams] >= self._min_windows[streams]) & (
            self._surplus[streams] >= self._needed - _ROUNDING
        )
        new = streams[opened]
        self.on[new] = True
        self._above[new] = self._low[new] = self._age[new] = 0
        self._surplus[new] = 0.0
        self._peak[new] = scores[opened]
        return opened

    def _follow(self, streams: np.ndarray, scores: np.ndarray) -> np.ndarray:
        self._age[streams] += 1
        self._peak[streams] = np.maximum(self._peak[streams], scores)
        self._low[streams] = np.where(scores < self._tuning.close, self._low[streams] + 1, 0)
        closed = self._low[streams] >= self._closing
        over = streams[closed]
        self.on[over] = False
        self._echo[over] = np.clip(self._peak[over] - 1.0, 0.0, self._tuning.echo)
        self._fade[over] = np.maximum(self._age[over], self._least_fade)
        return closed

    def force(self, stream: int, on: bool) -> None:
        """Open or close an episode from outside: after a restart, or at the end of a stream."""
        self.on[stream] = on
        self._above[stream] = self._low[stream] = self._age[stream] = 0
        self._surplus[stream] = self._echo[stream] = 0.0
        self._peak[stream] = 1.0


_ROUNDING = 1e-9
