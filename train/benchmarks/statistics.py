"""Classical detectors as statistics of windows of scaled rows; a high value is unusual."""

from collections.abc import Callable

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest

Statistic = Callable[[np.ndarray, int], np.ndarray]
"""(m, channels) rows without a gap and a window's length to (m - window + 1, members)."""

_EXPLAINED = 0.9
"""Part of the variance that the components kept explain, as is usual."""
_MOST_ROWS = 20_000
"""Rows fitted on at most, evenly spread: a forest draws 256 a tree, and components hardly change beyond."""
_NEGLIGIBLE = 1e-12


def fit_pca(segments: list[np.ndarray], window: int, seed: int) -> Statistic:
    """Hotelling's T2 and the squared prediction error Q of a window's mean row.

    Of the mean, not of single rows: docs/decisions/014-plain-detectors.md. With one channel Q is nothing.
    Source: Jackson and Mudholkar 1979.
    """
    del seed
    means = np.concatenate([_means(rows, window) for rows in segments if len(rows) >= window])
    with np.errstate(invalid="ignore"):  # channels that all stand still: the variance explained is 0 of 0
        pca = PCA(_EXPLAINED if means.shape[1] > 1 and means.std() > 0 else 1).fit(_thinned(means))
    spread = np.maximum(pca.explained_variance_, _NEGLIGIBLE)

    def statistic(rows: np.ndarray, window: int) -> np.ndarray:
        means = _means(rows, window)
        parts = pca.transform(means)
        rest = means - pca.inverse_transform(parts)
        return np.stack([(parts**2 / spread).sum(axis=1), (rest**2).sum(axis=1)], axis=1)

    return statistic


def fit_forest(segments: list[np.ndarray], window: int, seed: int) -> Statistic:
    """Isolation Forest's score of rows, averaged over the window.

    Averaged scores of rows, not of single ones: docs/decisions/014-plain-detectors.md.
    Source: Liu, Ting and Zhou 2008; scikit-learn's defaults.
    """
    del window
    forest = IsolationForest(random_state=seed).fit(_thinned(np.concatenate(segments)))
    return lambda rows, window: _means(-forest.score_samples(rows)[:, None], window)


def _means(rows: np.ndarray, window: int) -> np.ndarray:
    """(m - window + 1, channels): running means."""
    sums = np.cumsum(np.concatenate([np.zeros((1, rows.shape[1])), rows]), axis=0)
    return (sums[window:] - sums[:-window]) / window


def _thinned(rows: np.ndarray) -> np.ndarray:
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), _MOST_ROWS)).astype(int)]
