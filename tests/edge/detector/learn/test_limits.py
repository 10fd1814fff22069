"""Peaks of normal rows, and the limits that follow from few and from many of them."""

import json
from dataclasses import replace

import numpy as np
import pytest

from edge.detector.bundle.peaks import Peaks, joined_peaks, no_peaks, peaks_from_dict
from edge.detector.learn.calibrate import learn
from edge.detector.learn.limits import fused_peaks, limits_of, peaks_of, tail_of
from edge.detector.members.registry import MEMBERS, NAMES, wanted_rows
from edge.detector.members.tuning import DEFAULT
from edge.detector.score.calibrations import Shape
from tests.helpers.rig import CHANNELS, WINDOW, network, normal, normal_rows, run_of

MANY = 10**6
"""Rows that suffice for every member."""


def peaks(values: np.ndarray, rows: int = MANY, middle: float = 0.0) -> Peaks:
    """(n,) or (n, members) values as the peaks of every member."""
    values = np.asarray(values, float)
    if values.ndim == 1:
        values = np.repeat(values[:, None], len(NAMES), axis=1)
    count = (~np.isnan(values)).sum(axis=0)
    return Peaks(values, np.full(len(NAMES), rows), count, np.full(len(NAMES), middle))


def noise(rows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).exponential(1.0, (rows, len(NAMES)))


# Peaks


def test_a_peak_is_what_lasts_as_many_rows_as_an_alarm_takes():
    series = np.ones((160, len(NAMES)))
    series[20:22], series[100:103] = 9.0, 5.0  # two rows of 9, three of 5

    found = peaks_of(series, WINDOW, 1, DEFAULT)

    assert found.values.max(axis=0).tolist() == [5.0] * len(NAMES)
    assert found.middle.tolist() == [1.0] * len(NAMES)


@pytest.mark.parametrize("stride", [1, 4])
def test_there_is_a_peak_every_two_windows(stride):
    found = peaks_of(noise(320 // stride), WINDOW, stride, DEFAULT)

    assert found.count.tolist() == [320 // (2 * WINDOW)] * len(NAMES)


def test_rows_that_a_member_has_seen_do_not_count_for_it():
    series = noise(320)
    series[:160, 1] = np.nan
    series[:, 2] = np.nan

    found = peaks_of(series, WINDOW, 1, DEFAULT)

    assert found.count[0] > found.count[1] > found.count[2] == 0
    assert found.rows[0] > found.rows[1] > found.rows[2] == 0
    assert np.isnan(found.values[:, 2]).all()


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_fewer_rows_than_an_alarm_takes_have_no_peak(rows):
    assert peaks_of(noise(rows), WINDOW, 1, DEFAULT).count.tolist() == [0] * len(NAMES)


def test_peaks_can_be_written_and_read():
    values = noise(20)
    values[3:, 1], values[:, 5] = np.nan, np.nan
    found = peaks(np.round(values, 3), rows=700, middle=0.5)

    again = peaks_from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False)))

    np.testing.assert_allclose(again.values, found.values, rtol=1e-4)
    assert again.rows.tolist() == found.rows.tolist()
    assert again.count.tolist() == found.count.tolist()
    assert again.middle.tolist() == found.middle.tolist()


def test_members_come_and_go_by_name():
    body = peaks([1.0, 2.0]).to_dict()
    for part in body.values():
        del part["bias"]
        part["magic"] = part["level"]

    again = peaks_from_dict(body)

    bias = NAMES.index("bias")
    assert np.isnan(again.values[:, bias]).all()
    assert (again.rows[bias], again.count[bias]) == (0, 0)
    assert again.values[:, 0].tolist() == [1.0, 2.0]
    assert limits_of(again, WINDOW, DEFAULT).taking_part == tuple(name for name in NAMES if name != "bias")


@pytest.mark.parametrize(
    "change",
    [
        {"peaks": {"level": [1.0], "bias": [1.0, 2.0]}},
        {"peaks": {"level": [float("inf")]}},
        {"peaks": {"level": ["a"]}},
        {"peaks": 7},
        {"rows": {"level": [1, 2]}},
        {"rows": {"level": [-1, 2, 0.0]}},
        {"rows": {"level": [1, 2, float("nan")]}},
        {"rows": {"level": [1e300, 1, 0.0]}},
        {"rows": {"level": [1e300, 1e300, 0.0]}},
    ],
)
def test_malformed_peaks_are_refused(change):
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        peaks_from_dict({**peaks([1.0]).to_dict(), **change})


def test_a_device_keeps_some_hundred_peaks_with_the_highest_of_every_member():
    found = peaks(noise(5000))

    kept = found.thinned()

    assert len(kept.values) <= 400
    assert kept.values.max(axis=0).tolist() == found.values.max(axis=0).tolist()
    assert kept.count.tolist() == found.count.tolist()
    few = peaks(noise(400))
    assert few.thinned() is few
    given, again = limits_of(found, WINDOW, DEFAULT), limits_of(kept, WINDOW, DEFAULT)
    np.testing.assert_allclose(again.usual, given.usual, rtol=0.15)


def test_of_peaks_of_which_a_device_keeps_some_the_highest_counts_and_no_tail():
    found = peaks(noise(5000, 1))
    kept = found.thinned()

    given, again = limits_of(found, WINDOW, replace(DEFAULT, outlook=0.0)), limits_of(kept, WINDOW, DEFAULT)

    np.testing.assert_allclose(again.limit[:1], given.limit[:1], rtol=1e-6)


def test_joined_peaks_are_all_peaks_and_the_middle_of_all_rows():
    some, more = peaks([1.0, 2.0], rows=100, middle=1.0), peaks([3.0], rows=300, middle=2.0)

    found = joined_peaks([some, more])

    assert found.values[:, 0].tolist() == [1.0, 2.0, 3.0]
    assert (found.rows[0], found.count[0], found.middle[0]) == (400, 3, 1.75)
    assert joined_peaks([]).rows.tolist() == no_peaks().rows.tolist()


# Limits


@pytest.mark.parametrize("count", [4, 40, 4000])
def test_the_fewer_peaks_the_further_the_limit_lies_beyond_the_highest(count):
    values = np.linspace(5.0, 9.0, count)

    found = limits_of(peaks(values, middle=1.0), WINDOW, replace(DEFAULT, outlook=0.0))

    np.testing.assert_allclose(found.limit, 1.0 + 8.0 * (1 + DEFAULT.margin / np.sqrt(count)))
    np.testing.assert_allclose(found.usual, 7.0)


@pytest.mark.parametrize(("count", "looks"), [(199, False), (200, True)])
def test_an_outlook_is_taken_of_two_hundred_peaks_and_more(count, looks):
    values = noise(count)
    near, far = (limits_of(peaks(values), WINDOW, replace(DEFAULT, outlook=times)).limit for times in (1.0, 1e6))

    assert (far > near).all() == (far != near).any() == looks


@pytest.mark.parametrize(("count", "times"), [(200, 10.0), (1000, 10.0), (1000, 100.0)])
def test_exponential_peaks_reach_the_outlook_once_in_so_many_times_the_rows(count, times):
    looking = replace(DEFAULT, margin=-np.inf, outlook=times)
    found = np.concatenate([limits_of(peaks(noise(count, seed)), WINDOW, looking).limit for seed in range(100)])

    assert np.mean(np.exp(-found)) * count * times == pytest.approx(1.0, rel=0.3)


def test_an_outlook_never_lowers_a_limit_and_equal_peaks_have_none():
    values = noise(1000)
    without = replace(DEFAULT, outlook=1e-3)

    assert (limits_of(peaks(values), WINDOW, DEFAULT).limit >= limits_of(peaks(values), WINDOW, without).limit).all()
    np.testing.assert_allclose(limits_of(peaks(np.full(1000, 5.0)), WINDOW, DEFAULT).limit, 5.0 * (1 + 1000**-0.5))


def test_a_member_takes_part_from_so_many_rows_on():
    for at, name in enumerate(NAMES):
        wanted = wanted_rows(name, WINDOW, DEFAULT)
        few, enough = (limits_of(peaks([5.0, 6.0], rows), WINDOW, DEFAULT).limit[at] for rows in (wanted - 1, wanted))
        assert np.isinf(few)
        assert np.isfinite(enough)


def test_rows_that_never_differ_have_the_floor_as_their_limit():
    found = limits_of(peaks(np.zeros(50)), WINDOW, DEFAULT)

    assert found.limit.tolist() == [member.floor for member in MEMBERS]
    assert (found.usual < found.limit).all()


def test_the_usual_peak_is_below_the_limit_even_of_one_peak_of_many():
    found = limits_of(peaks(np.full(10_000, 5.0)), WINDOW, DEFAULT)

    assert (found.usual < 0.96 * found.limit).all()


def test_members_that_an_ablation_leaves_out_do_not_take_part():
    found = limits_of(peaks([5.0, 6.0]), WINDOW, replace(DEFAULT, without=frozenset({"level", "memory"})))

    assert found.taking_part == ("bias", "energy", "relation", "recent")


def test_fused_peaks_are_those_of_stretches_on_which_all_say_something():
    values = np.full((3, len(NAMES)), 4.0)
    values[1, 0], values[2, 3] = np.nan, 8.0
    limits = limits_of(peaks(np.linspace(2, 6, 101)), WINDOW, DEFAULT)

    found = fused_peaks(peaks(values), limits)

    assert found == pytest.approx([0.0, 4.0 / (limits.limit[3] - 4.0)])


def test_the_tail_is_told_over_the_time_of_those_stretches():
    found = peaks(noise(300))
    tail = tail_of(found, limits_of(found, WINDOW, DEFAULT), WINDOW, 0.5)

    assert tail.span_s == 300 * 2 * WINDOW * 0.5
    assert tail_of(no_peaks(), limits_of(no_peaks(), WINDOW, DEFAULT), WINDOW, 0.5) is None


# What other machines reached


def test_what_the_fleet_reached_counts_beside_the_own_rows():
    shape, rows = Shape(WINDOW, len(CHANNELS)), normal_rows(run_of(normal(60, 1)))
    fleet = learn(network(), shape, normal_rows(*(run_of(normal(400, seed)) for seed in (2, 3)))).peaks

    alone, pooled = learn(network(), shape, rows), learn(network(), shape, replace(rows, fleet=fleet))

    assert "bias" not in alone.calibration.taking_part
    assert "bias" in pooled.calibration.taking_part
    assert pooled.calibration.rows_behind.tolist() == (alone.peaks.rows + fleet.rows).tolist()
    assert pooled.peaks.rows.tolist() == alone.peaks.rows.tolist(), "its own are told without the fleet's"
    assert (pooled.calibration.limits.limit >= np.nanmax(fleet.values[:, :5], initial=0, axis=0).min()).all()
