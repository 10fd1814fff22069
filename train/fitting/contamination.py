"""Training stretches that the network reconstructs worst: anomalies among the normal rows, the commonest mistake."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from train.network.windows import filled, window_set
from train.read.dataset import Run

LISTED = 5
_LOOKED_AT = 20
"""Stretches that tell whether the worst one stands alone: starts and stops are hard as well, but there are many."""
_SUSPICIOUS = 4.0
"""Times the median error from which a stretch may be an anomaly..."""
_STANDS_OUT = 2.0
"""...where it is also this many times as bad as the usual one of the worst."""
_WORTH_TELLING = 2.0
"""Times the median error under which a stretch is not listed."""
_BELONGS = 0.5
"""Part of a peak's error down to which the windows beside it belong to the same stretch."""


@dataclass(frozen=True)
class WorstStretch:
    """Rows that the network reproduces badly although it was trained on them."""

    run: str
    start: float
    """Unix seconds of the first row."""
    end: float
    times_median: float
    """Its RMS error over the median window's."""
    channel: str
    """The channel that is worst there, measured by its own median."""
    suspicious: bool = False
    """Whether it stands out so far that it may well be an anomaly."""


@dataclass(frozen=True)
class _Errors:
    """RMS errors of the windows of one segment."""

    run: str
    starts: np.ndarray
    """(n,) Unix seconds."""
    ends: np.ndarray
    by_channel: np.ndarray
    """(n, channels) mean squared errors."""


def worst_stretches(
    runs: Sequence[Run],
    scaled: Sequence[Sequence[np.ndarray]],
    channels: Sequence[str],
    window: int,
    reconstruct: Callable[[np.ndarray], np.ndarray],
) -> list[WorstStretch]:
    """The `LISTED` worst stretches of the runs, the worst first; `scaled` holds the rows of each run's segments."""
    errors = [
        _segment_errors(run.name, segment.times, rows, window, reconstruct)
        for run, parts in zip(runs, scaled, strict=True)
        for segment, rows in zip(run.segments, parts, strict=True)
        if len(rows) >= window
    ]
    if not errors:
        return []
    every = np.concatenate([one.by_channel for one in errors])
    usual = max(float(np.sqrt(np.median(every.mean(axis=1)))), 1e-9)
    usual_channels = np.maximum(np.median(every, axis=0), 1e-12)
    found = [stretch for one in errors for stretch in _stretches(one, usual, usual_channels, channels)]
    found = sorted(found, key=lambda stretch: -stretch.times_median)[:_LOOKED_AT]
    # Filled up, so that a few bad stretches in otherwise even rows stand out from those.
    even = [_WORTH_TELLING] * (2 * LISTED - len(found))
    typical = float(np.median([*(stretch.times_median for stretch in found), *even]))
    least = max(_SUSPICIOUS, _STANDS_OUT * typical)
    return [replace(stretch, suspicious=stretch.times_median >= least) for stretch in found[:LISTED]]


def _segment_errors(
    run: str, times: np.ndarray, rows: np.ndarray, window: int, reconstruct: Callable[[np.ndarray], np.ndarray]
) -> _Errors:
    windows = window_set([rows], window, stride=max(1, window // 2))
    given = windows.take(slice(None))
    known = ~np.isnan(given)
    squared = np.where(known, filled(given) - reconstruct(filled(given)), 0.0) ** 2
    by_channel = squared.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return _Errors(run, times[windows.starts], times[windows.starts + window - 1], by_channel)


def _stretches(
    errors: _Errors, usual: float, usual_channels: np.ndarray, channels: Sequence[str]
) -> list[WorstStretch]:
    """Peaks of one segment, the highest first, each with the windows beside it that belong to it."""
    ratio = np.sqrt(errors.by_channel.mean(axis=1)) / usual
    left = ratio.copy()
    found: list[WorstStretch] = []
    while len(found) < _LOOKED_AT and left.max() >= _WORTH_TELLING:
        peak = int(left.argmax())
        first, last = _around(left, peak)
        worst = (errors.by_channel[first : last + 1].mean(axis=0) / usual_channels).argmax()
        stretch = WorstStretch(
            errors.run, float(errors.starts[first]), float(errors.ends[last]), float(ratio[peak]), channels[int(worst)]
        )
        found.append(stretch)
        left[max(0, first - 1) : last + 2] = 0.0  # and the neighbours, which share rows with it
    return found


def _around(ratio: np.ndarray, peak: int) -> tuple[int, int]:
    least = max(_BELONGS * ratio[peak], _WORTH_TELLING)
    first = last = peak
    while first > 0 and ratio[first - 1] >= least:
        first -= 1
    while last + 1 < len(ratio) and ratio[last + 1] >= least:
        last += 1
    return first, last
