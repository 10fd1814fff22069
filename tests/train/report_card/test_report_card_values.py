"""What is worth a look in a column, or in all of them, is recognised, and what only resembles it is not."""

import numpy as np
import pytest

from tests.helpers.made_up import NAN, ROWS, noise, series, wave, with_rows
from train.read.dataset import Segment
from train.report_card.course import holes, trend
from train.report_card.standstill import standstills
from train.report_card.values import coarse, constant, modes

# Constant and coarse columns


def test_a_column_that_stood_still_is_constant():
    assert "4.2" in constant(series(np.full(50, 4.2), [NAN, 4.2]))
    assert constant(series(with_rows(np.full(50, 4.2), {9: 4.3}))) is None
    assert constant(series([NAN])) is None


@pytest.mark.parametrize("step", [0.5, 1.0, 100.0])
def test_a_column_of_few_values_that_mostly_repeat_is_coarse(step):
    found = coarse(series(step * np.round(20 + 2 * wave(400))))

    assert found is not None
    assert f"5 different values, {step:g} apart" in found


@pytest.mark.parametrize(
    "values",
    [
        np.round(20 + 2 * wave(400), 1),  # 41 values
        wave() > 0,
        np.repeat([20, 30, 40], 1000),
        np.round(20 + 4 * noise()).clip(15, 25),  # few values, but the noise is larger than the step
        [],
    ],
)
def test_states_and_columns_whose_noise_is_larger_than_their_step_are_not_coarse(values):
    assert coarse(series(values)) is None


# Holes, trend, operating modes


@pytest.mark.parametrize(("missing", "what"), [(29, None), (30, "missing in 1.0 % of the rows, for 5.0 min")])
def test_holes_are_told_from_a_hundredth_of_the_rows_on(missing, what):
    values = with_rows(noise(), dict.fromkeys(range(100, 100 + missing), NAN))

    found = holes(series(values), period_s=10.0)

    assert (what in found) if what else found is None


def test_a_column_without_rows_has_no_holes():
    assert holes(series(), 1.0) is None


@pytest.mark.parametrize(
    "values",
    [
        20 + ROWS / 1000 + noise(0.3),
        20 - ROWS / 1000 + noise(0.3),
        np.cos(2 * np.pi * ROWS / 6000),  # half of a wave that is longer than the recording
        np.where(ROWS < 1500, 10, 20) + noise(),
    ],
)
def test_what_goes_one_way_all_along_is_a_trend(values):
    assert "in the first fifth" in trend(series(values[:1500], values[1500:]))


@pytest.mark.parametrize(
    "values",
    [20 + ROWS / 2000 + noise(), noise(), wave(), wave(3000), np.abs(wave(6000)), ROWS > 1500, ROWS[:40], []],
)
def test_what_comes_back_or_varies_as_much_anyway_is_no_trend(values):
    assert trend(series(values)) is None


def test_operating_modes_are_told_with_how_much_of_each_was_seen():
    found = modes(series(np.where(ROWS % 1000 < 100, 50, 10) + noise(0.5)))

    assert found.seldom
    assert found.text.startswith("2 operating modes: near")
    assert "(90.0 % of the rows in 3 stretches), 50 (10.0 % of the rows in 3 stretches)" in found.text


def test_three_modes_of_which_two_are_near_each_other():
    found = modes(series(np.choose(ROWS // 100 % 3, [0, 10, 50]) + noise(0.3)))

    assert found.text.startswith("3 operating modes")


def test_modes_that_alternate_often_are_known():
    assert not modes(series(np.where(ROWS % 100 < 30, 50, 10) + noise(0.5))).seldom


@pytest.mark.parametrize(
    "values",
    [
        noise(),
        wave(),
        wave() > 0,  # a switch
        np.repeat([20, 21, 22, 23], 700),  # a coarse column has no mode a value
        np.where(ROWS % 1000 < 100, 13, 10) + noise(0.5),  # not apart
        np.where(ROWS % 2 == 0, 50, 10) + noise(0.5),  # to and fro
        with_rows(noise(), {5: 90.0, 6: 91.0}),  # outliers
        [],
        [NAN],
    ],
)
def test_states_noise_and_outliers_are_no_modes(values):
    assert modes(series(values)) is None


# A machine that was off


def machine(off: np.ndarray, resting: int = 3) -> Segment:
    """Four channels, of which the first `resting` rest at nothing where it is off."""
    running = np.stack([10 + wave() + noise(0.1, seed=seed) for seed in range(4)], axis=1)
    running[:, :resting][off] = 0.01 * running[:, :resting][off]
    return Segment(1.7e9 + ROWS, running)


def test_a_machine_that_was_off_for_long_is_told_with_its_time():
    ((start, end),) = standstills([machine((ROWS >= 900) & (ROWS < 1500))])

    assert (start - 1.7e9, end - 1.7e9) == (900, 1499)


def test_stretches_of_other_files_are_others():
    one = machine(ROWS >= 2400)

    assert len(standstills([one, one])) == 2


@pytest.mark.parametrize(
    "segment",
    [
        machine(ROWS < 0),
        machine(ROWS % 300 < 60),  # pauses are part of the work
        machine((ROWS >= 900) & (ROWS < 1500), resting=2),  # no more than half of the channels
        Segment(1.7e9 + ROWS, machine((ROWS >= 900) & (ROWS < 1500)).values[:, :1]),
        Segment(1.7e9 + ROWS, np.full((3000, 3), 4.0)),
        Segment(1.7e9 + ROWS[:20], np.zeros((20, 3))),
        Segment(1.7e9 + ROWS, np.full((3000, 3), NAN)),
    ],
)
def test_pauses_and_single_channels_are_no_standstill(segment):
    assert standstills([segment]) == []
