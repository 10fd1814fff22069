"""Residuals and charts to one fused statistic, and each channel's share in it."""

from dataclasses import dataclass

import numpy as np

from edge.detector.tuning import Tuning

CHANNEL_MEMBERS = ("level", "bias", "energy")
"""Statistics of every channel: EWMA of its readings, of its mean residual and of its squared residual."""
WHOLE_MEMBERS = ("window", "recent")
"""Statistics of a window as a whole: mean squared residual of all its rows, and of its last ones."""


@dataclass(frozen=True)
class Errors:
    """Residuals of n windows, summed up; in residual scales."""

    bias: np.ndarray
    """(n, channels): mean residual over the window, signed."""
    energy: np.ndarray
    """(n, channels): mean squared residual over the window."""
    whole: np.ndarray
    """(n, 2): mean squared residual over all channels, of the window and of its recent rows."""
    last: np.ndarray
    """(n, channels): residual of the last row, signed, before it is cut off."""


@dataclass(frozen=True)
class Members:
    """The statistics that are fused; a high value is unusual. As limits they have the same shapes."""

    channel: np.ndarray
    """(n, 3, channels), in the order of `CHANNEL_MEMBERS`."""
    whole: np.ndarray
    """(n, 2), in the order of `WHOLE_MEMBERS`."""


@dataclass(frozen=True)
class Fused:
    """n fused statistics and where they come from."""

    statistic: np.ndarray
    """(n,): about 1 at the most unusual normal row; higher is more unusual."""
    shares: np.ndarray
    """(n, channels): parts of the statistic, adding up to 1."""


def residual_errors(
    windows: np.ndarray, outputs: np.ndarray, known: np.ndarray, scale: np.ndarray, tuning: Tuning
) -> Errors:
    """Errors of (n, window, channels) windows and what the network made of them.

    `known` (n, window, channels) is False where a reading was missing: those residuals
    count as zero. `scale` (n, channels) is the normal size of a residual; single
    residuals are cut off at `tuning.cut` of it, or one wild reading would fill a window.
    """
    residual = np.where(known, windows - outputs, 0.0) / scale[:, None]
    last = residual[:, -1]
    residual = np.clip(residual, -tuning.cut, tuning.cut)
    recent = max(1, round(residual.shape[1] * tuning.recent))
    squared = residual * residual
    energy = squared.mean(axis=1)
    whole = np.stack([energy.mean(axis=1), squared[:, -recent:].mean(axis=(1, 2))], axis=1)
    return Errors(residual.mean(axis=1), energy, whole, last)


def fuse(members: Members, limits: Members, tuning: Tuning) -> Fused:
    """One statistic of n windows' members.

    Errors as a whole and the loudest level chart are multiplied (geometric mean), so
    that what both see counts at once and what only one sees must be louder; but both
    must see something: one wild row in a window is none of the level chart's. Any
    channel's member that is far enough over its limit counts alone, so that none can
    silence another: a fault that breaks the relation between channels moves no level.
    """
    channel = members.channel / limits.channel
    errors = np.sqrt((members.whole / limits.whole).prod(axis=1))
    level = channel[:, 0].max(axis=1)
    joint = np.minimum(np.sqrt(level * errors), np.minimum(level, errors) / tuning.least_joint)
    channel[:, 0] /= tuning.loud_level
    return Fused(np.maximum(joint, channel.max(axis=(1, 2))), _shares(channel))


def _shares(channel: np.ndarray) -> np.ndarray:
    """Each channel's part: the squares of its members, added up; loud ones outweigh many quiet ones."""
    parts = (channel**2).sum(axis=1)
    return parts / np.maximum(parts.sum(axis=1, keepdims=True), 1e-12)
