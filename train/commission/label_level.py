"""The alarm level that labels speak for: the best F-beta of the alarm, along the precision-recall curve."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import precision_recall_curve

from edge.detector.events.alarm import EpisodeDetector
from edge.detector.members.tuning import DEFAULT, Tuning
from train.console.errors import FitError

_CANDIDATES = 100
_AS_GOOD = 0.005
"""F-beta by which a level may fall short of the best and still count as as good: the middle of those is taken."""


@dataclass(frozen=True)
class Labelled:
    """A recording with its scores beside the truth."""

    score: np.ndarray
    """(n,): 1.0 is the level so far; NaN for none."""
    labels: np.ndarray
    """(n,) bool: rows that are anomalous."""
    counts: np.ndarray
    """(n,) bool: rows that are judged; those commissioned on are not."""


@dataclass(frozen=True)
class LabelLevel:
    """A level and what it does on the rows it was chosen on; rates are fractions."""

    level: float
    """In the scores' unit: what counts as 1.0 from now on."""
    f: float
    precision: float
    recall: float
    f_before: float
    """F-beta of level 1.0."""


def best_level(labelled: Labelled, beta: float, window: int, tuning: Tuning = DEFAULT) -> LabelLevel:
    """The level with the best F-beta of rows in alarm, episodes and their hysteresis included.

    `window` is in inferences. Candidates are the thresholds of the precision-recall curve of the scores.

    Raises:
        FitError: no judged row is anomalous, or none is normal.
    """
    judged = labelled.counts & np.isfinite(labelled.score)
    truth = labelled.labels[judged]
    if not truth.any() or truth.all():
        kind = "an anomaly" if not truth.any() else "normal"
        raise FitError(f"the labels call none of the {len(truth)} rows that have a score {kind}; nothing to choose by")
    levels = _candidates(truth, labelled.score[judged])
    rates = _rates(_alarms(labelled.score, levels, window, tuning)[judged], truth, beta)
    chosen = _middle_of_best(rates[0])
    f, precision, recall = (float(one[chosen]) for one in rates)
    return LabelLevel(float(levels[chosen]), f, precision, recall, float(rates[0][np.flatnonzero(levels == 1.0)[0]]))


def _candidates(truth: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Levels to try, ascending, 1.0 among them."""
    thresholds = precision_recall_curve(truth, score)[2]
    positive = thresholds[thresholds > 0]
    spread = np.quantile(positive, np.linspace(0, 1, _CANDIDATES)) if len(positive) else positive
    even = np.geomspace(max(spread[0], 0.05), max(spread[-1], 0.06), _CANDIDATES) if len(spread) else spread
    return np.unique(np.concatenate([spread, even, [1.0]]))


def _alarms(score: np.ndarray, levels: np.ndarray, window: int, tuning: Tuning) -> np.ndarray:
    """(n, levels) bool: the rows in alarm at each level, all levels as streams of one detector."""
    detector = EpisodeDetector(len(levels), window, tuning)
    streams = np.arange(len(levels))
    alarms = np.zeros((len(score), len(levels)), bool)
    for row, one in enumerate(score):
        detector.update(streams, one / levels)
        alarms[row] = detector.on
    return alarms


def _rates(alarms: np.ndarray, truth: np.ndarray, beta: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """F-beta, precision and recall of (n, levels) alarms, (levels,) each; 0 where nothing alarms."""
    hits = (alarms & truth[:, None]).sum(axis=0)
    precision = hits / np.maximum(alarms.sum(axis=0), 1)
    recall = hits / truth.sum()
    f = (1 + beta**2) * precision * recall / np.maximum(beta**2 * precision + recall, 1e-12)
    return f, precision, recall


def _middle_of_best(f: np.ndarray) -> int:
    """The middle of the levels around the best that are as good: what stands on an edge falls off on another file."""
    best = int(f.argmax())
    good = f >= f[best] - _AS_GOOD
    first = last = best
    while first > 0 and good[first - 1]:
        first -= 1
    while last + 1 < len(f) and good[last + 1]:
        last += 1
    return (first + last) // 2
