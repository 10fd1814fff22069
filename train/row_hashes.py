"""Fingerprints of the rows a network was fitted on, so that calibration can refuse them."""

import hashlib
from collections.abc import Collection, Sequence

import numpy as np

from train.dataset import Run

_KEPT = 512
"""Hashes kept in a manifest, about: enough to notice an overlap of one row in a hundred."""
_DIGITS = 6  # a value that went through a CSV or float32 is still the same row


def row_hashes(run: Run) -> list[str]:
    """A hash of 12 hexadecimal digits for each grid row, of its time and values."""
    return [
        hashlib.blake2b(
            f"{time:.3f} {' '.join(f'{value:.{_DIGITS}g}' for value in row)}".encode(), digest_size=6
        ).hexdigest()
        for segment in run.segments
        for time, row in zip(segment.times.tolist(), segment.values.tolist(), strict=True)
    ]


def sample_hashes(runs: Sequence[Run]) -> list[str]:
    """The smallest hashes of all rows: a sample that any part of the same rows falls into as well."""
    return sorted({digest for run in runs for digest in row_hashes(run)})[:_KEPT]


def fitted_part(runs: Sequence[Run], sample: Collection[str]) -> float:
    """Which part of `runs` the network was fitted on, 0 to 1, from the sample in a manifest."""
    if not sample:
        return 0.0
    largest, known = max(sample), frozenset(sample)
    comparable = [digest for run in runs for digest in row_hashes(run) if digest <= largest]
    return float(np.mean([digest in known for digest in comparable])) if comparable else 0.0
