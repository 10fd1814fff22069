"""From normal rows to a calibration, through the streaming code that will score later."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from edge.detector.calibration import Calibration, everything
from edge.detector.chart import Charts
from edge.detector.engine import Engine, Shape
from edge.detector.gaussian import fit_gaussian
from edge.detector.runs import Run, Seen, Steps, finished, in_lockstep, joined, replay
from edge.detector.runtime import Network
from edge.detector.scaler import Scaler, to_z
from edge.detector.scorer import Members, fuse
from edge.detector.tail import Tail, cluster_peaks, fit_tail, peaks_apart
from edge.detector.tuning import DEFAULT, Tuning
from edge.detector.wander import slowness, unseen

LEAST_WINDOWS = 2
"""Windows of normal rows that a calibration wants at the very least; ten and more are sensible."""
_FLOOR = 1e-6
"""Least limit of a statistic: a channel that stands still in all calibration rows has none of its own."""
_CHART_FLOOR = 0.1
"""The same for the level chart, z-units."""
_SETTLED = 1.5
"""Time constants of the baseline after which it has found its level."""
_MOSTLY = 0.3
"""Part of the windows that must lie after that."""
_LEAST_RESIDUAL = 0.02
"""Least scale of a residual, z-units: a network is not to be believed to a hundredth of a channel's spread."""


class CalibrationError(ValueError):
    """Rows that no calibration can be made of; the message says how many are wanted."""


@dataclass(frozen=True)
class NormalRows:
    """What a calibration is learned on: normal runs that the network was not fitted on."""

    runs: Sequence[Run]
    scaler: Scaler
    max_drift: np.ndarray
    """(channels,): how far baselines may drift, z-units of `scaler`."""
    scalers: Sequence[Scaler] | None = None
    """The runs' own, each fitted without its run, where these are the parts of one run that `scaler` itself was
    fitted on: limits then hold for rows that no scaler has seen, as all later ones are."""
    fitted_range: np.ndarray | None = None
    """(2, channels): lowest and highest reading that the network was fitted on, z-units; None where it is not known."""
    fitted_windows: float = np.inf
    """How many windows' worth of rows it was fitted on; where that is not known, many."""


def calibrate(network: Network, shape: Shape, rows: NormalRows, tuning: Tuning = DEFAULT) -> Calibration:
    """A calibration on normal rows; see `calibrate_and_score`."""
    return calibrate_and_score(network, shape, rows, tuning)[0]


def calibrate_and_score(
    network: Network, shape: Shape, rows: NormalRows, tuning: Tuning = DEFAULT
) -> tuple[Calibration, list[np.ndarray]]:
    """A calibration on normal rows, and the scores that its runs get with it: (n,) each, NaN while a window fills.

    Raises:
        CalibrationError: fewer complete windows than `LEAST_WINDOWS` windows' worth of rows.
    """
    return finished(calibration_steps(network, shape, rows, tuning))


def calibration_steps(
    network: Network, shape: Shape, rows: NormalRows, tuning: Tuning = DEFAULT
) -> Steps[tuple[Calibration, list[np.ndarray]]]:
    """`calibrate_and_score`, step by step."""
    runs, scaler = rows.runs, rows.scaler
    own = [scaler] * len(runs) if rows.scalers is None else list(rows.scalers)
    windows = sum(run.windows(shape) for run in runs)
    if windows * shape.stride < LEAST_WINDOWS * shape.window:
        raise CalibrationError(
            f"{sum(len(run.learned.times) for run in runs)} rows gave {windows} windows without a gap; calibration "
            f"wants at least {(LEAST_WINDOWS + 1) * shape.window} rows in a row, and {10 * shape.window} to be sensible"
        )
    wider = _wider(rows, shape, tuning)
    control = yield from _control(shape, scaler, runs, tuning)
    known = replace(_blank(rows, shape.channels), control_limit=control)
    known = yield from _with_residuals(network, shape, own, known, runs, tuning)
    known = replace(known, residual_scale=known.residual_scale * wider.residual)
    seen = yield from replay(_engine(network, shape, own, known, tuning), runs)
    return _limits(seen, known, runs, shape, tuning, wider)


def engine_after(
    network: Network, shape: Shape, calibration: Calibration, run: Run, tuning: Tuning = DEFAULT
) -> Steps[Engine]:
    """An engine of one stream as it stands after a run."""
    engine = _engine(network, shape, [calibration.scaler], calibration, tuning)
    yield from replay(engine, [run])
    return engine


def _with_residuals(
    network: Network, shape: Shape, scalers: Sequence[Scaler], known: Calibration, runs: Sequence[Run], tuning: Tuning
) -> Steps[Calibration]:
    """With the residuals' scale, and whether the network does better on readings relative to the baseline.

    A rig that drifts is told better so; a machine that starts and stops is not, since
    its baseline swings with it.
    """
    engine = _engine(network, shape, [*scalers, *scalers], known, tuning)
    for stream in range(len(scalers)):
        engine.commission(stream, replace(known, scaler=scalers[stream], shifted=True))
    seen = yield from replay(engine, [*runs, *runs])
    scales = [_robust_scale(seen.last[part]) for part in (seen.stream < len(runs), seen.stream >= len(runs))]
    shifted = bool((np.log(scales[0]) - np.log(scales[1])).mean() < 0)
    return replace(known, shifted=shifted, residual_scale=scales[0 if shifted else 1])


class _Wider(NamedTuple):
    """How much wider limits are than the rows alone make them, (channels,) each."""

    level: np.ndarray
    residual: np.ndarray
    alone: np.ndarray
    """Of a channel's residuals where they alarm by themselves; more than `residual`."""


def _wider(rows: NormalRows, shape: Shape, tuning: Tuning) -> _Wider:
    few = 1 + (tuning.few_fitted / rows.fitted_windows) ** 3
    if rows.scalers is None:
        slow = slowness([run.learned for run in rows.runs], rows.scaler, shape.window, tuning.few_independent)
        return _Wider(np.ones(shape.channels), slow, slow * few)
    unseen_part = unseen(rows.max_drift, rows.runs, rows.scaler, shape.window, tuning.fleet)
    slow = slowness([joined(rows.runs)], rows.scaler, shape.window, tuning.few_independent)
    return _Wider(unseen_part, unseen_part * slow, unseen_part * slow * few)


def _blank(rows: NormalRows, channels: int) -> Calibration:
    ones = np.ones(channels)
    return Calibration(
        scaler=rows.scaler,
        residual_scale=ones,
        channel_limits=np.ones((3, channels)),
        whole_limits=np.ones(2),
        control_limit=ones,
        shifted=False,
        max_drift=rows.max_drift,
        fitted_range=everything(channels) if rows.fitted_range is None else rows.fitted_range,
        level=1.0,
        tail=None,
        rows=0,
        span_s=1.0,
    )


def _engine(
    network: Network, shape: Shape, scalers: Sequence[Scaler], calibration: Calibration, tuning: Tuning
) -> Engine:
    engine = Engine(network, shape, len(scalers), tuning)
    for stream, scaler in enumerate(scalers):
        engine.commission(stream, replace(calibration, scaler=scaler))
    return engine


def _robust_scale(residual: np.ndarray) -> np.ndarray:
    """Median |residual| as a standard deviation, (channels,): a few starts and stops must not set the scale."""
    return np.maximum(1.4826 * np.median(np.abs(residual), axis=0), _LEAST_RESIDUAL)


def _control(shape: Shape, scaler: Scaler, runs: Sequence[Run], tuning: Tuning) -> Steps[np.ndarray]:
    """Highest level chart, (channels,) z-units, of baselines that stand still, where windows are complete."""
    charts = Charts(len(runs), shape, tuning)
    highest = np.full(shape.channels, _CHART_FLOOR)
    rows = np.zeros(len(runs), np.intp)  # since the last gap
    for streams, values, slots, restart in in_lockstep(runs):
        charts.clear(streams[restart])
        rows[streams] = np.where(restart, 0, rows[streams]) + 1
        level = charts.update_level(streams, to_z(values, scaler.center[slots], scaler.scale[slots]))
        full = rows[streams] >= shape.window
        if full.any():
            highest = np.maximum(highest, np.abs(level[full]).max(axis=0))
        yield
    return highest


def _limits(
    seen: Seen, known: Calibration, runs: Sequence[Run], shape: Shape, tuning: Tuning, wider: _Wider
) -> tuple[Calibration, list[np.ndarray]]:
    # Not the last time less the first: gaps tell nothing, and a device's clock may have been set back in between.
    learned = [run.learned for run in runs]
    span_s = float(sum(np.maximum(np.diff(run.times)[~run.restart[1:]], 0.0).sum() for run in learned))
    channel_limits = np.maximum(_expected_highest(seen.members.channel, shape, tuning), _FLOOR)
    channel_limits[0] = np.maximum(channel_limits[0], _CHART_FLOOR)
    few = 1 + tuning.few_windows / np.sqrt(max(len(seen.last) * shape.stride / shape.window, 1.0))
    channel_limits[1:] *= few * np.array([[tuning.loud_bias], [tuning.loud_energy]])
    channel_limits *= np.stack([wider.level, wider.alone, wider.alone**2])
    whole_limits = np.maximum(_expected_highest(seen.members.whole, shape, tuning), _FLOOR)
    statistic = fuse(seen.members, Members(channel_limits[None], whole_limits[None]), tuning).statistic
    gaussian = None
    if tuning.threshold.name == "gaussian":
        gaussian = fit_gaussian(
            seen.last, lambda sides: _expected_highest(sides, shape, tuning), tuning.threshold.signed
        )
        statistic, _ = gaussian.statistic(seen.last)
    calibration = replace(
        known,
        channel_limits=channel_limits,
        whole_limits=whole_limits,
        rows=sum(len(run.times) for run in learned),
        span_s=max(span_s, 1e-9),
        level=tuning.threshold.level(statistic, tuning.margin),
        tail=_tail(statistic, span_s, seen, shape, tuning),
        gaussian=gaussian,
    )
    return calibration, seen.per_row(statistic / calibration.level, runs)


def _expected_highest(members: np.ndarray, shape: Shape, tuning: Tuning) -> np.ndarray:
    """What (n, ...) members will reach on so many more normal rows as `tuning.outlook` says.

    The highest value seen, and an exponential tail on from there: on few rows, whose
    peaks differ widely, that adds much, on many rows little.
    """
    flat = members.reshape(len(members), -1)
    peaks = np.stack([cluster_peaks(one, peaks_apart(shape.window, shape.stride)) for one in flat.T])
    typical = np.median(peaks, axis=1, keepdims=True)
    excess = np.maximum(peaks - typical, 0.0).sum(axis=1) / np.maximum((peaks > typical).sum(axis=1), 1)
    return (peaks.max(axis=1) + np.log(tuning.outlook) * excess).reshape(members.shape[1:])


def _tail(statistic: np.ndarray, span_s: float, seen: Seen, shape: Shape, tuning: Tuning) -> Tail:
    """From where baselines have found their level on, if that is most of it: a device that runs for years starts once.

    Limits, which keep what the start shows as well, are the wider for it.
    """
    settled = seen.row >= _SETTLED * tuning.baseline_windows * shape.window
    if settled.mean() < _MOSTLY:
        settled[:] = True
    return fit_tail(
        cluster_peaks(statistic[settled], peaks_apart(shape.window, shape.stride)), span_s * float(settled.mean())
    )
