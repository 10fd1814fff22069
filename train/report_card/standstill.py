"""A machine that was off while it was recorded: most channels rest at a low level for long."""

import itertools
from collections.abc import Sequence

import numpy as np

from train.read.dataset import Segment

_BLOCK_ROWS = 30
_LEAST_PART = 0.05
"""Part of all blocks that a stretch makes at least..."""
_FEWEST_BLOCKS, _MOST_BLOCKS = 4, 20
"""...but never fewer than four, and never more than twenty: ten minutes at a row a second. Shorter pauses are part of
the work, as those of a pump that idles between two loads."""
_QUIET = 0.1
"""Part of the usual range within a block up to which a channel stands still."""
_USUAL = 0.9
"""Quantile of a channel's blocks that is usual: the machine may be off for most of the time."""
_LOW = 0.1
"""Part of a channel's range above its lowest that is low."""
_MOST_PART = 0.5
"""More than this part of the channels that move at all."""
_FEWEST_CHANNELS = 2
"""A single channel may well rest while the machine runs."""


def standstills(segments: Sequence[Segment]) -> list[tuple[float, float]]:
    """Stretches in Unix seconds, first and last row, in which the machine seems to be off; the longest first."""
    blocks = [block for segment in segments for block in _blocks(segment)]
    if not blocks:
        return []
    ranges = np.array([np.ptp(block.values, axis=0) for block in blocks])
    levels = np.array([np.median(block.values, axis=0) for block in blocks])  # NaN where a reading is missing
    resting = _resting(ranges, levels)
    least = max(_FEWEST_BLOCKS, min(_MOST_BLOCKS, _LEAST_PART * len(blocks)))
    found = [blocks[first:last] for first, last in _stretches(resting, blocks) if last - first >= least]
    return sorted(
        [(float(part[0].times[0]), float(part[-1].times[-1])) for part in found], key=lambda one: one[0] - one[1]
    )


def _stretches(resting: np.ndarray, blocks: Sequence[Segment]) -> list[tuple[int, int]]:
    """First block and the one after the last of each stretch that rests; none goes on where time steps back."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], resting, [False]])))
    back = np.flatnonzero(np.diff([block.times[0] for block in blocks]) < 0) + 1
    cuts = sorted({*edges.tolist(), *back.tolist()})
    return [(first, last) for first, last in itertools.pairwise(cuts) if resting[first]]


def _resting(ranges: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """(blocks,) bool: whether most channels stand still at a low level; both arguments are (blocks, channels)."""
    known = ~np.isnan(ranges).all(axis=0)
    ranges, levels = ranges[:, known], levels[:, known]
    usual = np.nanquantile(ranges, _USUAL, axis=0)
    moving = usual > 0
    if moving.sum() < _FEWEST_CHANNELS:
        return np.zeros(len(ranges), bool)
    low, high = np.nanmin(levels, axis=0), np.nanmax(levels, axis=0)
    rests = (ranges <= _QUIET * usual) & (levels <= low + _LOW * (high - low))
    return rests[:, moving].mean(axis=1) > _MOST_PART


def _blocks(segment: Segment) -> list[Segment]:
    """Whole blocks of rows; what is left over at the end belongs to none."""
    return [segment.part(start, start + _BLOCK_ROWS) for start in range(0, len(segment) - _BLOCK_ROWS + 1, _BLOCK_ROWS)]
