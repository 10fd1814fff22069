"""The core loop: rows of many streams in, one fused statistic for each out."""

from dataclasses import dataclass

import numpy as np

from edge.detector.calibration import Calibration
from edge.detector.chart import Charts
from edge.detector.ring import RingBuffer
from edge.detector.runtime import Network
from edge.detector.scaler import to_z
from edge.detector.scorer import Limits, Statistics, fuse, residual_statistics
from edge.detector.tuning import Tuning


@dataclass(frozen=True)
class Shape:
    """What the arrays of an engine are sized by."""

    window: int
    channels: int
    slots: int = 1
    stride: int = 1


@dataclass(frozen=True)
class Scored:
    """What one row each of n streams gave; NaN and zeros where no network ran."""

    ran: np.ndarray
    """(n,) bool: whether this row completed a window that the network ran on."""
    statistic: np.ndarray
    """(n,): the fused statistic, NaN where it did not run."""
    shares: np.ndarray
    """(n, channels)."""
    expected: np.ndarray
    """(n, channels): what the network made of the last row, in the channels' units; NaN where it did not run."""


class Engine:
    """Scaler, baselines, charts, windows and network of streams that share a model; the first axis is the stream."""

    def __init__(self, network: Network, shape: Shape, streams: int, tuning: Tuning) -> None:
        self.shape = shape
        self.tuning = tuning
        self.charts = Charts(streams, shape.slots, shape.channels, shape.window, tuning)
        self._network = network
        self._rings = RingBuffer(streams, shape.window, shape.channels)
        self._known = RingBuffer(streams, shape.window, shape.channels, bool)
        self._since_run: np.ndarray = np.zeros(streams, np.intp)
        size = (streams, shape.channels)
        self._center: np.ndarray = np.zeros((streams, shape.slots, shape.channels))
        self._scale: np.ndarray = np.ones_like(self._center)
        self._max_drift: np.ndarray = np.full(size, np.inf)
        self._limits = Limits(np.ones(size), np.ones(size), np.ones(size), np.ones(streams), np.ones(streams))
        self.last_statistics: Statistics | None = None
        """Of the last step's streams that ran, unscaled by no limit; calibration reads it."""

    def commission(self, stream: int, calibration: Calibration) -> None:
        """Give a stream its scaler and limits."""
        self._center[stream] = calibration.scaler.center
        self._scale[stream] = calibration.scaler.scale
        self._max_drift[stream] = calibration.max_drift
        self._limits.chart[stream] = calibration.chart_limit
        self._limits.residual[stream] = calibration.residual_scale
        self._limits.bias[stream] = calibration.bias_limit
        self._limits.window[stream] = calibration.window_limit
        self._limits.recent[stream] = calibration.recent_limit

    def step(self, streams: np.ndarray, values: np.ndarray, slots: np.ndarray, restart: np.ndarray) -> Scored:
        """Take one row (n, channels) of each of n different streams, in the channels' units.

        `slots` (n,) are the season's, `restart` (n,) says where a gap lies before the row.
        """
        self._start_over(streams[restart])
        center, scale = self._center[streams, slots], self._scale[streams, slots]
        distance = self.charts.center(streams, slots, to_z(values, center, scale))
        ewma = self.charts.update(streams, distance)
        self._keep(streams, distance)
        limits = self._limits_of(streams)
        in_control = np.abs(ewma) <= self.tuning.freeze * limits.chart
        expected_base = self.charts.baseline[streams, slots] * scale + center
        self.charts.follow(streams, slots, distance, in_control, self._max_drift[streams])
        return self._run(streams, ewma, scale, expected_base)

    def _run(self, streams: np.ndarray, ewma: np.ndarray, scale: np.ndarray, base: np.ndarray) -> Scored:
        self._since_run[streams] += 1
        ran = self._rings.full(streams) & (self._since_run[streams] >= self.shape.stride)
        statistic = np.full(len(streams), np.nan)
        shares = np.zeros((len(streams), self.shape.channels))
        expected = np.full_like(shares, np.nan)
        self.last_statistics = None
        if ran.any():
            due = streams[ran]
            self._since_run[due] = 0
            limits = self._limits_of(due)
            windows = self._rings.windows(due)
            outputs = self._network.run(windows)
            self.last_statistics = residual_statistics(
                windows, outputs, self._known.windows(due), limits.residual, self.tuning
            )
            fused = fuse(self.last_statistics, ewma[ran], limits, self.tuning)
            statistic[ran], shares[ran] = fused.statistic, fused.shares
            expected[ran] = outputs[:, -1] * scale[ran] + base[ran]
        return Scored(ran, statistic, shares, expected)

    def adopt(self, stream: int, other: "Engine") -> None:
        """Go on from where the one stream of another engine stands: its window, chart and baseline."""
        self.charts.ewma[stream] = other.charts.ewma[0]
        self.charts.baseline[stream] = other.charts.baseline[0]
        self._rings.copy_from(stream, other._rings)
        self._known.copy_from(stream, other._known)

    def _start_over(self, streams: np.ndarray) -> None:
        if len(streams):
            self._rings.clear(streams)
            self._known.clear(streams)
            self.charts.clear(streams)
            self._since_run[streams] = self.shape.stride

    def _keep(self, streams: np.ndarray, distance: np.ndarray) -> None:
        known = ~np.isnan(distance)
        self._rings.append(streams, np.where(known, distance, 0.0))
        self._known.append(streams, known)

    def _limits_of(self, streams: np.ndarray) -> Limits:
        of = self._limits
        return Limits(of.chart[streams], of.residual[streams], of.bias[streams], of.window[streams], of.recent[streams])
