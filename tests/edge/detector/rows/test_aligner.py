"""The aligner: readings in any order and at any time, rows once, in order, on the grid."""

import itertools
import math
import pickle
import random

import numpy as np
import pytest

from edge.detector.rows.aligner import ABSURD, LATEST, Aligner, AlignerSettings
from edge.detector.rows.row import Row

NOW = 1_763_772_000.0


def aligner(channels: str = "a", **settings: object) -> Aligner:
    return Aligner(list(channels), AlignerSettings(**{"period_s": 1.0, **settings}))  # type: ignore[arg-type]


def feed(one: Aligner, *times: float, **values: float) -> list[Row]:
    """One message with the same values at each of these times; the rows that they closed."""
    return [row for time in times for row in one.add(time, values or {"a": time})]


def times(rows: list[Row]) -> list[float]:
    return [row.time for row in rows]


# Rows lie on the grid


def test_a_reading_on_an_instant_belongs_to_its_row_and_one_just_after_it_to_the_next():
    rows = feed(one := aligner(), 10.0, 10.001, 11.002) + one.flush()

    assert times(rows) == [10.0, 11.0, 12.0]
    assert [row.values[0] for row in rows] == [10.0, 10.001, 11.002]


@pytest.mark.parametrize("period_s", [0.01, 0.02, 0.1, 0.25, 1 / 3, 1.0, 5.0, 1800.0])
@pytest.mark.parametrize("start", [0.0, 1_763_772_000.0, 4_000_000_000.0])
def test_readings_stamped_on_the_grid_get_one_row_each_whatever_a_double_makes_of_them(period_s, start):
    first = round(start / period_s)
    stamps = [(first + step) * period_s for step in range(500)]
    printed = [float(f"{stamp:.6f}") for stamp in stamps]  # what a board prints and a gateway parses

    rows = feed(aligner(period_s=period_s), *printed)

    assert len(rows) == 500
    assert times(rows) == pytest.approx(stamps, abs=1e-6)


def test_a_row_has_the_very_time_that_a_board_with_tenths_of_seconds_printed():
    stamps = [float(f"17637720{step:02d}.{tenth}") for step in range(20) for tenth in range(10)]

    assert times(feed(aligner(period_s=0.1), *stamps)) == stamps


def test_rows_say_nothing_of_the_order_in_which_a_message_names_its_channels():
    row = aligner("ab").add(1.0, {"b": 2.0, "a": 1.0})[0]

    assert row.values.tolist() == [1.0, 2.0]
    assert row.values.dtype == np.float64


# When a row closes


def test_a_row_closes_when_every_channel_has_reached_it():
    one = aligner("ab")

    assert feed(one, 1.0, a=1.0) == []
    assert times(feed(one, 1.0, b=1.0)) == [1.0]


def test_a_reading_before_the_instant_leaves_the_row_open_for_a_later_one():
    one = aligner()

    assert feed(one, 0.4, 0.8) == []
    assert [row.values[0] for row in feed(one, 1.2)] == [0.8]


def test_a_row_waits_for_a_missing_channel_until_just_before_the_delay_and_no_longer():
    one = aligner("ab", max_delay_s=2.0)
    feed(one, 1.0, a=1.0)

    assert feed(one, 2.9, a=2.9) == []
    assert times(feed(one, 3.0, a=3.0)) == [1.0]


def test_time_that_goes_on_without_readings_closes_a_row_at_the_delay_and_not_before():
    one = aligner("ab", max_delay_s=2.0)
    feed(one, 1.0, a=1.0)

    assert one.advance(2.99) == []
    assert times(one.advance(3.0)) == [1.0]
    assert one.advance(4.0) == []


def test_the_end_of_a_file_closes_what_is_open_once():
    one = aligner("ab")
    feed(one, 1.2, a=1.0)

    assert times(one.flush()) == [2.0]
    assert one.flush() == []


# What a row takes


def test_the_last_reading_by_its_own_time_counts_even_when_it_came_out_of_order():
    one = aligner("ab", max_delay_s=5.0)
    for time in (0.9, 1.5, 0.95, 0.2):  # 1.5 opened the next row before 0.95 came
        feed(one, time, a=time)

    assert [row.values[0] for row in one.flush()] == [0.95, 1.5]


def test_of_two_readings_of_the_same_time_the_one_that_came_later_counts():
    one = aligner("ab")
    feed(one, 0.5, a=1.0)
    feed(one, 0.5, a=2.0)

    assert one.flush()[0].values[0] == 2.0
    assert one.counts["repeated"] == 1


def test_the_mean_takes_all_readings_of_the_period_in_any_order():
    one = aligner("ab", aggregate="mean", max_delay_s=5.0)
    for time in (0.9, 1.5, 0.3, 0.6):
        feed(one, time, a=time)
    first, second = one.add(1.7, {"a": 2.5, "b": 4.0}) + one.flush()

    assert first.values == pytest.approx([0.6, math.nan], nan_ok=True)
    assert second.values == pytest.approx([2.0, 4.0])


def test_a_missing_channel_holds_its_value_up_to_the_limit_and_is_missing_after_it():
    one = aligner("ab", max_hold_s=2.0)
    one.add(1.0, {"a": 1.0, "b": 10.0})

    rows = feed(one, 2.0, 3.0, 4.0, a=2.0) + one.flush()

    assert [row.values[1] for row in rows] == pytest.approx([10.0, 10.0, math.nan], nan_ok=True)
    assert [row.held for row in rows] == [(1,), (1,), ()]


def test_channels_may_come_apart_twice_late_and_never():
    one = aligner("abc")
    messages = [(0.9, {"a": 1.0}), (1.1, {"b": 1.0}), (1.9, {"a": 2.0}), (2.0, {"a": 3.0}), (1.5, {"b": 2.0})]

    rows = [row for time, values in messages for row in one.add(time, values)] + one.flush()

    assert times(rows) == [1.0, 2.0]
    assert np.array([row.values for row in rows]) == pytest.approx(
        np.array([[1.0, math.nan, math.nan], [3.0, 2.0, math.nan]]), nan_ok=True
    )


# Silence


def test_a_silence_of_just_the_gap_is_filled_with_rows_and_a_longer_one_starts_over():
    one = aligner(max_gap_s=4.0, max_hold_s=1.0)
    rows = feed(one, 1.0, 5.0, 10.0) + one.flush()

    assert times(rows) == [1.0, 2.0, 3.0, 4.0, 5.0, 10.0]
    assert [row.restart for row in rows] == [True, False, False, False, False, True]
    assert [row.values[0] for row in rows] == pytest.approx([1, 1, math.nan, math.nan, 5, 10], nan_ok=True)


def test_the_first_row_after_a_gap_comes_with_the_next_reading_or_when_time_has_gone_on():
    one, other = aligner(), aligner()
    feed(one, 1.0)
    feed(other, 1.0)

    assert feed(one, 100.0) == []
    assert times(feed(one, 101.0)) == [100.0, 101.0]
    assert feed(other, 100.0) == []
    assert other.advance(94.9) == []
    assert times(other.advance(101.0)) == [100.0]


def test_a_message_without_usable_values_still_marks_its_instant():
    one = aligner(max_hold_s=0.0)
    rows = feed(one, 1.0) + one.add(2.0, {}) + feed(one, 3.0) + one.flush()

    assert [row.values[0] for row in rows] == pytest.approx([1.0, math.nan, 3.0], nan_ok=True)


# What cannot be used


def test_a_reading_of_a_closed_row_is_counted_as_late():
    one = aligner()
    feed(one, 1.0, 2.0)

    assert feed(one, 1.5) == []
    assert one.counts["late"] == 1


def test_a_message_delivered_twice_is_counted_as_repeated():
    one = aligner()

    assert len(feed(one, 1.0, 1.0)) == 1
    assert (one.counts["repeated"], one.counts["late"]) == (1, 0)


def test_unknown_channels_are_counted_and_the_others_used():
    one = aligner("ab")
    one.add(1.0, {"a": 1.0, "x": 1.0, "y": 1.0})
    rows = one.add(1.0, {"b": 1.0}) + one.add(2.0, {"a": 1.0, "b": 1.0, "x": 1.0})

    assert len(rows) == 2
    assert one.counts["unknown_channel"] == 3


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, ABSURD, -ABSURD, 1e300])
def test_values_that_no_sensor_sends_are_counted_and_the_channel_is_missing(value):
    one = aligner("ab", max_hold_s=0.0)
    rows = one.add(1.0, {"a": value, "b": 1.0}) + one.flush()

    assert rows[0].values == pytest.approx([math.nan, 1.0], nan_ok=True)
    assert one.counts["absurd"] == 1


def test_values_just_below_the_absurd_are_taken():
    value = math.nextafter(ABSURD, 0.0)

    assert aligner("ab").add(1.0, {"a": value, "b": -value})[0].values.tolist() == [value, -value]


@pytest.mark.parametrize("stamp", [math.nan, math.inf, -math.inf, 1e300, LATEST, NOW * 1e3, NOW * 1e9])
def test_stamps_that_no_calendar_knows_are_counted_and_harm_nothing(stamp):
    one = aligner()
    rows = feed(one, NOW, stamp, NOW + 1)

    assert times(rows) == [NOW, NOW + 1]
    assert one.counts["future"] == 1


def test_a_reading_is_taken_at_the_limit_of_the_future_and_dropped_beyond_it():
    one = aligner(max_future_s=60.0)

    assert len(one.add(NOW + 60.0, {"a": 1.0}, NOW)) == 1
    assert one.add(NOW + 61.0, {"a": 1.0}, NOW) == []
    assert one.counts["future"] == 1


# Clocks that are wrong


def test_one_stamp_far_ahead_is_dropped_as_stray_and_costs_no_row():
    rows = feed(one := aligner(), 1.0, 2.0, 1e9, 3.0, 4.0)

    assert times(rows) == [1.0, 2.0, 3.0, 4.0]
    assert [row.restart for row in rows] == [True, False, False, False]
    assert one.counts["stray"] == 1


def test_a_stray_stamp_now_and_then_costs_no_row_either():
    steps = range(200)
    stamps = [
        stamp for step in steps for stamp in ((NOW + step, NOW + 1e6 * (step + 1)) if step % 3 else (NOW + step,))
    ]

    assert times(feed(aligner(), *stamps)) == [NOW + step for step in steps]


def test_after_two_stamps_far_ahead_the_stream_goes_on_once_ten_readings_agree():
    rows = feed(one := aligner(), 1.0, 1e9, 1e9 + 1, *range(2, 22))

    assert times(rows) == [1.0, 1e9, 1e9 + 1, *range(11, 22)]
    assert (one.counts["late"], one.counts["clock_reset"]) == (9, 1)


def test_a_first_stamp_far_ahead_does_not_make_the_rest_late_for_ever():
    assert times(feed(aligner("ab"), 1e9, *range(1, 20), a=1.0, b=1.0))[-1] == 19
    assert times(feed(aligner("ab"), 1e9 + 0.5, *range(1, 20), a=1.0, b=1.0))[-1] == 19


def test_a_clock_set_back_begins_a_new_run_at_the_tenth_reading_and_not_before():
    one = aligner()
    feed(one, *range(1000, 1010))

    assert feed(one, *range(500, 509)) == []
    rows = feed(one, 509, 510)
    assert times(rows) == [509, 510]
    assert rows[0].restart
    assert not rows[1].restart


def test_a_row_that_was_open_when_the_clock_was_set_back_is_not_lost():
    one = aligner()
    feed(one, 1000.5)

    assert times(feed(one, *(500.0 + step for step in range(10)))) == [1001.0, 509.0]


def test_a_clock_set_back_by_less_than_a_gap_goes_on_where_it_was():
    rows = feed(one := aligner(), *range(100, 110), *range(105, 115))

    assert times(rows) == list(range(100, 115))
    assert one.counts["clock_reset"] == 0


def test_nothing_is_held_from_before_the_clock_was_set_back():
    one = aligner("ab")
    one.add(1000.0, {"a": 1.0, "b": 1.0})

    rows = feed(one, *range(500, 510), a=2.0) + one.flush()

    assert rows[0].values == pytest.approx([2.0, math.nan], nan_ok=True)


def test_one_channel_with_a_wrong_clock_does_not_stop_the_others():
    one = aligner("ab")
    rows = [row for step in range(100) for row in feed(one, NOW + step, a=1.0) + feed(one, 5.0 + step, b=1.0)]

    assert times(rows) == [NOW + step for step in range(99)]
    assert one.counts["clock_reset"] == 0


def test_a_clock_that_stands_still_makes_one_row():
    assert len(feed(one := aligner(), *[NOW] * 100)) == 1
    assert one.counts["repeated"] == 99


# Garbage


def test_garbage_leaves_rows_in_order_on_the_grid_and_memory_flat():
    chance = random.Random(5)
    stamps = (0.0, -1e12, 1e18, math.nan, NOW * 1000)
    one = aligner("abcd", period_s=0.1)
    rows: list[Row] = []
    sizes = []
    for step in range(20_000):
        time = chance.choice(stamps) if step % 3 == 0 else NOW + chance.uniform(-1e3, 1e6) ** chance.choice((1, 2))
        names = chance.sample("abcdxyz", chance.randrange(5))
        rows += one.add(time, {name: chance.choice((1.0, math.nan, 1e99)) for name in names})
        sizes.append(len(pickle.dumps(one)))

    back = sum(after.time <= before.time for before, after in itertools.pairwise(rows))
    assert back <= one.counts["clock_reset"]
    assert all(abs(row.time * 10 - round(row.time * 10)) < 1e-3 for row in rows)
    assert max(sizes) < 2 * sizes[0] + 2000
