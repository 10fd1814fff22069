"""What a calibration rests on: which members take part, what the others want, which rate it can vouch for."""

from dataclasses import dataclass

from edge.detector.bundle.calibration import Calibration
from edge.detector.members.registry import NAMES, wanted_rows
from edge.detector.members.tuning import DEFAULT, Tuning


@dataclass(frozen=True)
class Standing:
    """One member of a stream."""

    name: str
    takes_part: bool
    rows: int
    """Normal rows behind its limit, the fleet's among them."""
    wanted: int
    """How many it takes."""

    @property
    def missing(self) -> int:
        """Rows that are still wanted."""
        return 0 if self.takes_part else max(self.wanted - self.rows, 0)


def standings(calibration: Calibration, window: int, tuning: Tuning = DEFAULT) -> tuple[Standing, ...]:
    """Every member's, in their order. A memory that no rows are behind is left out: a device keeps none."""
    part = calibration.taking_part
    return tuple(
        Standing(name, name in part, int(rows), wanted_rows(name, window, tuning))
        for name, rows in zip(NAMES, calibration.rows_behind, strict=True)
        if name != "memory" or rows > 0
    )


def vouched_s(calibration: Calibration) -> float | None:
    """Mean time between two false alerts that the rows can vouch for, seconds; None where they say nothing.

    That of score 1.0 by the tail of normal rows, and at most the time that these span:
    beyond it nobody has looked.
    """
    if calibration.tail is None:
        return None
    claimed = 1 / max(calibration.tail.rate(calibration.level), 1e-300)
    return min(claimed, calibration.tail.span_s)


def describe(calibration: Calibration, window: int, tuning: Tuning = DEFAULT) -> str:
    """One line for a log or a table."""
    every = standings(calibration, window, tuning)
    judging = ", ".join(one.name for one in every if one.takes_part) or "none"
    waiting = ", ".join(f"{one.name} ({one.missing} rows more)" for one in every if not one.takes_part)
    return f"judged by {judging}" + (f"; waiting for rows: {waiting}" if waiting else "")
