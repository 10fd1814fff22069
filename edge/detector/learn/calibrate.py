"""From normal rows to a calibration, through the streaming code that will score later."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.detector.bundle.calibration import Calibration, everything
from edge.detector.bundle.gaussian import fit_gaussian
from edge.detector.bundle.memory import remember
from edge.detector.bundle.peaks import Peaks, joined_peaks
from edge.detector.bundle.scaler import Scaler, fit_scaler
from edge.detector.bundle.tail import cluster_peaks, peaks_apart
from edge.detector.learn.limits import limits_of, reached, series_of, tail_of
from edge.detector.learn.runs import Run, Seen, Steps, finished, played
from edge.detector.learn.settle import settle
from edge.detector.members.registry import BY_CHANNEL, MEMBERS, Limits
from edge.detector.members.tuning import DEFAULT, Tuning
from edge.detector.score.calibrations import Shape
from edge.detector.score.engine import Engine
from edge.detector.score.fusion import excess
from edge.detector.score.runtime import Network

_KEPT = 0.95
"""Part of the variance that the components kept explain; usual in process monitoring (Chiang, Russell, Braatz 2001)."""
_LEAST_VARIANCE = 1e-12


def residual_projector(rows: np.ndarray) -> np.ndarray:
    """(channels, channels) matrix that takes a row to its part outside the principal components of (n, channels) rows.

    Rows are distances from the baseline, z-units; their mean is taken as zero.
    Source: Jackson and Mudholkar 1979, the Q statistic or squared prediction error.
    """
    channels = rows.shape[1]
    if not len(rows):
        return np.zeros((channels, channels))
    variances, axes = np.linalg.eigh(rows.T @ rows / len(rows))
    variances, axes = variances[::-1], axes[:, ::-1]
    total = max(float(variances.sum()), _LEAST_VARIANCE)
    kept = int(np.searchsorted(np.cumsum(variances) / total, _KEPT)) + 1
    axes = axes[:, :kept]
    return np.eye(channels) - axes @ axes.T


FOLDS = 5
"""Parts that normal rows are cut into: what members learn from four of them is tried on the fifth."""
LEAD_WINDOWS = 4
"""Windows before a part that bring charts to where they would be. A baseline takes longer: so limits know how it
starts, as it does after every silence."""
_LEAST_RESIDUAL = 0.02
"""Least scale of a residual, z-units: a network is not to be believed to a hundredth of a channel's spread."""
_SCALE_ROWS, _LEAST_SCALE_ROWS = 4000, 200
"""Rows that the scale of residuals is taken from, all runs together and each: a median needs no more."""
_LEAST_SIZE = {"level": 0.05, "bias": 0.02, "energy": 0.02}
"""Least usual size of a member of a channel: one that stood still has none."""
_WITHIN = 0.999
"""Part of the normal rows that a tolerance holds."""
_LEAST_SPREAD = 1e-3


class CalibrationError(ValueError):
    """Rows that no calibration can be made of; the message says how many are wanted."""


@dataclass(frozen=True)
class NormalRows:
    """What a calibration is learned on."""

    runs: Sequence[Run]
    """Parts of normal runs, each with its lead; every `FOLDS`-th one is tried on what the others teach."""
    scaler: Scaler
    max_drift: np.ndarray
    """(channels,): how far baselines may drift, z-units of `scaler`."""
    own_scaler: bool = False
    """Whether `scaler` was fitted on these very rows: each part is then tried with one that was not."""
    fitted_range: np.ndarray | None = None
    """(2, channels): lowest and highest reading that the network was fitted on, z-units; None where it is not known."""
    remembers: bool = False
    """Whether windows are remembered: some kilobytes, for a bundle."""
    fleet: Peaks | None = None
    """What other machines reached that were commissioned on as many of their own first rows."""


@dataclass(frozen=True)
class Learned:
    """A calibration and what it rests on."""

    calibration: Calibration
    peaks: Peaks
    """Of its own rows, without the fleet's."""
    scores: tuple[np.ndarray, ...]
    """Each run's, (n,): 1.0 is the alarm level; NaN while a window fills, and on rows that the network has seen."""


def calibrate(network: Network, shape: Shape, rows: NormalRows, tuning: Tuning = DEFAULT) -> Calibration:
    """A calibration on normal rows; see `learn`."""
    return learn(network, shape, rows, tuning).calibration


def learn(network: Network, shape: Shape, rows: NormalRows, tuning: Tuning = DEFAULT) -> Learned:
    """A calibration on normal rows. Members that they do not suffice for do not take part.

    Raises:
        CalibrationError: not one complete window.
    """
    return finished(learning_steps(network, shape, rows, tuning))


def learning_steps(network: Network, shape: Shape, rows: NormalRows, tuning: Tuning = DEFAULT) -> Steps[Learned]:
    """`learn`, step by step."""
    windows = sum(run.windows(shape) for run in rows.runs)
    if not windows:
        raise CalibrationError(
            f"{sum(len(run.learned.times) for run in rows.runs)} rows hold no window of {shape.window} rows without a "
            f"gap; calibration wants {20 * shape.window} rows in a row to be sensible, and {shape.window} at the least"
        )
    blank = _blank(rows, shape.channels)
    known = yield from _without_network(rows.scaler, rows.runs, blank, shape, tuning, rows.remembers)
    known = yield from _with_residuals(network, shape, known, rows.runs, tuning)
    engine = Engine(network, shape, len(rows.runs), tuning)
    for fold in range(min(FOLDS, len(rows.runs))):
        own = yield from _fold(rows, fold, known, shape, tuning)
        for stream in range(fold, len(rows.runs), FOLDS):
            engine.commission(stream, own)
    seen = yield from played(engine, rows.runs)
    return _limited(seen, known, rows, shape, tuning)


def engine_after(
    network: Network, shape: Shape, calibration: Calibration, run: Run, tuning: Tuning = DEFAULT
) -> Steps[Engine]:
    """An engine of one stream as it stands after a run."""
    engine = Engine(network, shape, 1, tuning)
    engine.commission(0, calibration)
    yield from played(engine, [run])
    return engine


def _blank(rows: NormalRows, channels: int) -> Calibration:
    ones = np.ones(channels)
    return Calibration(
        scaler=rows.scaler,
        residual_scale=ones,
        projector=np.zeros((channels, channels)),
        sizes=np.ones((len(BY_CHANNEL), channels)),
        limits=Limits(np.zeros(len(MEMBERS)), np.ones(len(MEMBERS))),
        rows_behind=np.zeros(len(MEMBERS), int),
        control_limit=ones,
        wander=np.zeros((2, channels)),
        shifted=False,
        max_drift=rows.max_drift,
        fitted_range=everything(channels) if rows.fitted_range is None else rows.fitted_range,
        spread=np.ones((2, channels)),
        level=1.0,
        tail=None,
        rows=0,
        span_s=1.0,
        memory=None,
    )


def _without_network(
    scaler: Scaler, runs: Sequence[Run], known: Calibration, shape: Shape, tuning: Tuning, remembers: bool = False
) -> Steps[Calibration]:
    """What runs teach of baselines, of relations between channels and, perhaps, of windows."""
    settled = yield from settle(scaler, runs, shape, tuning)
    return replace(
        known,
        scaler=scaler,
        control_limit=settled.control,
        wander=settled.wander,
        projector=np.round(residual_projector(np.concatenate(settled.distances)), 6),
        memory=remember(settled.distances, shape.window) if remembers else None,
    )


def _fold(rows: NormalRows, fold: int, known: Calibration, shape: Shape, tuning: Tuning) -> Steps[Calibration]:
    """The calibration for every `FOLDS`-th run, learned on the others where there are others."""
    others = [run for number, run in enumerate(rows.runs) if number % FOLDS != fold] or list(rows.runs)
    scaler = rows.scaler
    if rows.own_scaler and len(rows.runs) > 1:
        learned = [run.learned for run in others]
        values, slots = (np.concatenate([getattr(run, name) for run in learned]) for name in ("values", "slots"))
        try:
            scaler = fit_scaler(values, scaler.kind, (), slots, len(scaler.center))
        except ValueError as error:
            raise CalibrationError(f"a part of these rows has no value of a channel: {error}") from error
    return (yield from _without_network(scaler, others, known, shape, tuning, rows.remembers))


def _with_residuals(
    network: Network, shape: Shape, known: Calibration, runs: Sequence[Run], tuning: Tuning
) -> Steps[Calibration]:
    """With the residuals' scale, and whether the network does better on readings relative to the baseline.

    A rig that drifts is told better so; a machine that starts and stops is not, since
    its baseline swings with it.
    """
    runs = [run for run in runs if run.unseen] or list(runs)
    runs = [_shortened(run, _SCALE_ROWS // len(runs)) for run in runs]
    scales = []
    for shifted in (False, True):
        engine = Engine(network, shape, len(runs), tuning)
        for stream in range(len(runs)):
            engine.commission(stream, replace(known, shifted=shifted))
        seen = yield from played(engine, runs)
        scales.append(_robust_scale(seen.last))
    shifted = bool((np.log(scales[1]) - np.log(scales[0])).mean() < 0)
    return replace(known, shifted=shifted, residual_scale=scales[1 if shifted else 0])


def _shortened(run: Run, rows: int) -> Run:
    """The first rows of a run, its lead and one window in any case."""
    end = run.lead + max(rows, _LEAST_SCALE_ROWS)
    return replace(
        run, times=run.times[:end], values=run.values[:end], slots=run.slots[:end], restart=run.restart[:end]
    )


def _robust_scale(residual: np.ndarray) -> np.ndarray:
    """Median |residual| as a standard deviation, (channels,): a few starts and stops must not set the scale."""
    if not len(residual):
        return np.ones(residual.shape[1])
    return np.maximum(1.4826 * np.median(np.abs(residual), axis=0), _LEAST_RESIDUAL)


def _limited(seen: Seen, known: Calibration, rows: NormalRows, shape: Shape, tuning: Tuning) -> Learned:
    """With sizes, limits and tail, from what the members gave on rows that they had not seen."""
    unseen = np.array([run.unseen for run in rows.runs])[seen.stream] if len(seen.stream) else np.zeros(0, bool)
    sizes = _sizes(seen, unseen)
    series = series_of(seen, sizes, unseen)
    own = reached(seen, sizes, unseen, shape, tuning)
    every = joined_peaks([own] if rows.fleet is None else [own, rows.fleet])
    limits = limits_of(every, shape.window, tuning)
    learned = [run.learned for run in rows.runs]
    # Not the last time less the first: gaps tell nothing, and a device's clock may have been set back in between.
    span_s = float(sum(np.maximum(np.diff(run.times)[~run.restart[1:]], 0.0).sum() for run in learned))
    count = sum(len(run.times) for run in learned)
    period_s = span_s / max(count - len(learned), 1)
    statistic = excess(series, limits.usual, limits.limit).max(axis=1) if len(series) else np.zeros(0)
    judged = statistic[unseen] if unseen.any() else statistic
    gaussian = None
    if tuning.threshold.name == "gaussian":
        gaussian = fit_gaussian(seen.last, lambda sides: _expected_highest(sides, shape), tuning.threshold.signed)
        statistic, _ = gaussian.statistic(seen.last)
        judged = statistic
    calibration = replace(
        known,
        sizes=sizes,
        limits=limits,
        rows_behind=every.rows,
        spread=_spread(seen, unseen, known),
        level=tuning.threshold.level(judged) if len(judged) else 1.0,
        tail=tail_of(every, limits, shape.window, max(period_s, 1e-9)),
        rows=count,
        span_s=max(span_s, 1e-9),
        gaussian=gaussian,
    )
    blind = not limits.taking_part and gaussian is None
    scores = np.where(unseen & ~np.full(len(unseen), blind), statistic / calibration.level, np.nan)
    return Learned(calibration, own, tuple(seen.per_row(scores, rows.runs)))


def _sizes(seen: Seen, unseen: np.ndarray) -> np.ndarray:
    """(3, channels): root mean square of the members that are the loudest channel's."""
    sizes = []
    for at, name in enumerate(BY_CHANNEL):
        values = seen.parts[unseen if MEMBERS[at].network and unseen.any() else slice(None), at]
        size = np.sqrt((values**2).mean(axis=0)) if len(values) else np.ones(seen.parts.shape[2])
        sizes.append(np.maximum(size, _LEAST_SIZE[name]))
    return np.stack(sizes)


def _spread(seen: Seen, unseen: np.ndarray, known: Calibration) -> np.ndarray:
    """(2, channels): how far normal rows stay from their baseline, and from what the network makes of them."""
    last = np.abs(seen.last[unseen] if unseen.any() else seen.last)
    if not len(last):
        return np.ones((2, len(known.residual_scale)))
    residual = np.quantile(last, _WITHIN, axis=0) * known.residual_scale
    level = np.quantile(seen.away, _WITHIN, axis=0)
    return np.maximum(np.stack([level, residual]), _LEAST_SPREAD)


def _expected_highest(members: np.ndarray, shape: Shape) -> np.ndarray:
    """What (n, ...) statistics will reach on ten times the rows: the highest value, and an exponential tail from it."""
    flat = members.reshape(len(members), -1)
    peaks = np.stack([cluster_peaks(one, peaks_apart(shape.window, shape.stride)) for one in flat.T])
    typical = np.median(peaks, axis=1, keepdims=True)
    over = np.maximum(peaks - typical, 0.0).sum(axis=1) / np.maximum((peaks > typical).sum(axis=1), 1)
    return (peaks.max(axis=1) + np.log(10.0) * over).reshape(members.shape[1:])
