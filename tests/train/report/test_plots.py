"""Figures: nothing hidden by thinning, no line over a gap, colours from the page."""

import re

import numpy as np
import pytest

from tests.helpers.small_bundle import START
from train.plots.curves import Mark, ranking_curves
from train.plots.signals import Expectation, Recorded, reconstruction, timeline
from train.plots.style import COLORS, NARROW, WIDE, to_svg
from train.plots.tracks import band_without_gaps, runs_of, thinned, thinned_band, without_gaps
from train.plots.training import losses, score_histogram


def test_figures_take_their_colours_from_the_page() -> None:
    svg = to_svg(losses([1.0, 0.5], [1.1, 0.7], 1), 'a "label"')

    assert svg.startswith('<svg class="wide" viewBox="')
    assert "&quot;label&quot;" in svg
    assert "var(--expected)" in svg
    assert not any(color in svg for color in COLORS.values())


def test_two_figures_on_a_page_share_no_id_with_another_meaning() -> None:
    one, two = (to_svg(losses([1.0, level], [1.0, level], 0), "x") for level in (0.5, 0.1))

    ids = [dict(re.findall(r'<(?:clipPath|path) id="([^"]+)"[^>]*>\s*(<rect[^>]*>)?', svg)) for svg in (one, two)]
    assert all(ids[0][name] == ids[1][name] for name in set(ids[0]) & set(ids[1]))


def test_the_same_figure_is_the_same_text() -> None:
    one, two = (to_svg(score_histogram(np.linspace(0, 1.2, 50), "rows"), "x") for _ in range(2))

    assert one == two


def test_a_long_line_keeps_its_peaks() -> None:
    values = np.zeros(100_000)
    values[51_234], values[77_777] = 5.0, -7.0

    _, shown = thinned(np.arange(100_000.0), values)

    assert len(shown) == 2 * WIDE.points
    assert (shown.max(), shown.min()) == (5.0, -7.0)


def test_a_thinned_band_holds_the_whole_band() -> None:
    random = np.random.default_rng(0)
    low = random.normal(size=5000)

    _, below, above = thinned_band(np.arange(5000.0), low, low + 1)

    assert (below.min(), above.max()) == (low.min(), low.max() + 1)


@pytest.mark.parametrize("rows", [20, 20_000])
def test_no_line_crosses_a_gap(rows: int) -> None:
    times = np.arange(float(rows))
    times[rows // 2 :] += 100

    x, y = without_gaps(times, np.ones(rows), gap_s=5.0)

    drawn = np.isfinite(y[:-1]) & np.isfinite(y[1:])
    assert np.diff(x)[drawn].max() < 100
    assert np.isfinite(y).sum() <= 2.2 * WIDE.points


def test_figures_can_be_drawn_of_missing_values_and_of_a_single_row() -> None:
    nothing, one = np.full((3, 2), np.nan), np.array([[1.0, 2.0]])
    times = START + np.arange(3.0)
    empty = Recorded(times, nothing, np.full(3, np.nan), [])

    to_svg(timeline(empty, [("a", ""), ("b", "V")], 5.0, "UTC"), "x")
    to_svg(timeline(Recorded(times[:1], one, np.ones(1), [(START, START)]), [("a", ""), ("b", "")], 5.0, "UTC"), "x")
    to_svg(reconstruction(Expectation(times, nothing, nothing, nothing), [("a", ""), ("b", "")], 5.0, "UTC"), "x")
    to_svg(score_histogram(np.full(3, np.nan), "rows"), "x")
    to_svg(losses([0.0], [0.0], 0), "x")


def test_curves_go_from_corner_to_corner() -> None:
    labels = np.arange(1000) >= 500

    figure = ranking_curves(labels, np.arange(1000.0), [Mark("own", 0.1, 0.9, None, own=True)])

    curve = figure.axes[0].lines[0].get_xydata()
    assert curve[0].tolist() == [0.0, 0.0]
    assert curve[-1].tolist() == [1.0, 1.0]


def test_runs_hold_first_and_last_marked_row() -> None:
    assert runs_of(np.arange(5.0), np.array([1, 0, 1, 1, 0], bool)) == [(0.0, 0.0), (2.0, 3.0)]


def test_no_band_crosses_a_gap_and_it_goes_to_the_last_row() -> None:
    times = np.arange(5000.0)
    times[2500:] += 100

    x, low, high = band_without_gaps(times, np.zeros(5000), np.ones(5000), gap_s=5.0)

    drawn = np.isfinite(low[:-1]) & np.isfinite(low[1:])
    assert np.diff(x)[drawn].max() < 100
    assert np.array_equal(np.isfinite(low), np.isfinite(high))
    assert x[np.isfinite(low)].max() == times[-1]


@pytest.mark.parametrize("span_s", [1.0, 59, 100, 178, 3600, 7000, 47 * 3600, 40 * 86400, 700 * 86400])
def test_a_phone_has_room_for_the_ticks_of_any_span(span_s: float) -> None:
    times = np.linspace(START, START + span_s, 50)
    record = Recorded(times, np.ones((50, 1)), np.ones(50), [])

    figure = timeline(record, [("a", "V")], span_s, "UTC", NARROW)
    to_svg(figure, "x", NARROW)

    low, high = figure.axes[-1].get_xlim()
    assert 2 <= sum(low <= tick <= high for tick in figure.axes[-1].get_xticks()) <= 7
