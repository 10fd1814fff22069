import numpy as np
import pytest

from edge.detector.bundle.scaler import Scaler
from edge.detector.learn.wander import drift_allowance
from tests.helpers.rig import run_of

PLAIN = Scaler("robust", np.zeros((1, 2)), np.ones((1, 2)))


def test_a_baseline_may_drift_by_two_scales_where_nothing_wandered():
    assert drift_allowance([run_of(np.zeros((100, 2)))], PLAIN, 50) == pytest.approx([2.0, 2.0])


def test_a_baseline_may_drift_as_far_as_machines_differ_and_half_as_much_again():
    runs = [run_of(np.full((100, 2), level)) for level in (0.0, 6.0)]

    assert drift_allowance(runs, PLAIN, 50) == pytest.approx([9.0, 9.0])


def test_blocks_without_a_value_are_passed_over():
    values = np.zeros((100, 2))
    values[50:, 0], values[:50, 1] = np.nan, 9.0

    assert drift_allowance([run_of(values)], PLAIN, 50) == pytest.approx([2.0, 2.0])
