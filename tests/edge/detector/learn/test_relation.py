"""What is left of a row without its principal components."""

import numpy as np
import pytest

from edge.detector.learn.prepare import residual_projector


def together(rows: int = 2000, off: float = 0.05, seed: int = 0) -> np.ndarray:
    """Three channels that follow one cause, and a fourth of its own."""
    chance = np.random.default_rng(seed)
    cause, own = chance.normal(size=(rows, 1)), chance.normal(size=(rows, 1))
    return np.concatenate([cause * [1.0, 0.5, -0.2], own], axis=1) + chance.normal(0, off, (rows, 4))


def test_it_is_what_an_svd_leaves_over():
    rows = together()
    _, sizes, axes = np.linalg.svd(rows, full_matrices=False)
    kept = int(np.argmax(np.cumsum(sizes**2) / (sizes**2).sum() >= 0.95)) + 1

    found = residual_projector(rows)

    assert kept == 2
    np.testing.assert_allclose(rows @ found.T, rows - rows @ axes[:kept].T @ axes[:kept], atol=1e-9)


def test_projecting_twice_changes_nothing():
    found = residual_projector(together())

    np.testing.assert_allclose(found @ found, found, atol=1e-9)


def test_a_channel_that_leaves_the_others_is_seen_and_one_that_goes_with_them_is_not():
    found = residual_projector(together())

    def left(row):
        return float(((found @ np.array(row)) ** 2).sum())

    assert left([3.0, 1.5, -0.6, 0.0]) < 0.01
    assert left([0.0, 1.5, 0.0, 0.0]) > 0.5


def test_channels_that_have_nothing_to_do_with_each_other_leave_nothing():
    found = residual_projector(np.random.default_rng(0).normal(size=(5000, 3)))

    assert found == pytest.approx(np.zeros((3, 3)), abs=1e-9)


@pytest.mark.parametrize("rows", [np.zeros((0, 3)), np.zeros((1, 3)), np.zeros((50, 3)), np.ones((1, 3))])
def test_rows_that_say_nothing_give_finite_numbers(rows):
    assert np.isfinite(residual_projector(rows)).all()


def test_a_single_channel_has_no_relation():
    assert residual_projector(np.random.default_rng(0).normal(size=(100, 1))) == pytest.approx(np.zeros((1, 1)))
