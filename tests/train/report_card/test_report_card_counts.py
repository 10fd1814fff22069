"""What counts and what is a code for a missing reading is recognised, and what only resembles it is not."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import train.report_card
from tests.helpers.made_up import NAN, ROWS, noise, series, wave, with_rows
from train.report_card.codes import codes
from train.report_card.counters import counter, row_number

MODULES = [one.name for one in pkgutil.iter_modules(train.report_card.__path__, "train.report_card.")]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_hold(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


# Row numbers and clocks


@pytest.mark.parametrize(
    "values",
    [
        ROWS,
        1.7e9 + ROWS,
        ROWS * 0.1 + 3.3,
        np.delete(ROWS, [50, 700, 701]),  # some rows were lost
        with_rows(ROWS, {9: NAN}),
    ],
)
def test_what_rises_by_the_same_step_in_every_row_is_a_row_number(values):
    assert "in every row" in row_number(series(values))


def test_row_numbers_of_several_files_begin_anew():
    assert row_number(series(ROWS[:500], ROWS[:400])) is not None


@pytest.mark.parametrize(
    "values",
    [
        ROWS + noise(0.2),
        -ROWS,
        np.full(100, 3.0),
        ROWS[:10],
        ROWS // 2,
        np.tile(np.arange(20), 50),  # a piston: every twentieth row falls
        np.delete(ROWS, np.arange(0, 3000, 50)),
    ],
)
def test_what_does_not_rise_by_the_same_step_is_no_row_number(values):
    assert row_number(series(values)) is None


# Counters and meters

METER = np.floor(np.cumsum(np.abs(noise(0.01))) * 100) / 100


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (METER, "never falls"),
        (5000 + ROWS // 250, "from 5000 to 5011"),  # running hours
        (np.where(ROWS < 1200, METER, METER - METER[1200]), "set back 1 time"),
        (METER % 5.0, "set back 4 times"),
        (with_rows(METER, {1000: NAN, 2000: NAN}), "never falls"),
        (with_rows(METER, {2000: 11.0}), "hardly ever falls"),  # one garbled reading
    ],
)
def test_what_rises_and_is_only_set_back_to_a_low_value_counts(values, what):
    found = counter(series(values))

    assert found is not None
    assert what in found


def test_a_counter_goes_on_from_file_to_file_as_it_likes():
    assert counter(series(METER + 100, METER)) is not None


@pytest.mark.parametrize(
    "values",
    [
        20 + ROWS / 1000 + noise(0.01),  # a temperature that rises
        np.cumsum(noise()),
        wave(),
        np.repeat([20, 30, 40, 50], 700),  # a setpoint that is raised
        wave() > 0,  # a switch: it rises once for each time that it falls
        np.tile([0, 20, 40, 60, 80, 0, 0, 0], 300),
        np.abs(wave(200)),
        np.arange(3000) % 50 + 0.0,  # a piston
        -METER,
        np.full(3000, 7.0),
        [],
    ],
)
def test_what_falls_or_hardly_rises_does_not_count(values):
    assert counter(series(values)) is None


@pytest.mark.parametrize(
    ("name", "counts"), [("running_hours", True), ("runtime_h", True), ("Zähler 1", True), ("heat", False)]
)
def test_what_rose_once_counts_if_its_name_says_so(name, counts):
    assert (counter(series(np.where(ROWS < 1000, 500, 501), name=name)) is not None) == counts


# Codes for missing readings

PERIODIC = [row for start in range(90, 3000, 400) for row in (start, start + 1)]


@pytest.mark.parametrize(
    ("values", "code", "count"),
    [
        (with_rows(20 + noise(), {5: -127}), -127, 1),
        (with_rows(20 + noise(), dict.fromkeys(range(0, 3000, 2), -999)), -999, 1500),
        (with_rows(20 + noise(), {5: 85, 6: 85, 900: 85}), 85, 3),
        (with_rows(60 + 30 * wave(400), dict.fromkeys(PERIODIC, 85.0)), 85, 16),
        (with_rows(1000 + 50 * wave(), {7: 65535, 8: 65535}), 65535, 2),
        (with_rows(10 + noise(0.3), {5: 0, 700: 0, 1500: 0}), 0, 3),  # no known code, but repeated exactly
        (with_rows(10 + noise(0.3), {5: 1e6}), 1e6, 1),
        (with_rows(6 + 3 * wave(400), {400 * number: -0.5 for number in range(1, 5)}), -0.5, 4),
    ],
)  # fmt: skip
def test_codes_are_found_and_counted(values, code, count):
    (found,) = codes(series(values))

    assert (found.value, found.count) == (code, count)


def test_several_codes_of_one_column_are_found_beside_each_other():
    values = with_rows(20 + noise(), {5: -127, 900: 9999, 901: 9999})

    assert {(one.value, one.count) for one in codes(series(values))} == {(-127.0, 1), (9999.0, 2)}


@pytest.mark.parametrize(
    "values",
    [
        np.round(60 + 30 * wave(400), 1),  # runs through 85.0
        np.round(1000 + 30 * wave(400)),  # and through 999
        20 + noise() ** 3,  # spikes, each of another height
        np.minimum(20 + noise(), 21.0),  # a converter at its end
        (wave(400) > 0) * 255,
        np.where(ROWS % 600 < 200, 0.0, 50 + noise()),  # off for a third of the time
        np.full(3000, -999.0),
        np.repeat([0, 1, 2, 50], 750),
        [],
        [NAN, NAN],
    ],
)
def test_readings_that_belong_to_the_others_are_no_codes(values):
    assert codes(series(values)) == []
