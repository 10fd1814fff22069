"""The grid: instants and their numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detector.rows.row import Grid

PERIODS = st.sampled_from([0.001, 0.01, 0.02, 0.05, 0.1, 0.25, 1 / 3, 0.7, 1.0, 2.5, 60.0, 1800.0, 86400.0])


@given(PERIODS, st.integers(0, 10**9))
def test_the_time_of_a_slot_belongs_to_that_slot(period_s, second):
    grid = Grid(period_s)
    slot = int(second / period_s)

    assert grid.slot(grid.time(slot)) == slot
    assert grid.slot(round(grid.time(slot), 6)) == slot


@given(PERIODS, st.floats(0, 2e9), st.floats(0.01, 0.99))
def test_a_time_belongs_to_the_first_instant_at_or_after_it(period_s, time, part):
    grid = Grid(period_s)
    slot = grid.slot(time)

    assert grid.time(slot - 1) < time + 1e-5 * period_s + 1e-6
    assert time <= grid.time(slot) + 1e-5 * period_s + 2e-6
    assert grid.slot(grid.time(slot) + part * period_s) == slot + 1


@given(PERIODS, st.integers(0, 10**6))
def test_an_instant_reaches_its_slot_and_not_the_next(period_s, slot):
    grid = Grid(period_s)

    assert slot <= grid.reached(grid.time(slot)) < slot + 1


@pytest.mark.parametrize(
    ("period_s", "duration_s", "steps"),
    [(0.1, 0.3, 3), (0.1, 0.29, 2), (1.0, 0.0, 0), (1800.0, 9000.0, 5), (0.7, 2.1, 3)],
)
def test_whole_periods_in_a_duration_are_counted_as_a_human_counts_them(period_s, duration_s, steps):
    assert Grid(period_s).steps_within(duration_s) == steps
