"""What was unusual about each channel of a row: what was expected of it, how far normal rows stay from it, and why."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edge.detector.bundle.calibration import Calibration
from edge.detector.members.registry import MEMBERS, position
from edge.detector.score.scored import Scored
from edge.wire.events import Reason

OF_BASELINE, OF_NETWORK = 0, 1
"""Rows of a calibration's spread: how far normal rows stay from baselines, and from what the network makes."""
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
    outside = np.abs(values - scored.level[n]) > tolerance[OF_BASELINE]
    seen = of_level & outside
    reasons: list[Reason] = [
        "level" if seen[at] else "pattern" if of_level[at] else MEMBERS[member].reason
        for at, member in enumerate(scored.reason[n].tolist())
    ]
    known = np.isfinite(scored.expected[n])
    by_level = seen | ~known
    expected = np.where(by_level, scored.level[n], scored.expected[n])
    return reasons, expected, np.where(by_level, tolerance[OF_BASELINE], tolerance[OF_NETWORK])


class Step(NamedTuple):
    """One row each of n streams, and what the engine made of them."""

    streams: np.ndarray
    """(n,)."""
    times: np.ndarray
    """(n,) Unix seconds."""
    values: np.ndarray
    """(n, channels), in the channels' units."""
    slots: np.ndarray
    """(n,): the season's."""
    restart: np.ndarray
    """(n,) bool: whether a window begins with the row."""
    scored: Scored


class Explanation(NamedTuple):
    """What was unusual about a row, by channel; worked out when it is asked for, since hardly any row is.

    Holds on to the step that scored it, of which it is row `n`.
    """

    # Not a dataclass: one is made for every row.
    channels: Sequence[tuple[str, str]]
    """Names with units."""
    step: Step
    n: int
    calibration: Calibration

    @property
    def shares(self) -> dict[str, float]:
        """Channel to its part in the score; they add up to 1, or all are 0 where the score is."""
        return self._named(self.step.scored.shares[self.n])

    @property
    def expected(self) -> dict[str, float]:
        """Channel to the value that was expected of it, in its unit."""
        return self._named(self.explained()[1])

    @property
    def tolerance(self) -> dict[str, float]:
        """Channel to how far normal rows stay from what is expected, in its unit."""
        return self._named(self.explained()[2])

    @property
    def reasons(self) -> dict[str, Reason]:
        """Channel to what says most of it: `level`, `relation`, `noise` or `pattern`."""
        return dict(zip((name for name, _ in self.channels), self.explained()[0], strict=True))

    def explained(self) -> tuple[list[Reason], np.ndarray, np.ndarray]:
        """Reasons, expected values and tolerances, (channels,) each, as the function of that name gives them."""
        values, slot = self.step.values[self.n], int(self.step.slots[self.n])
        return explained(self.step.scored, self.n, values, self.calibration, slot)

    def _named(self, numbers: np.ndarray) -> dict[str, float]:
        return dict(zip((name for name, _ in self.channels), numbers.tolist(), strict=True))
