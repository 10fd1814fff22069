"""The baseline of fixed limits, and that the random faults are no easy prey for it."""

import numpy as np
import pytest

from firmware_sim.board.simulation import SimulationSettings, record
from firmware_sim.demo.baseline import Limits, alarm_episodes, false_episodes, fit_limits, found
from firmware_sim.machine.faults import make_fault
from firmware_sim.schedule.schedule import draw_schedule

START = 1_767_571_200.0


def test_limits_are_three_standard_deviations_around_the_mean():
    limits = fit_limits(np.array([[0.0, 5.0], [2.0, np.nan], [4.0, 5.0]]))

    assert limits.high.tolist() == pytest.approx([2.0 + 3.0 * np.sqrt(8.0 / 3.0), 5.0])


def test_a_row_alarms_only_outside_the_limits():
    limits = Limits(np.array([0.0, 0.0]), np.array([1.0, 1.0]))

    assert limits.outside(np.array([[0.0, 1.0], [1.1, 0.5], [0.5, -0.1], [np.nan, 0.5]])).tolist() == [
        False,
        True,
        True,
        False,
    ]


def test_alarms_closer_than_the_hold_time_are_one_episode():
    times = np.array([0.0, 30.0, 90.0, 151.0, 300.0])

    assert alarm_episodes(times, np.array([True, True, True, True, False]), hold_s=60.0) == [
        (0.0, 90.0),
        (151.0, 151.0),
    ]
    assert alarm_episodes(times, np.zeros(5, dtype=bool)) == []


def test_a_fault_is_found_by_an_episode_that_starts_in_it_or_shortly_after():
    fault = make_fault("leak", 100.0, 200.0)

    assert [found(fault, [(start, start + 500.0)]) for start in (99.0, 100.0, 230.0, 231.0)] == [
        False,
        True,
        True,
        False,
    ]
    assert false_episodes([fault], [(99.0, 150.0), (120.0, 130.0), (231.0, 240.0)]) == 2


def test_fixed_limits_find_at_most_half_of_the_random_faults(capsys: pytest.CaptureFixture):
    limits = fit_limits(record(SimulationSettings(START, 86400.0, seed=1000)).values)
    hits = total = wrong = 0
    for seed in range(20):
        faults = draw_schedule(seed, 1, 11, START, 9 * 3600.0)
        run = record(SimulationSettings(START, 9 * 3600.0, seed=seed), faults=faults)
        episodes = alarm_episodes(run.times, limits.outside(run.values))
        hits, total = hits + sum(found(fault, episodes) for fault in faults), total + len(faults)
        wrong += false_episodes(faults, episodes)
    with capsys.disabled():
        print(f"\n  mean +- 3 sd finds {hits} of {total} faults ({100 * hits / total:.0f} %), {wrong} false, in 180 h")

    assert total == 220
    assert hits <= total / 2
