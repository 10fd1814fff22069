"""A stretch of rows through the detector's core, with what the network expected of each."""

from dataclasses import dataclass

import numpy as np

from edge.detector.bundle.calibration import Calibration
from edge.detector.bundle.files import Bundle
from edge.detector.learn.commissioning import shape_of
from edge.detector.members.tuning import DEFAULT
from edge.detector.rows.season import Calendar
from edge.detector.score.engine import Engine
from edge.detector.score.explanation import OF_NETWORK
from edge.detector.score.runtime import Network
from train.read.dataset import Segment


@dataclass(frozen=True)
class Trace:
    """Rows on which the network ran; arrays are (n, channels) in the channels' units, or (n,)."""

    times: np.ndarray
    """(n,) Unix seconds."""
    values: np.ndarray
    """As read, NaN where missing."""
    expected: np.ndarray
    """What the network made of the row, having seen it and the rows before it."""
    tolerance: np.ndarray
    """How far normal rows stay from it."""
    score: np.ndarray
    """(n,): 1.0 is the alarm level."""

    def last(self, rows: int) -> "Trace":
        """The last rows."""
        return Trace(*(getattr(self, name)[-rows:] for name in ("times", "values", "expected", "tolerance", "score")))


def trace(bundle: Bundle, network: Network, calibration: Calibration, segment: Segment) -> Trace:
    """Rows of one segment, as a device would see them that starts with the first of them."""
    calendar = Calendar(bundle.season, bundle.timezone)
    engine = Engine(network, shape_of(bundle, calendar), 1, DEFAULT)
    engine.commission(0, calibration)
    slots = calendar.slots_of(segment.times)
    stream = np.zeros(1, np.intp)
    expected = np.full(segment.values.shape, np.nan)
    score = np.full(len(segment), np.nan)
    for row in range(len(segment)):
        values, slot = segment.values[row : row + 1], slots[row : row + 1]
        scored = engine.step(stream, values, slot, np.array([row == 0]))
        expected[row], score[row] = scored.expected[0], scored.statistic[0] / calibration.level
    ran = np.isfinite(score)
    tolerance = calibration.spread[OF_NETWORK] * calibration.scaler.scale[slots]
    return Trace(segment.times[ran], segment.values[ran], expected[ran], tolerance[ran], score[ran])
