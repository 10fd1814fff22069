import numpy as np
import pytest
from rig import run_of

from edge.detector.scaler import Scaler
from edge.detector.wander import drift_allowance, slowness, unseen

WINDOW = 10
PLAIN = Scaler("robust", np.zeros((1, 2)), np.ones((1, 2)))


def noise(rows: int, memory: float, seed: int = 1) -> np.ndarray:
    """(rows, 2): white noise beside noise of the same size that remembers what it was."""
    white = np.random.default_rng(seed).normal(size=(rows, 2))
    for row in range(1, rows):
        white[row, 1] = memory * white[row - 1, 1] + np.sqrt(1 - memory**2) * white[row, 1]
    return white


def test_a_channel_that_changes_slowly_has_been_seen_less_often():
    quick, slow = slowness([run_of(noise(6000, 0.995))], PLAIN, WINDOW, few=6.0)

    assert quick == pytest.approx(1.0, abs=0.02)
    assert slow > 1.5


def test_few_windows_do_not_make_a_channel_slow():
    assert slowness([run_of(noise(80, 0.5))], PLAIN, WINDOW, few=6.0) == pytest.approx([1.0, 1.0])


def test_a_channel_that_stands_still_is_not_slow():
    assert slowness([run_of(np.ones((400, 2)))], PLAIN, WINDOW, few=6.0) == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("rows", [1, 25])
def test_too_few_rows_say_nothing_of_slowness(rows):
    assert slowness([run_of(noise(rows, 0.9))], PLAIN, WINDOW, few=6.0).tolist() == [1.0, 1.0]


def test_rows_without_a_value_are_passed_over():
    values = noise(6000, 0.995)
    values[1000:1500, 1] = np.nan

    quick, slow = slowness([run_of(values)], PLAIN, WINDOW, few=6.0)

    assert quick < 1.1 < slow


def test_what_the_fleet_shows_beyond_the_own_rows_widens_the_limits():
    runs = [run_of(np.zeros((400, 2)))]  # alone they would allow a drift of two scales

    assert unseen(np.array([2.0, 18.0]), runs, PLAIN, WINDOW) == pytest.approx([1.0, 3.0])
    assert unseen(np.array([0.5, 1.0]), runs, PLAIN, WINDOW) == pytest.approx([1.0, 1.0])


def test_a_baseline_may_drift_as_far_as_machines_differ_and_half_as_much_again():
    runs = [run_of(np.full((100, 2), level)) for level in (0.0, 6.0)]

    assert drift_allowance(runs, PLAIN, 50) == pytest.approx([9.0, 9.0])
