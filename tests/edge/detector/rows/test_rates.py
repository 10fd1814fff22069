"""Counters as rates and codes as missing readings, in the aligner that all rows come through."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detector.rows.aligner import Aligner, AlignerSettings
from edge.detector.rows.row import Row

NAN = float("nan")
METER = AlignerSettings(1.0, rates=("energy",))


def rows(readings: list[tuple[float, dict[str, float]]], settings: AlignerSettings = METER) -> list[Row]:
    aligner = Aligner(("energy", "heat"), settings)
    closed = [row for time, values in readings for row in aligner.add(time, values)]
    return closed + aligner.flush()


def rates(*energy: tuple[float, float | None], settings: AlignerSettings = METER) -> list[float]:
    """Of a counter (time, reading) beside a temperature that is always there."""
    read = [(time, {"heat": 20.0} | ({} if value is None else {"energy": value})) for time, value in energy]
    return [float(row.values[0]) for row in rows(read, settings)]


def test_a_counter_becomes_its_rise_a_second_and_other_channels_stay():
    found = rows([(0.0, {"energy": 5.0, "heat": 20.0}), (1.0, {"energy": 8.0, "heat": 21.0})])

    np.testing.assert_array_equal([row.values for row in found], [[NAN, 20.0], [3.0, 21.0]])


def test_a_rate_is_a_second_whatever_the_period():
    assert rates((0, 0.0), (60, 30.0), settings=AlignerSettings(60.0, rates=("energy",)))[1] == 0.5


def test_a_counter_that_is_set_back_has_no_rate_there_and_never_a_negative_one():
    assert rates((0, 5.0), (1, 7.0), (2, 0.0), (3, 1.0)) == pytest.approx([NAN, 2.0, NAN, 1.0], nan_ok=True)


def test_a_row_after_a_gap_has_no_rate():
    assert rates((0, 5.0), (1, 6.0), (20, 90.0), (21, 91.0)) == pytest.approx([NAN, 1.0, NAN, 1.0], nan_ok=True)


def test_a_reading_that_is_missing_for_a_short_time_neither_stops_the_rate_nor_makes_it_a_spike():
    found = rates((0, 0.0), (1, 2.0), (2, None), (3, 6.0), (4, 8.0))

    assert found == pytest.approx([NAN, 2.0, 2.0, 2.0, 2.0], nan_ok=True)


def test_a_reading_that_is_missing_for_longer_than_values_are_held_forgets_the_counter():
    found = rates((0, 0.0), (1, 2.0), *((time, None) for time in (2, 3, 4, 5)), (6, 50.0), (7, 51.0))

    assert found == pytest.approx([NAN, 2.0, 2.0, 2.0, 2.0, NAN, NAN, 1.0], nan_ok=True)


def test_a_held_row_says_so_only_where_it_has_a_value():
    found = rows([(0.0, {"energy": 1.0, "heat": 2.0}), (1.0, {"heat": 2.0}), (2.0, {"heat": 2.0})])

    assert [row.held for row in found] == [(), (), ()]  # of a counter read once no rate is known, so none is held


@given(st.lists(st.integers(0, 50), min_size=2, max_size=40), st.sampled_from([0.1, 0.25, 1.0, 1800.0]))
def test_rates_of_a_counter_without_holes_are_those_of_numpy(readings, period_s):
    settings = AlignerSettings(period_s, rates=("energy",))
    found = rates(*((number * period_s, float(value)) for number, value in enumerate(readings)), settings=settings)

    rises = np.diff(np.array(readings, float))
    assert found[1:] == pytest.approx(np.where(rises >= 0, rises / period_s, NAN), nan_ok=True, rel=1e-6)
    assert np.isnan(found[0])


@pytest.mark.parametrize(
    ("reading", "taken"), [(-127.0, False), (-127, False), (85.0, False), (-126.9, True), (84.9, True)]
)
def test_a_code_for_a_missing_reading_is_none_and_its_neighbours_are(reading, taken):
    settings = AlignerSettings(1.0, max_hold_s=0.0, missing={"heat": (-127.0, 85.0)})

    (row,) = rows([(0.0, {"energy": 1.0, "heat": reading})], settings)

    assert (row.values[1] == reading) == taken
    assert np.isnan(row.values[1]) != taken


def test_a_code_of_one_channel_is_a_reading_of_another():
    (row,) = rows([(0.0, {"energy": -127.0, "heat": 20.0})], AlignerSettings(1.0, missing={"heat": (-127.0,)}))

    assert row.values.tolist() == [-127.0, 20.0]


def test_a_code_is_bridged_as_a_reading_that_never_came():
    readings = [(0.0, {"energy": 1.0, "heat": 20.0}), (1.0, {"energy": 1.0, "heat": -127.0})]

    last = rows(readings, AlignerSettings(1.0, missing={"heat": (-127.0,)}))[-1]

    assert (last.values.tolist(), last.held) == ([1.0, 20.0], (1,))


def test_a_counter_that_reads_as_a_code_once_makes_no_spike():
    settings = AlignerSettings(1.0, rates=("energy",), missing={"energy": (0.0,)})

    found = rates((0, 100.0), (1, 101.0), (2, 0.0), (3, 103.0), settings=settings)

    assert found == pytest.approx([NAN, 1.0, 1.0, 1.0], nan_ok=True)
