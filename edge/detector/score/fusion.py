"""Members' numbers become one score, and shares that name the channel."""

from dataclasses import dataclass

import numpy as np


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
