"""How much further a channel may go than normal rows show: slow channels, and machines that differ."""

from collections.abc import Sequence

import numpy as np

from edge.detector.bundle.scaler import Scaler
from edge.detector.learn.runs import Run


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
