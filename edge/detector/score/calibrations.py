"""What streams were calibrated with, as arrays whose first axis is the stream."""

from dataclasses import dataclass

import numpy as np

from edge.detector.bundle.calibration import Calibration, everything
from edge.detector.bundle.gaussian import Gaussian
from edge.detector.bundle.memory import Memory
from edge.detector.members.registry import BY_CHANNEL, MEMBERS
from edge.detector.score.chart import Wander


@dataclass(frozen=True)
class Shape:
    """What the arrays of an engine are sized by."""

    window: int
    channels: int
    slots: int = 1
    stride: int = 1


class Calibrations:
    """The calibrations of many streams; see `edge.detector.bundle.calibration.Calibration` for units."""

    def __init__(self, streams: int, shape: Shape) -> None:
        size = (streams, shape.channels)
        self.center: np.ndarray = np.zeros((streams, shape.slots, shape.channels))
        self.scale: np.ndarray = np.ones_like(self.center)
        self.wander = Wander(np.zeros(size), np.zeros(size), np.full(size, np.inf), np.full(size, np.inf))
        self.shifted: np.ndarray = np.zeros((streams, 1))
        self.residual_scale: np.ndarray = np.ones(size)
        self.fitted: np.ndarray = np.tile(everything(shape.channels).astype(np.float32), (streams, 1, 1))
        self.spread: np.ndarray = np.ones(size)
        self.projector: np.ndarray = np.zeros((streams, shape.channels, shape.channels))
        self.size: np.ndarray = np.ones((streams, len(BY_CHANNEL), shape.channels))
        self.usual: np.ndarray = np.zeros((streams, len(MEMBERS)))
        self.limit: np.ndarray = np.full((streams, len(MEMBERS)), np.inf)
        self.blind: np.ndarray = np.ones(streams, bool)
        """Whether no member takes part."""
        self.memory: list[Memory | None] = [None] * streams
        self.gaussians: dict[int, Gaussian] = {}
        """Of streams whose threshold is one."""

    def take(self, stream: int, calibration: Calibration) -> None:
        """A stream's own from now on."""
        self.center[stream] = calibration.scaler.center
        self.scale[stream] = calibration.scaler.scale
        self.wander.low[stream], self.wander.high[stream] = calibration.wander
        self.wander.control[stream] = calibration.control_limit
        self.wander.most[stream] = calibration.max_drift
        self.shifted[stream] = calibration.shifted
        self.residual_scale[stream] = calibration.residual_scale
        self.fitted[stream] = calibration.fitted_range
        self.spread[stream] = calibration.spread[0]
        self.projector[stream] = calibration.projector
        self.size[stream] = calibration.sizes
        self.usual[stream], self.limit[stream] = calibration.limits.usual, calibration.limits.limit
        self.blind[stream] = not np.isfinite(calibration.limits.limit).any()
        self.memory[stream] = calibration.memory
        self.gaussians.pop(stream, None)
        if calibration.gaussian is not None:
            self.gaussians[stream] = calibration.gaussian

    def wander_of(self, streams: np.ndarray) -> Wander:
        """That of n streams."""
        every = self.wander
        return Wander(every.low[streams], every.high[streams], every.control[streams], every.most[streams])
