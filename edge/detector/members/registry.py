"""The statistics of a row: named, registered here and nowhere else. One number each, a high one is unusual.

To add one: a line in `MEMBERS`, and its number and parts in `edge.detector.score.engine.Engine`;
tests/edge/detector/members/test_members.py fails until both are there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.detector.members.tuning import Tuning
from edge.wire.events import Reason

RELATION_ROWS = 3
"""Time constant of the chart of what a row's relations leave over, rows."""
RECENT = 1 / 3
"""The last rows of a window that count as recent, as a part of it."""


@dataclass(frozen=True)
class Member:
    """What there is to know of a statistic without computing it."""

    name: str
    reason: Reason
    """What a channel's part in it says of the channel."""
    network: bool
    """Whether it judges what the network makes of a window; then rows that the network was fitted on say nothing."""
    by_channel: bool
    """Whether it is the loudest channel's, relative to the channel's usual size; else one number for all."""
    floor: float
    """Least limit: rows that never differ have none of their own. In the member's own unit."""


MEMBERS = (
    Member("level", "level", network=False, by_channel=True, floor=0.2),
    Member("bias", "relation", network=True, by_channel=True, floor=1e-3),
    Member("energy", "noise", network=True, by_channel=True, floor=1e-3),
    Member("relation", "relation", network=False, by_channel=False, floor=0.05),
    Member("recent", "pattern", network=True, by_channel=False, floor=0.3),
    Member("memory", "pattern", network=False, by_channel=False, floor=0.7),
)
"""level: EWMA of a channel's distance from its baseline. bias, energy: EWMA of its mean and mean squared residual.
relation: squared distance of a row from the hyperplane of normal rows (Q, or SPE, of a PCA). recent: mean squared
residual of a window's last third. memory: mean distance of a window from the three nearest remembered ones. Those by
channel come first."""

NAMES = tuple(member.name for member in MEMBERS)
BY_CHANNEL = tuple(member.name for member in MEMBERS if member.by_channel)
LEVEL, BIAS, ENERGY, RELATION, RECENT_ROWS, MEMORY = range(len(MEMBERS))


def span_rows(name: str, window: int, tuning: Tuning) -> float:
    """Rows that a member averages over. An EWMA with time constant t does over 2 t of them (Roberts 1959).

    >>> [span_rows(name, 30, Tuning()) for name in NAMES]
    [30.0, 120.0, 120.0, 6.0, 10.0, 30.0]
    """
    spans = {
        "level": 2 * tuning.level_windows * window,
        "bias": 2 * tuning.error_windows * window,
        "energy": 2 * tuning.error_windows * window,
        "relation": 2.0 * RELATION_ROWS,
        "recent": max(1.0, window * RECENT),
        "memory": float(window),
    }
    return spans[name]


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


@dataclass(frozen=True)
class Fused:
    """n fused statistics and where they come from."""

    statistic: np.ndarray
    """(n,): the loudest member's, 1.0 at its limit, 0 where all are usual."""
    shares: np.ndarray
    """(n, channels): parts of the statistic, adding up to 1."""
    reason: np.ndarray
    """(n, channels): the member that says most of a channel, as a position in `MEMBERS`."""


def excess(values: np.ndarray, usual: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """(n, members) values as parts of the way from the usual one to the limit; 0 for NaN, and below the usual one."""
    return np.fmax((values - usual) / (limit - usual), 0.0)


def fuse(values: np.ndarray, parts: np.ndarray, usual: np.ndarray, limit: np.ndarray) -> Fused:
    """One statistic of n rows' members: that of the loudest.

    `values` (n, members); `parts` (n, members, channels), not negative, how much of each
    member comes from each channel, in any unit. `usual`, `limit` (n, members). Shares
    weigh members by the square of what they say, so that the loudest name the channel.
    """
    said = excess(values, usual, limit)
    weight = said * said / np.maximum(parts.sum(axis=2), 1e-12)
    by_member = weight[:, :, None] * parts
    shares = by_member.sum(axis=1)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-12)
    return Fused(said.max(axis=1), shares, by_member.argmax(axis=1))


def wanted_rows(name: str, window: int, tuning: Tuning) -> int:
    """Normal rows that a member wants before it takes part.

    Within a window rows are much alike: a member that averages over less has not seen more for it.

    >>> [wanted_rows(name, 30, Tuning()) for name in NAMES]
    [480, 1920, 1920, 480, 480, 480]
    """
    return int(np.ceil(tuning.stretches * max(span_rows(name, window, tuning), window)))


def left_out(tuning: Tuning) -> Sequence[int]:
    """Positions of the members that an ablation leaves out."""
    return [NAMES.index(name) for name in tuning.without]
