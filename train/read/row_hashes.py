"""Fingerprints of the rows a network was fitted on, so that calibration can refuse them."""

import hashlib
from collections.abc import Collection, Sequence

import numpy as np

from edge.detector.bundle.files import Bundle
from train.console.errors import DatasetError
from train.console.words import percent
from train.read.dataset import Run

_KEPT = 2048
"""Hashes kept in a manifest, about: 400 rows of the 86,400 of a day are noticed but once in 10,000 times."""
_TOLERATED = 0.01
"""Part of the rows that may be among those fitted on: where recordings meet, a row may be in both."""
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


def refuse_fitted(runs: Sequence[Run], bundle: Bundle) -> None:
    """Whether a bundle may be calibrated on these rows.

    Raises:
        DatasetError: its network was fitted on some of them.
    """
    part = fitted_part(runs, bundle.training.get("row_hashes", ()))
    if part > _TOLERATED:
        names = ", ".join(dict.fromkeys(run.name for run in runs))
        raise DatasetError(
            f"{names}: the network of {bundle.name} was fitted on about {percent(part)} of these rows. It knows them "
            "by heart, so the alarm level would come out too low and later normal rows would alarm; "
            "calibrate on other normal rows"
        )
