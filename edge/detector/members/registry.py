"""The members by name: registered here and nowhere else. A high number is unusual.

To add one: a file in this folder, and a line in `MEMBERS`; those by channel come first.
tests/edge/detector/members fails until it sees the fault that it is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.detector.members.level import LEVEL
from edge.detector.members.nearest import MEMORY
from edge.detector.members.relation import RELATION
from edge.detector.members.residuals import BIAS, ENERGY, RECENT
from edge.detector.members.tuning import Tuning

MEMBERS = (
    LEVEL,
    BIAS,
    ENERGY,
    RELATION,
    RECENT,
    MEMORY,
)

NAMES = tuple(member.name for member in MEMBERS)
BY_CHANNEL = tuple(member.name for member in MEMBERS if member.by_channel)


def position(name: str) -> int:
    """Of a member in arrays."""
    return NAMES.index(name)


def span_rows(name: str, window: int, tuning: Tuning) -> float:
    """Rows that a member averages over.

    >>> [span_rows(name, 30, Tuning()) for name in NAMES]
    [30.0, 120.0, 120.0, 6.0, 10.0, 30.0]
    """
    return MEMBERS[position(name)].span_rows(window, tuning)


@dataclass(frozen=True)
class Limits:
    """What a stream's members are measured by; (members,) each, in the order of `MEMBERS`."""

    usual: np.ndarray
    """The usual peak of normal rows: scores 0."""
    limit: np.ndarray
    """Scores 1.0; infinite where a member does not take part."""

    @property
    def taking_part(self) -> tuple[str, ...]:
        """Names of the members that do."""
        return tuple(name for name, limit in zip(NAMES, self.limit.tolist(), strict=True) if np.isfinite(limit))


def wanted_rows(name: str, window: int, tuning: Tuning) -> int:
    """Normal rows that a member wants before it takes part.

    Within a window rows are much alike: a member that averages over less has not seen more for it.

    >>> [wanted_rows(name, 30, Tuning()) for name in NAMES]
    [480, 1920, 1920, 480, 480, 480]
    """
    return int(np.ceil(tuning.stretches * max(span_rows(name, window, tuning), window)))


def left_out(tuning: Tuning) -> Sequence[int]:
    """Positions of the members that an ablation leaves out."""
    return [position(name) for name in tuning.without]
