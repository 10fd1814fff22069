"""From what normal rows reach to the limits of every member, and how often they are reached."""

import numpy as np

from edge.detector.bundle.peaks import Peaks, joined_peaks, no_peaks
from edge.detector.bundle.tail import Tail, fit_tail, peaks_apart
from edge.detector.learn.runs import Seen
from edge.detector.members.registry import BY_CHANNEL, MEMBERS, NAMES, Limits, left_out, wanted_rows
from edge.detector.members.tuning import Tuning
from edge.detector.score.calibrations import Shape
from edge.detector.score.fusion import excess

_MANY_PEAKS = 200
"""Peaks from which on a tail can be fitted to the highest of them."""
_HIGHEST = 4.0
"""These are so many times the root of their number, as in `edge.detector.bundle.tail`."""
_MOST_USUAL = 0.95
"""The usual peak is at most this part of the limit: of few peaks it may be the highest."""


def series_of(seen: Seen, sizes: np.ndarray, unseen: np.ndarray) -> np.ndarray:
    """(n, members) one number of each row for each member; NaN of the network's on rows that it has seen.

    `sizes` (3, channels) as a calibration has them, `unseen` (n,) or (n, members) bool.
    """
    series = seen.values.copy()
    if len(series):
        series[:, : len(BY_CHANNEL)] = (seen.parts[:, : len(BY_CHANNEL)] / sizes).max(axis=2)
    network = np.array([member.network for member in MEMBERS])
    series[np.broadcast_to(~unseen.T, series.T.shape).T & network] = np.nan
    return series


def reached(seen: Seen, sizes: np.ndarray, unseen: np.ndarray, shape: Shape, tuning: Tuning) -> Peaks:
    """The peaks of all runs, each by itself."""
    series = series_of(seen, sizes, unseen)
    runs = np.unique(seen.stream)
    return joined_peaks([peaks_of(series[seen.stream == run], shape.window, shape.stride, tuning) for run in runs])


def peaks_of(series: np.ndarray, window: int, stride: int, tuning: Tuning) -> Peaks:
    """Of (n, members) values of consecutive rows that were scored, NaN where they do not count.

    A value counts as far as it lasts: that of a row is the least of the last
    `min_windows`, as an alarm takes that many above its level.
    """
    held = _held(series, tuning.min_windows)
    known = (~np.isnan(held)).sum(axis=0)
    if not len(held):
        return no_peaks()
    blocks = np.array_split(held, max(1, len(held) // peaks_apart(window, stride)))
    with np.errstate(invalid="ignore"):
        highest = np.stack([np.fmax.reduce(block, axis=0) for block in blocks])
    middle = np.array([np.median(one[~np.isnan(one)]) if n else 0.0 for one, n in zip(held.T, known, strict=True)])
    return Peaks(highest, known * stride, (~np.isnan(highest)).sum(axis=0), middle)


def _held(series: np.ndarray, rows: int) -> np.ndarray:
    held = series.copy()
    for back in range(1, min(rows, len(series))):
        held[back:] = np.minimum(held[back:], series[:-back])  # NaN stays NaN
    held[: rows - 1] = np.nan
    return held


def limits_of(peaks: Peaks, window: int, tuning: Tuning) -> Limits:
    """Usual peaks, and limits of the members that have seen enough.

    n peaks have not shown the highest that will come. What they tell of their own size,
    the mean of exponential ones, has a standard error of 1 / sqrt(n) of itself: so many
    parts of the height of the highest over the rows' middle, times `margin`, the limit
    lies beyond it.
    """
    usual, limit = np.zeros(len(NAMES)), np.full(len(NAMES), np.inf)
    for at, (member, column) in enumerate(zip(MEMBERS, peaks.values.T, strict=True)):
        known = column[~np.isnan(column)]
        if not len(known) or peaks.rows[at] < wanted_rows(member.name, window, tuning):
            continue
        middle, highest = float(peaks.middle[at]), float(known.max())
        beyond = middle + (highest - middle) * (1 + tuning.margin / np.sqrt(peaks.count[at]))
        limit[at] = max(beyond, _far_out(known, int(peaks.count[at]), tuning.outlook), member.floor)
        usual[at] = min(float(np.median(known)), _MOST_USUAL * limit[at])
    for at in left_out(tuning):
        limit[at] = np.inf
    return Limits(usual, limit)


def _far_out(peaks: np.ndarray, count: int, times: float) -> float:
    """What peaks reach once in so many times the rows they come from; nothing where they are too few to tell.

    Exponential excesses over a high quantile, whose mean is known from as many as there
    are: what comes next then has a Lomax distribution.
    """
    if count < _MANY_PEAKS or len(peaks) < count:  # a device keeps some of its fleet's
        return -np.inf
    part = _HIGHEST / np.sqrt(count)
    threshold = float(np.quantile(peaks, 1 - part))
    excess = peaks[peaks > threshold] - threshold
    if not len(excess):
        return threshold
    number = max(1, round(part * count))
    return threshold + number * float(excess.mean()) * float((times * number) ** (1 / number) - 1)


def fused_peaks(peaks: Peaks, limits: Limits) -> np.ndarray:
    """(n,) peaks of the fused statistic, of stretches on which all that take part say something."""
    part = np.isfinite(limits.limit)
    if not part.any():
        return np.zeros(0)
    seen = ~np.isnan(peaks.values[:, part])
    whole = seen.all(axis=1)
    chosen = peaks.values[whole] if whole.any() else peaks.values[seen.any(axis=1)]
    return excess(chosen, limits.usual, limits.limit).max(axis=1) if len(chosen) else np.zeros(0)


def tail_of(peaks: Peaks, limits: Limits, window: int, period_s: float) -> Tail | None:
    """How often normal rows reach a score; None where no member takes part."""
    fused = fused_peaks(peaks, limits)
    return fit_tail(fused, len(fused) * 2 * window * period_s) if len(fused) else None
