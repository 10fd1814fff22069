"""What is fused into one statistic, and what alarms alone."""

import numpy as np
import pytest

from edge.detector.scorer import Members, fuse, residual_errors
from edge.detector.tuning import DEFAULT

LIMITS = Members(np.ones((1, 3, 2)), np.ones((1, 2)))


def fused(level, errors, bias=0.0):
    """The statistic where one channel's chart, and the errors as a whole, are so many times over their limits."""
    channel = np.array([[[level, 0.1], [bias, 0.1], [0.1, 0.1]]])
    return fuse(Members(channel, np.full((1, 2), errors)), LIMITS, DEFAULT).statistic[0]


def test_what_both_see_counts_at_once():
    assert fused(level=1.2, errors=1.2) == pytest.approx(1.2)
    assert fused(level=0.8, errors=1.4) > 1


@pytest.mark.parametrize("loud", [2.0, 50.0])
def test_errors_alone_do_not_make_up_for_a_chart_that_sees_nothing(loud):
    assert fused(level=0.6, errors=loud) < 1


def test_a_chart_far_over_its_limit_alarms_whatever_the_network_says():
    assert fused(level=1.4, errors=0.0) < 1
    assert fused(level=1.6, errors=0.0) > 1


def test_a_channel_that_the_network_misses_alarms_though_nothing_left_its_level():
    assert fused(level=0.1, errors=0.1, bias=1.2) == pytest.approx(1.2)


def test_shares_add_up_and_name_the_loudest_channel():
    channel = np.array([[[0.2, 2.0], [0.1, 0.1], [0.1, 0.1]]])
    shares = fuse(Members(channel, np.ones((1, 2))), LIMITS, DEFAULT).shares[0]

    assert shares.sum() == pytest.approx(1.0)
    assert shares.argmax() == 1


def test_one_wild_reading_counts_as_far_as_the_cut_and_several_add_up():
    def energy(wild):
        windows = np.zeros((1, 30, 2))
        windows[0, 5 : 5 + wild, 0] = 1e6
        known = np.ones(windows.shape, bool)
        return residual_errors(windows, np.zeros_like(windows), known, np.ones((1, 2)), DEFAULT).energy[0, 0]

    assert energy(1) == pytest.approx(DEFAULT.cut**2 / 30)
    assert energy(3) == pytest.approx(3 * energy(1))
