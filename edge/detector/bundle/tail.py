"""How rare a score is on normal data: peaks over threshold with a generalized Pareto tail."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

_LEAST_PEAKS = 6
"""Below this many excesses only the exponential tail (shape 0) is fitted: a shape needs more."""
_HIGHEST = 4.0
"""A tail is fitted to this many times the root of the number of peaks."""
_SHAPES = (-0.5, 0.3)
_BOUNDED_PEAKS = 50
"""Excesses from which on a tail may be bounded."""
EXTRAPOLATION = 10.0
"""A return period is told up to this many times the time it was learned on, and no further."""


@dataclass(frozen=True)
class Tail:
    """Excesses of declustered normal scores over `threshold`: GPD(shape, scale), `peaks` of them in `span_s`.

    Source: Siffer et al., Anomaly Detection in Streams with Extreme Value Theory, KDD 2017.
    """

    threshold: float
    shape: float
    scale: float
    peaks: int
    span_s: float

    def return_period_s(self, score: float) -> float | None:
        """Mean time between normal peaks at least this high, seconds; None beyond 10 times the span seen."""
        if self.peaks == 0 or not math.isfinite(score):
            return None
        period = 1 / max(self.rate(score), 1e-300)
        return period if period <= EXTRAPOLATION * self.span_s else None

    def rate(self, score: float) -> float:
        """Normal peaks at least this high a second, also where that is beyond what the rows allow to say.

        >>> Tail(threshold=1.0, shape=0.0, scale=1.0, peaks=6, span_s=60.0).rate(1.0)
        0.1
        """
        return self.peaks / self.span_s * self._survival(score - self.threshold)

    def level(self, return_period_s: float) -> float:
        """The score that normal data reach about once in `return_period_s`."""
        rate = max(return_period_s * self.peaks / self.span_s, 1.0)
        if abs(self.shape) < 1e-9:
            return self.threshold + self.scale * math.log(rate)
        return self.threshold + self.scale / self.shape * (rate**self.shape - 1)

    def _survival(self, excess: float) -> float:
        if excess <= 0:
            return 1.0
        if abs(self.shape) < 1e-9:
            return math.exp(-excess / self.scale)
        inside = 1 + self.shape * excess / self.scale
        return inside ** (-1 / self.shape) if inside > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, as in the manifest."""
        return asdict(self)


def tail_from_dict(body: Mapping[str, Any]) -> Tail:
    """The tail that `to_dict` wrote.

    Raises:
        KeyError, TypeError, ValueError: fields are missing or no sensible numbers.
    """
    threshold, shape, scale, peaks, span_s = (
        float(body[key]) for key in ("threshold", "shape", "scale", "peaks", "span_s")
    )
    if not (scale > 0 and span_s > 0 and peaks >= 0 and math.isfinite(threshold + shape + scale + peaks + span_s)):
        raise ValueError("tail wants finite numbers, scale and span positive")
    return Tail(threshold, shape, scale, int(peaks), span_s)


def cluster_peaks(scores: np.ndarray, gap: int) -> np.ndarray:
    """Maxima of blocks of `gap` scores: peaks so far apart that they count as independent. NaN are left out."""
    scores = scores[np.isfinite(scores)]
    blocks = max(1, len(scores) // gap)
    return np.array([block.max() for block in np.array_split(scores, blocks)]) if len(scores) else scores


def peaks_apart(window: int, stride: int) -> int:
    """Scores between two peaks that count as independent: two windows apart they share no row and hardly any state."""
    return max(1, 2 * window // stride)


def fit_tail(peaks: np.ndarray, span_s: float) -> Tail:
    """A tail over the highest of declustered `peaks` that were seen in `span_s` seconds.

    The highest are half of them, and of many 4 times the root of their number: the
    middle of a distribution bends a tail fitted to it, which then promises too long
    return periods.

    Shape and scale by probability-weighted moments (Hosking and Wallis 1987), which stay
    sane on few peaks where maximum likelihood does not. The shape is kept in [-0.5, 0.3],
    and on fewer than 50 excesses in [0, 0.3]: a bounded tail calls what lies beyond
    impossible, which few peaks cannot say.

    Raises:
        ValueError: no peaks at all.
    """
    if not len(peaks):
        raise ValueError("a tail wants at least one peak")
    threshold = float(np.quantile(peaks, 1 - min(0.5, _HIGHEST / math.sqrt(len(peaks)))))
    excess = np.sort(peaks[peaks > threshold] - threshold)
    if not len(excess) or excess[-1] <= 0:
        return Tail(threshold, 0.0, max(1e-3 * abs(threshold), 1e-9), max(1, len(excess)), span_s)
    shape, scale = _moments(excess) if len(excess) >= _LEAST_PEAKS else (0.0, float(excess.mean()))
    return Tail(threshold, shape, max(scale, 1e-9), len(excess), span_s)


def _moments(excess: np.ndarray) -> tuple[float, float]:
    n = len(excess)
    mean = float(excess.mean())
    weighted = float(np.mean(excess * (n - np.arange(1, n + 1) + 0.35) / n))
    if mean <= 2 * weighted:
        return 0.0, mean
    lowest = _SHAPES[0] if n >= _BOUNDED_PEAKS else 0.0
    shape = float(np.clip(2 - mean / (mean - 2 * weighted), lowest, _SHAPES[1]))
    return shape, mean * (1 - shape)
