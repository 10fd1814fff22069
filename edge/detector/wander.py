"""How much further a channel may go than normal rows show: slow channels, and machines that differ."""

from collections.abc import Sequence

import numpy as np

from edge.detector.runs import Run
from edge.detector.scaler import Scaler

_BLOCK_WINDOWS = 2
"""Length of the blocks whose means say how far a machine's own rows wander, windows."""
_LEAST_BLOCKS = 4
_SURE = 2.0
"""Standard errors that an autocorrelation must be over zero by: few blocks say little."""
_MOST = 0.999


def drift_allowance(runs: Sequence[Run], scaler: Scaler, block_rows: int) -> np.ndarray:
    """How far a baseline may drift, (channels,) in the channels' units, from what normal runs show.

    Two scales, or one and a half times the range of the means of blocks of rows over
    all runs, whichever is more: machines of one fleet, and one machine over its days,
    differ by that much and are all normal.
    """
    blocks = [
        block for run in runs for block in _block_means(run.values - scaler.center[run.slots], block_rows)
        if not np.isnan(block).any()
    ]  # fmt: skip
    spread = np.ptp(np.stack(blocks), axis=0) if blocks else np.zeros(scaler.center.shape[1])
    return np.maximum(2 * scaler.scale.mean(axis=0), 1.5 * spread)


def unseen(fleet: np.ndarray, runs: Sequence[Run], scaler: Scaler, window: int, weight: float = 0.5) -> np.ndarray:
    """(channels,), 1 and more: what the fleet says of a machine whose own rows show only a part of normal.

    How many times as far the fleet's baselines drift (`fleet`, in z-units of `scaler`)
    as this machine's own rows do, to the power of `weight`; a half is the geometric mean
    of what the fleet says and what the machine says. The temperatures of a rig that ran
    for six minutes say little of those it will have in an hour.
    """
    own = drift_allowance(runs, scaler, _BLOCK_WINDOWS * window) / scaler.scale.mean(axis=0)
    return np.maximum(fleet / own, 1.0) ** weight


def slowness(runs: Sequence[Run], scaler: Scaler, window: int, few: float) -> np.ndarray:
    """(channels,), 1 and more: how much wider limits are of channels that were seen to vary only a few times.

    A window's mean that resembles the one before it is no new observation: n windows
    with lag-one autocorrelation r are worth n (1 - r) / (1 + r) independent ones (Bayley
    and Hammersley 1946, first-order). A limit is uncertain by 1 + `few` / sqrt of that,
    relative to what it would be were all windows independent.
    """
    means = [_block_means(run.values - scaler.center[run.slots], window) for run in runs]
    series = [blocks[~np.isnan(blocks).any(axis=1)] for blocks in means]
    series = [blocks for blocks in series if len(blocks) >= _LEAST_BLOCKS]
    count = sum(len(blocks) for blocks in series)
    if not count:
        return np.ones(scaler.center.shape[1])
    steps = sum((np.diff(blocks, axis=0) ** 2).mean(axis=0) * len(blocks) for blocks in series)
    spread = sum(((blocks - blocks.mean(axis=0)) ** 2).sum(axis=0) for blocks in series)
    # Half of von Neumann's ratio is one less the autocorrelation; a channel that stands still has none.
    alike = 1 - np.divide(steps, 2 * spread, out=np.ones_like(spread), where=spread > 0)
    alike = np.clip(alike - _SURE / np.sqrt(count), 0.0, _MOST)
    independent = np.maximum(count * (1 - alike) / (1 + alike), 1.0)
    return (1 + few / np.sqrt(independent)) / (1 + few / np.sqrt(count))


def _block_means(values: np.ndarray, rows: int) -> np.ndarray:
    """(n, channels) means of the blocks of about `rows` rows; NaN where a channel has no value in one."""
    blocks = np.array_split(values, max(1, len(values) // rows))
    known = [(~np.isnan(block)).sum(axis=0) for block in blocks]
    return np.stack(
        [
            np.divide(np.nansum(block, axis=0), n, out=np.full(len(n), np.nan), where=n > 0)
            for block, n in zip(blocks, known, strict=True)
        ]
    )
