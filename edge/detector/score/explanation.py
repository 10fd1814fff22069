"""What was unusual about each channel of a row: what was expected of it, how far normal rows stay from it, and why."""

import numpy as np

from edge.detector.bundle.calibration import Calibration
from edge.detector.members.registry import MEMBERS, position
from edge.detector.score.engine import Scored
from edge.wire.events import Reason

_OF_BASELINE, _OF_NETWORK = 0, 1
_LEVEL = position("level")


def explained(
    scored: Scored, n: int, values: np.ndarray, calibration: Calibration, slot: int
) -> tuple[list[Reason], np.ndarray, np.ndarray]:
    """Reasons, expected values and tolerances of row `n`, (channels,) each, in the channels' units.

    `level`: expected is the baseline, and the value lies further from it than normal rows
    do. Else it is what the network makes of the row: `relation`, the channel does not go
    with the others; `noise`, it scatters more than it should; `pattern`, its course over
    the window is another. These last over a window, so that the one value may lie within
    its tolerance.
    """
    scale = calibration.scaler.scale[slot]
    tolerance = calibration.spread * scale
    of_level = scored.reason[n] == _LEVEL
    outside = np.abs(values - scored.level[n]) > tolerance[_OF_BASELINE]
    seen = of_level & outside
    reasons: list[Reason] = [
        "level" if seen[at] else "pattern" if of_level[at] else MEMBERS[member].reason
        for at, member in enumerate(scored.reason[n].tolist())
    ]
    known = np.isfinite(scored.expected[n])
    by_level = seen | ~known
    expected = np.where(by_level, scored.level[n], scored.expected[n])
    return reasons, expected, np.where(by_level, tolerance[_OF_BASELINE], tolerance[_OF_NETWORK])
