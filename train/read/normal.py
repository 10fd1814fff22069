"""The plain mean and sd of normal rows: what the simplest limits are made of."""

from collections.abc import Sequence

import numpy as np


def mean_and_sd(parts: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(channels,) each, over parts of (n, channels), NaN ignored; the sd of a channel without a value is infinite.

    >>> [each.tolist() for each in mean_and_sd([np.array([[1.0, 5.0]]), np.array([[3.0, np.nan]])])]
    [[2.0, 5.0], [1.0, 0.0]]
    """
    found = np.sum([(~np.isnan(part)).sum(axis=0) for part in parts], axis=0)
    known = np.maximum(found, 1)
    mean = np.sum([np.nansum(part, axis=0) for part in parts], axis=0) / known
    sd = np.sqrt(np.sum([np.nansum((part - mean) ** 2, axis=0) for part in parts], axis=0) / known)
    return mean, np.where(found > 0, sd, np.inf)
