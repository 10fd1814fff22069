"""What normal runs teach of baselines."""

import numpy as np
import pytest

from edge.detector.bundle.scaler import Scaler
from edge.detector.learn.runs import Run, finished
from edge.detector.learn.settle import settle
from edge.detector.members.tuning import DEFAULT
from edge.detector.score.calibrations import Shape
from tests.helpers.rig import run_of

WINDOW = 10
SLOW = int(DEFAULT.baseline_windows * WINDOW)
PLAIN = Scaler("robust", np.zeros((1, 2)), np.ones((1, 2)))
FLOOR = DEFAULT.control * 0.3


def settled(*runs: Run):
    return finished(settle([(PLAIN, runs)], Shape(WINDOW, 2), DEFAULT))[0]


def still(level: float, rows: int = 400) -> Run:
    return run_of(np.tile([level, 0.0], (rows, 1)))


def test_a_channel_that_stands_still_has_the_least_control_and_wanders_nowhere():
    found = settled(still(0.0))

    assert found.control == pytest.approx([FLOOR, FLOOR])
    assert found.wander.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert not found.distances[0].any()


def test_a_baseline_wanders_as_far_as_machines_differ():
    found = settled(still(-0.5), still(2.0))

    assert found.wander == pytest.approx(np.array([[-0.5, 0.0], [2.0, 0.0]]))


def test_it_wanders_as_a_mean_as_slow_as_a_baseline_and_not_as_readings_do():
    values = np.zeros((4000, 2))
    values[2000 : 2000 + SLOW, 0] = 2.0  # for one time constant
    values[::2, 1], values[1::2, 1] = 3.0, -3.0

    found = settled(run_of(values))

    assert found.wander[1, 0] == pytest.approx(2.0 * (1 - np.exp(-1)), rel=0.01)
    assert np.abs(found.wander[:, 1]).max() < 0.1


def test_distances_are_those_from_a_baseline_that_follows():
    found = settled(still(1.5))

    assert found.distances[0] == pytest.approx(np.zeros((400, 2)), abs=1e-9)


def test_control_is_the_level_chart_of_rows_around_a_baseline_that_follows():
    wave = np.sin(np.arange(4000) / 20)
    found = settled(run_of(np.stack([wave, 2.0 + wave], axis=1)))

    assert found.control[1] == pytest.approx(found.control[0], rel=0.05)
    assert DEFAULT.control * 0.9 < found.control[0] < DEFAULT.control * 1.2


def test_what_a_lead_gives_is_not_told():
    run = run_of(np.random.default_rng(0).normal(size=(300, 2)))
    led = Run(run.times, run.values, run.slots, run.restart, 100)

    np.testing.assert_array_equal(settled(led).distances[0], settled(run).distances[0][100:])


def test_missing_readings_are_at_no_distance_and_a_channel_without_any_is_nowhere():
    values = np.full((400, 2), 1.0)
    values[100:150, 0], values[:, 1] = np.nan, np.nan

    found = settled(run_of(values))

    assert np.isfinite(found.distances[0]).all()
    assert found.wander[:, 1].tolist() == [0.0, 0.0]
    assert np.isfinite(found.control).all()


def test_after_a_gap_a_baseline_takes_its_place_anew():
    values = np.zeros((400, 2))
    values[200:, 0] = 3.0
    run = Run(np.arange(400.0), values, np.zeros(400, np.intp), np.isin(np.arange(400), [0, 200]))

    found = settled(run)

    assert found.distances[0] == pytest.approx(np.zeros((400, 2)), abs=1e-9)
    assert found.wander[1, 0] == pytest.approx(3.0)


def test_a_season_knows_where_its_slots_are_and_wanders_nowhere():
    scaler = Scaler("robust", np.zeros((2, 2)), np.ones((2, 2)))
    run = run_of(np.random.default_rng(0).normal(1.0, 0.1, (400, 2)))
    run = Run(run.times, run.values, np.arange(400) % 2, run.restart)

    found = finished(settle([(scaler, [run])], Shape(WINDOW, 2, slots=2), DEFAULT))[0]

    assert not found.wander.any()
