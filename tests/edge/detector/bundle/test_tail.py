"""How rare a score is: the tail that normal scores were drawn from, told no further than the rows allow."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge.detector.bundle.tail import EXTRAPOLATION, Tail, cluster_peaks, fit_tail, tail_from_dict


def exponential(count: int = 20_000) -> np.ndarray:
    return np.random.default_rng(0).exponential(1.0, count)


@pytest.mark.parametrize("score", [4.0, 6.0, 8.0])
def test_the_return_period_is_the_mean_time_between_such_scores(score):
    peaks = exponential()

    period_s = fit_tail(peaks, span_s=len(peaks)).return_period_s(score)

    assert period_s == pytest.approx(math.exp(score), rel=0.25)  # P(X > x) = exp(-x), one peak a second


def test_the_same_on_a_tail_with_a_shape():
    chance = np.random.default_rng(0)
    peaks = (chance.random(20_000) ** -0.2 - 1) / 0.2  # generalized Pareto, shape 0.2

    tail = fit_tail(peaks, span_s=20_000)

    assert tail.shape == pytest.approx(0.2, abs=0.06)
    assert tail.return_period_s(10.0) == pytest.approx((1 + 0.2 * 10.0) ** 5, rel=0.3)


def bounded(count: int) -> np.ndarray:
    """Generalized Pareto, shape -0.4: never above 2.5."""
    return (1 - np.random.default_rng(0).random(count) ** 0.4) / 0.4


def test_many_peaks_may_show_that_scores_are_bounded():
    tail = fit_tail(bounded(20_000), span_s=20_000)

    assert tail.shape == pytest.approx(-0.4, abs=0.1)
    assert tail.return_period_s(2.2) == pytest.approx((1 - 0.4 * 2.2) ** -2.5, rel=0.5)
    assert tail.return_period_s(3.0) is None, "rarer than these rows can say"


def test_few_peaks_do_not():
    assert fit_tail(bounded(60), span_s=60).shape == 0


def test_beyond_ten_times_the_span_nothing_is_told():
    tail = Tail(threshold=0.0, shape=0.0, scale=1.0, peaks=100, span_s=100.0)
    limit = math.log(EXTRAPOLATION * 100.0)

    assert tail.return_period_s(limit - 0.001) == pytest.approx(EXTRAPOLATION * 100.0, rel=0.01)
    assert tail.return_period_s(limit + 0.001) is None
    assert tail.return_period_s(math.inf) is None
    assert tail.return_period_s(math.nan) is None


def test_a_bounded_tail_tells_nothing_beyond_its_end():
    assert Tail(0.0, -0.2, 1.0, 100, 100.0).return_period_s(5.1) is None


@given(st.floats(-0.3, 0.3), st.floats(0.01, 10), st.floats(-5, 5), st.integers(1, 1000), st.floats(1, 1e6), st.data())
def test_level_and_return_period_are_inverse_to_each_other(shape, scale, threshold, peaks, span_s, data):
    tail = Tail(threshold, shape, scale, peaks, span_s)
    wanted_s = data.draw(st.floats(1.001, EXTRAPOLATION * peaks * 0.99)) * span_s / peaks

    assert tail.return_period_s(tail.level(wanted_s)) == pytest.approx(wanted_s, rel=1e-4)


@given(st.floats(-0.3, 0.3), st.lists(st.floats(-10, 100), min_size=2, max_size=20))
def test_a_higher_score_is_never_told_to_be_more_frequent(shape, scores):
    tail = Tail(0.0, shape, 1.0, 50, 1000.0)
    periods = [tail.return_period_s(score) for score in sorted(scores)]
    known = [math.inf if period is None else period for period in periods]

    assert known == sorted(known)


@given(hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 1e6)))
def test_any_peaks_give_a_tail_that_can_be_used(peaks):
    tail = fit_tail(peaks, span_s=100.0)

    assert tail.scale > 0
    assert tail.peaks >= 1
    assert tail.return_period_s(float(peaks.max())) is None or tail.return_period_s(float(peaks.max())) > 0
    assert tail_from_dict(tail.to_dict()) == tail


def test_no_peaks_are_refused():
    with pytest.raises(ValueError, match="at least one peak"):
        fit_tail(np.array([]), 1.0)


def test_peaks_are_the_maxima_of_blocks_without_missing_scores():
    scores = np.array([1.0, 3.0, np.nan, 2.0, 5.0, 4.0, 0.0])

    assert cluster_peaks(scores, 3).tolist() == [3.0, 5.0]
    assert cluster_peaks(scores, 100).tolist() == [5.0]
    assert cluster_peaks(np.array([np.nan]), 3).tolist() == []


@pytest.mark.parametrize(
    "change", [{"scale": 0.0}, {"scale": -1}, {"span_s": 0}, {"peaks": -1}, {"shape": math.nan}, {"peaks": math.inf}]
)
def test_a_tail_out_of_range_is_refused(change):
    body = {"threshold": 1.0, "shape": 0.0, "scale": 1.0, "peaks": 5, "span_s": 10.0}

    with pytest.raises(ValueError, match="tail wants"):
        tail_from_dict({**body, **change})


def test_a_rate_is_told_beyond_what_a_return_period_is():
    tail = Tail(threshold=0.0, shape=0.0, scale=1.0, peaks=100, span_s=100.0)

    assert tail.rate(3.0) == pytest.approx(1 / tail.return_period_s(3.0))
    assert tail.return_period_s(30.0) is None
    assert tail.rate(30.0) == pytest.approx(math.exp(-30.0))
    assert Tail(threshold=0.0, shape=-0.5, scale=1.0, peaks=100, span_s=100.0).rate(3.0) == 0.0
