"""From normal rows to a calibration, through the streaming code that will score later."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.detector.bundle.calibration import Calibration
from edge.detector.bundle.gaussian import fit_gaussian
from edge.detector.bundle.peaks import Peaks, joined_peaks
from edge.detector.bundle.tail import cluster_peaks, peaks_apart
from edge.detector.learn.limits import limits_of, reached, series_of, tail_of
from edge.detector.learn.prepare import FOLDS, CalibrationError, NormalRows, Prepared, prepared_together
from edge.detector.learn.runs import Run, Seen, Steps, finished, played
from edge.detector.learn.unseen import played_unseen
from edge.detector.members.registry import BY_CHANNEL, MEMBERS, wanted_rows
from edge.detector.members.tuning import DEFAULT, Tuning
from edge.detector.score.calibrations import Shape
from edge.detector.score.engine import Engine
from edge.detector.score.fusion import excess
from edge.detector.score.runtime import Network

_LEAST_RESIDUAL = 0.02
"""Least scale of a residual, z-units: a network is not to be believed to a hundredth of a channel's spread."""
_SCALE_ROWS, _LEAST_SCALE_ROWS = 4000, 200
"""Rows that the scale of residuals is taken from, all runs together and each: a median needs no more."""
_LEAST_SIZE = {"level": 0.05, "bias": 0.02, "energy": 0.02}
"""Least usual size of a member of a channel: one that stood still has none."""
_WITHIN = 0.999
"""Part of the normal rows that a tolerance holds."""
_LEAST_SPREAD = 1e-3


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
    (prepared,) = yield from prepared_together(shape, [rows], tuning)
    if isinstance(prepared, CalibrationError):
        raise prepared
    (learned,) = yield from learned_together(network, shape, [prepared], tuning)
    return learned


def learned_together(
    network: Network,
    shape: Shape,
    machines: Sequence[Prepared],
    tuning: Tuning = DEFAULT,
    second: Network | None = None,
) -> Steps[list[Learned]]:
    """What the network adds to what each machine's rows teach, step by step, side by side.

    `second` judges the runs that say so; all else is said of `network`.
    """
    known = yield from _with_residuals(network, shape, machines, tuning)
    streams = [
        (run, replace(one.folds[number % FOLDS], shifted=own.shifted, residual_scale=own.residual_scale))
        for one, own in zip(machines, known, strict=True)
        for number, run in enumerate(one.rows.runs)
    ]
    seen = yield from played_unseen(network, second, shape, streams, tuning)
    learned, first = [], 0
    for one, own in zip(machines, known, strict=True):
        after = first + len(one.rows.runs)
        learned.append(_limited(seen.between(first, after), own, one.rows, shape, tuning))
        first = after
    return learned


def engine_after(
    network: Network, shape: Shape, calibration: Calibration, run: Run, tuning: Tuning = DEFAULT
) -> Steps[Engine]:
    """An engine of one stream as it stands after a run."""
    engine = Engine(network, shape, 1, tuning)
    engine.commission(0, calibration)
    yield from played(engine, [run])
    return engine


def _with_residuals(
    network: Network, shape: Shape, machines: Sequence[Prepared], tuning: Tuning
) -> Steps[list[Calibration]]:
    """With the residuals' scale, and whether the network does better on readings relative to the baseline.

    A rig that drifts is told better so; a machine that starts and stops is not, since
    its baseline swings with it.
    """
    runs: list[Run] = []
    given: list[Calibration] = []
    parts = []
    for one in machines:
        own = [run for run in one.rows.runs if run.unseen and not run.by_second] or list(one.rows.runs)
        own = [_shortened(run, _SCALE_ROWS // len(own)) for run in own]
        for shifted in (False, True):
            parts.append((len(runs), len(runs) + len(own)))
            runs += own
            given += [replace(one.known, shifted=shifted)] * len(own)
    engine = Engine(network, shape, len(runs), tuning)
    for stream, calibration in enumerate(given):
        engine.commission(stream, calibration)
    seen = yield from played(engine, runs)
    scales = [_robust_scale(seen.between(first, after).last) for first, after in parts]
    known = []
    for one, plain, relative in zip(machines, scales[::2], scales[1::2], strict=True):
        shifted = bool((np.log(relative) - np.log(plain)).mean() < 0)
        known.append(replace(one.known, shifted=shifted, residual_scale=relative if shifted else plain))
    return known


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
    unseen, counted = _unseen(seen, rows, shape, tuning)
    sizes = _sizes(seen, counted)
    series = series_of(seen, sizes, counted)
    own = reached(seen, sizes, counted, shape, tuning)
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


def _unseen(seen: Seen, rows: NormalRows, shape: Shape, tuning: Tuning) -> tuple[np.ndarray, np.ndarray]:
    """(n,) what the network was not fitted on, and (n, members) what counts for each member.

    What a second network makes of its rows counts where a member lacks rows without it: it was fitted on others
    than the one that will score, and mostly on fewer.
    """
    if not len(seen.stream):
        return np.zeros(0, bool), np.zeros((0, len(MEMBERS)), bool)
    by_second = np.array([run.by_second for run in rows.runs])[seen.stream]
    unseen = np.array([run.unseen for run in rows.runs])[seen.stream] & ~by_second
    enough = [shape.stride * unseen.sum() >= wanted_rows(member.name, shape.window, tuning) for member in MEMBERS]
    return unseen, unseen[:, None] | by_second[:, None] & ~np.array(enough)


def _sizes(seen: Seen, counted: np.ndarray) -> np.ndarray:
    """(3, channels): root mean square of the members that are the loudest channel's."""
    sizes = []
    for at, name in enumerate(BY_CHANNEL):
        own = counted[:, at]
        values = seen.parts[own if MEMBERS[at].network and own.any() else slice(None), at]
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
