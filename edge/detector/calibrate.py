"""From normal rows to a calibration, through the streaming code that will score later."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.detector.calibration import Calibration
from edge.detector.engine import Engine, Shape
from edge.detector.runtime import Network
from edge.detector.scaler import Scaler
from edge.detector.scorer import Fused, Limits, Statistics, fuse
from edge.detector.tail import Tail, cluster_peaks, fit_tail
from edge.detector.tuning import DEFAULT, Tuning

LEAST_WINDOWS = 2
"""Windows of normal rows that a calibration wants at the very least; ten and more are sensible."""
_FLOOR = 1e-6
"""Least limit of a statistic: a channel that stands still in all calibration rows has none of its own."""
_CHART_FLOOR = 0.1
"""The same for the chart, z-units."""


class CalibrationError(ValueError):
    """Rows that no calibration can be made of; the message says how many are wanted."""


@dataclass(frozen=True)
class Run:
    """Consecutive grid rows of one machine: (n,) times, (n, channels) values, (n,) season slots, (n,) restarts."""

    times: np.ndarray
    values: np.ndarray
    slots: np.ndarray
    restart: np.ndarray


def calibrate(
    network: Network,
    shape: Shape,
    scaler: Scaler,
    runs: Sequence[Run],
    max_drift: np.ndarray,
    tuning: Tuning = DEFAULT,
) -> tuple[Calibration, Engine]:
    """A calibration on normal runs that the network was not fitted on, and the engine as it stands after them.

    `max_drift` (channels,) is in z-units of `scaler`.

    Raises:
        CalibrationError: fewer complete windows than `LEAST_WINDOWS` windows' worth of rows.
    """
    rows = sum(len(run.times) for run in runs)
    blank = _blank(scaler, max_drift, shape.channels)
    chart_limit = _chart_limit(shape, runs, blank, tuning)
    engine = _engine(network, shape, len(runs), replace(blank, chart_limit=chart_limit), tuning)
    seen = _replay(engine, runs)
    if len(seen.ewma) * shape.stride < LEAST_WINDOWS * shape.window:
        raise CalibrationError(
            f"{rows} rows gave {len(seen.ewma)} windows without a gap; calibration wants at least "
            f"{(LEAST_WINDOWS + 1) * shape.window} rows in a row, ten windows ({10 * shape.window} rows) to be sensible"
        )
    return _limits(seen, replace(blank, chart_limit=chart_limit), runs, shape, tuning), engine


def drift_allowance(runs: Sequence[Run], scaler: Scaler, block_rows: int) -> np.ndarray:
    """How far a baseline may drift, (channels,) in the channels' units, from what normal runs show.

    Two scales, or one and a half times the range of the means of blocks of rows over
    all runs, whichever is more: machines of one fleet, and one machine over its days,
    differ by that much and are all normal.
    """
    blocks = [
        np.nanmean(block, axis=0)
        for run in runs
        for block in np.array_split(run.values - scaler.center[run.slots], max(1, len(run.values) // block_rows))
        if not np.isnan(block).all(axis=0).any()
    ]
    spread = np.ptp(np.stack(blocks), axis=0) if blocks else np.zeros(scaler.center.shape[1])
    return np.maximum(2 * scaler.scale.mean(axis=0), 1.5 * spread)


@dataclass(frozen=True)
class _Seen:
    """Statistics of every window of the calibration rows, run after run."""

    statistics: Statistics
    ewma: np.ndarray


def _blank(scaler: Scaler, max_drift: np.ndarray, channels: int) -> Calibration:
    ones = np.ones(channels)
    return Calibration(scaler, np.full(channels, np.inf), ones, ones, 1.0, 1.0, max_drift, 1.0, None, 0, 1.0)


def _engine(network: Network, shape: Shape, streams: int, calibration: Calibration, tuning: Tuning) -> Engine:
    engine = Engine(network, shape, streams, tuning)
    for stream in range(streams):
        engine.commission(stream, calibration)
    return engine


class _NoNetwork:
    def run(self, windows: np.ndarray) -> np.ndarray:
        return windows


def _chart_limit(shape: Shape, runs: Sequence[Run], blank: Calibration, tuning: Tuning) -> np.ndarray:
    """Largest |EWMA| per channel while the baseline stands still; it decides when baselines may follow."""
    still = replace(blank, max_drift=np.zeros(shape.channels))
    seen = _replay(_engine(_NoNetwork(), shape, len(runs), still, tuning), runs)
    if not len(seen.ewma):
        return np.full(shape.channels, np.inf)
    return np.maximum(np.abs(seen.ewma).max(axis=0), _CHART_FLOOR)


def _replay(engine: Engine, runs: Sequence[Run]) -> _Seen:
    """All runs in lockstep, each a stream of the engine."""
    parts: list[tuple[np.ndarray, Statistics, np.ndarray]] = []
    for row in range(max(len(run.times) for run in runs)):
        live = np.array([i for i, run in enumerate(runs) if row < len(run.times)])
        scored = engine.step(
            live,
            np.stack([runs[i].values[row] for i in live]),
            np.array([runs[i].slots[row] for i in live]),
            np.array([runs[i].restart[row] for i in live]),
        )
        if engine.last_statistics is not None:
            ran = live[scored.ran]
            parts.append((ran, engine.last_statistics, engine.charts.ewma[ran]))
    return _in_order(parts, engine.shape.channels)


def _in_order(parts: Sequence[tuple[np.ndarray, Statistics, np.ndarray]], channels: int) -> _Seen:
    if not parts:
        none = np.zeros((0, channels))
        return _Seen(Statistics(none, none, none), none)
    order = np.argsort(np.concatenate([streams for streams, _, _ in parts]), kind="stable")
    statistics = Statistics(
        *(np.concatenate([getattr(part, name) for _, part, _ in parts])[order] for name in ("window", "recent", "bias"))
    )
    return _Seen(statistics, np.concatenate([ewma for _, _, ewma in parts])[order])


def _limits(seen: _Seen, blank: Calibration, runs: Sequence[Run], shape: Shape, tuning: Tuning) -> Calibration:
    scale = np.maximum(np.sqrt(seen.statistics.window.mean(axis=0)), _FLOOR)
    scaled = Statistics(
        seen.statistics.window / scale**2, seen.statistics.recent / scale**2, seen.statistics.bias / scale
    )
    span_s = float(sum(run.times[-1] - run.times[0] for run in runs))
    calibration = replace(
        blank,
        chart_limit=np.maximum(np.abs(seen.ewma).max(axis=0), _CHART_FLOOR),
        residual_scale=scale,
        bias_limit=np.maximum(scaled.bias.max(axis=0), _FLOOR),
        window_limit=max(float(scaled.window.mean(axis=1).max()), _FLOOR),
        recent_limit=max(float(scaled.recent.mean(axis=1).max()), _FLOOR),
        rows=sum(len(run.times) for run in runs),
        span_s=max(span_s, 1e-9),
    )
    statistic = _fused(scaled, seen.ewma, calibration, tuning).statistic
    tail = _tail(statistic, calibration.span_s, shape)
    return replace(calibration, level=float(statistic.max()) * tuning.margin, tail=tail)


def _fused(statistics: Statistics, ewma: np.ndarray, calibration: Calibration, tuning: Tuning) -> Fused:
    count = len(ewma)
    limits = Limits(
        np.tile(calibration.chart_limit, (count, 1)),
        np.ones_like(ewma),
        np.tile(calibration.bias_limit, (count, 1)),
        np.full(count, calibration.window_limit),
        np.full(count, calibration.recent_limit),
    )
    return fuse(statistics, ewma, limits, tuning)


def _tail(statistic: np.ndarray, span_s: float, shape: Shape) -> Tail:
    """Peaks two windows apart share no row and hardly any state."""
    return fit_tail(cluster_peaks(statistic, max(1, 2 * shape.window // shape.stride)), span_s)
