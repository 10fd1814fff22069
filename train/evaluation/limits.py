"""Mean +- 3 sd on each channel: what a control system does without a model, and what stands beside every result."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edge.detector.bundle.files import Bundle
from train.evaluation.metrics import Judged
from train.read.normal import mean_and_sd

LIMIT_SDS = 3.0
"""Limits stand at the mean plus and minus so many standard deviations."""
HOLD_S = 60.0
"""An alarm ends once so long passes without a row outside, seconds; or `HOLD_ROWS` of a slower stream."""
HOLD_ROWS = 3
_LEAST_ROWS = 30
"""Normal rows before the evaluated ones from which a mean and an sd are worth taking."""
MeanAndSd = tuple[np.ndarray, np.ndarray]
"""(channels,) each, in the channels' units."""


def hold_s(period_s: float) -> float:
    """How long an alarm of fixed limits outlasts its last row outside, seconds.

    >>> hold_s(1.0), hold_s(1800.0)
    (60.0, 5400.0)
    """
    return max(HOLD_S, HOLD_ROWS * period_s)


def normal_of(bundle: Bundle, values: np.ndarray, file: Judged) -> MeanAndSd | None:
    """Of a file's normal rows before the evaluated ones, else of all normal rows that `fit` was given.

    None where there are too few, and the bundle is older than these figures in it.
    """
    normal = ~file.labels if file.unjudged is None else ~file.labels & ~file.unjudged
    before = values[: file.first][normal[: file.first]]
    if len(before) >= _LEAST_ROWS:
        return mean_and_sd([before])
    return kept_in(bundle)


def kept_in(bundle: Bundle) -> MeanAndSd | None:
    """Of all normal rows that `fit` was given; None in a bundle that is older than these figures in it."""
    kept = bundle.training.get("normal")
    if kept is None:
        return None
    sd = [np.inf if one is None else one for one in kept["sd"]]
    return np.array(kept["mean"], float), np.array(sd, float)


def fixed_limits(
    files: Sequence[Judged], values: Sequence[np.ndarray], normal: Sequence[MeanAndSd], hold: float
) -> list[Judged]:
    """In alarm from a row on which any channel is outside, until `hold` seconds pass without one.

    `values` are the (n, channels) readings of each file. The score is the largest distance
    over the limit, so 1.0 is the limit; a missing value is never outside.
    """
    return [_judged(one, _distance(value, *own), hold) for one, value, own in zip(files, values, normal, strict=True)]


def _judged(file: Judged, score: np.ndarray, hold: float) -> Judged:
    outside = np.flatnonzero(score > 1.0)
    outside = outside[outside >= file.first]
    alarm, starts = np.zeros(len(score), bool), np.zeros(len(score), bool)
    for stretch in np.split(outside, np.flatnonzero(np.diff(file.times[outside]) > hold) + 1):
        if len(stretch):
            alarm[stretch[0] : stretch[-1] + 1] = True
            starts[stretch[0]] = True
    return replace(file, score=score, alarm=alarm, starts=starts, top_channel=())


def _distance(values: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """(n,): the worst channel's distance from its mean, in limits; (n, channels) values."""
    floor = 1e-9 * np.maximum(np.abs(mean), 1.0)  # a channel that never changes alarms on any change
    return np.nan_to_num(np.abs(values - mean) / (LIMIT_SDS * np.maximum(sd, floor)), nan=0.0).max(axis=1)
