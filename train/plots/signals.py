"""Figures of recordings: what was read and what was expected, and the episodes over time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from train.plots.style import COLORS, WIDE, Size, named, new_figure, styled
from train.plots.tracks import Spans, TimeAxis, band_without_gaps, draw, shade

MOST_CHANNELS = 12
"""Panels that a figure has room for."""
_LOWEST_SCORE = 0.05


@dataclass(frozen=True)
class Expectation:
    """Readings beside what the network made of them; arrays are (n, channels) in the channels' units."""

    times: np.ndarray
    """(n,) Unix seconds."""
    observed: np.ndarray
    expected: np.ndarray
    """NaN where the network did not run."""
    tolerance: np.ndarray
    """How far normal rows stay from it."""


@dataclass(frozen=True)
class Recorded:
    """A recording with what was said of it."""

    times: np.ndarray
    """(n,) Unix seconds, ascending."""
    values: np.ndarray
    """(n, channels)"""
    score: np.ndarray
    """(n,), NaN where there is none."""
    flagged: Spans
    """Episodes, (from, to) in Unix seconds."""
    truth: Spans = ()
    """Known anomalies."""
    unscored: Spans = ()
    """Rows that commissioned the device."""
    expected: np.ndarray | None = None
    """(n, channels), NaN where nothing was expected; None where it is not known of any row."""
    tolerance: np.ndarray | None = None
    """(n, channels): how far normal rows stay from what is expected."""
    difference_of: int | None = None
    """Channel of which what it differs by from what was expected has a track of its own."""

    def of_channels(self, shown: Sequence[int]) -> "Recorded":
        """With these channels only."""
        expected = None if self.expected is None else self.expected[:, shown]
        tolerance = None if self.tolerance is None else self.tolerance[:, shown]
        led = next((n for n, at in enumerate(shown) if at == self.difference_of), None)
        return replace(self, values=self.values[:, shown], expected=expected, tolerance=tolerance, difference_of=led)


@dataclass(frozen=True)
class Excerpt:
    """One channel around a stretch of interest."""

    name: str
    unit: str
    times: np.ndarray
    """(n,) Unix seconds, ascending."""
    values: np.ndarray
    """(n,)"""
    marked: tuple[float, float]
    gap_s: float


def reconstruction(
    seen: Expectation, channels: Sequence[tuple[str, str]], gap_s: float, timezone: str, size: Size = WIDE
) -> Figure:
    """A panel for each channel (name, unit): readings over the expected value and its band."""
    shown = range(min(len(channels), MOST_CHANNELS))
    with styled():
        figure, grid = new_figure(size, 0.55 + 1.15 * len(shown), len(shown), sharex=True)
        axis = TimeAxis(seen.times, timezone, size)
        for (axes,), number in zip(grid, shown, strict=True):
            _band(axes, axis, seen.times, seen.expected[:, number], seen.tolerance[:, number], gap_s)
            _reading(axes, axis, seen.times, seen.observed[:, number], gap_s)
            _name(axes, *channels[number])
        axis.format(grid[-1][0])
        return figure


def timeline(
    record: Recorded, channels: Sequence[tuple[str, str]], gap_s: float, timezone: str, size: Size = WIDE
) -> Figure:
    """A track for each channel (name, unit), over what was expected of it, and one for the score; flagged stretches
    run through all of them."""
    shown = range(min(len(channels), MOST_CHANNELS))
    with styled():
        led = None if record.expected is None or record.tolerance is None else record.difference_of
        heights = [max(0.75, min(1.5, 3.0 / len(shown)))] * len(shown) + [1.0] * (led is not None) + [1.15]
        figure, grid = new_figure(size, 0.6 + sum(heights), len(heights), sharex=True, height_ratios=heights)
        axis = TimeAxis(record.times, timezone, size)
        least_s = 0.0025 * float(np.ptp(record.times)) if len(record.times) else 0.0
        for (axes,) in grid:
            shade(axes, axis, record.unscored, "muted", 0.12)
            shade(axes, axis, record.truth, "truth", 0.22, least_s)
            shade(axes, axis, record.flagged, "alarm", 0.22, least_s)
        for (axes,), number in zip(grid, shown, strict=False):
            if record.expected is not None and record.tolerance is not None:
                _band(axes, axis, record.times, record.expected[:, number], record.tolerance[:, number], gap_s)
            _reading(axes, axis, record.times, record.values[:, number], gap_s)
            _name(axes, *channels[number])
        if led is not None:
            difference_track(grid[-2][0], axis, record, led, gap_s)
            _name(grid[-2][0], f"{channels[led][0]} − expected", channels[led][1])
        _score_track(grid[-1][0], axis, record, gap_s)
        axis.format(grid[-1][0])
        return figure


def excerpts(shown: Sequence[Excerpt], timezone: str, size: Size = WIDE) -> Figure:
    """A panel for each stretch, marked among the rows around it."""
    with styled():
        figure, grid = new_figure(size, 0.4 + 1.25 * len(shown), len(shown))
        for (axes,), one in zip(grid, shown, strict=True):
            axis = TimeAxis(one.times, timezone, size)
            shade(axes, axis, [one.marked], "truth", 0.3)
            _reading(axes, axis, one.times, one.values, one.gap_s)
            axis.format(axes)
            axes.set_xlabel("")
            _name(axes, one.name, one.unit)
        return figure


def _band(
    axes: Any, axis: TimeAxis, times: np.ndarray, expected: np.ndarray, tolerance: np.ndarray, gap_s: float
) -> None:
    """What was expected, tolerance to both sides; the line in its middle only where it can be told from the reading."""
    if not len(times):
        return
    x, low, high = band_without_gaps(times, expected - tolerance, expected + tolerance, gap_s, axis.size.points)
    band = axes.fill_between(axis.place(x), low, high, color=COLORS["expected"], alpha=0.22, linewidth=0)
    named(band, "expected-band")
    if len(times) <= 2 * axis.size.points:
        draw(axes, axis, times, expected, gap_s, color=COLORS["expected"], linewidth=0.8)


def _reading(axes: Any, axis: TimeAxis, times: np.ndarray, values: np.ndarray, gap_s: float) -> None:
    draw(axes, axis, times, values, gap_s, color=COLORS["observed"], linewidth=0.9)
    axes.yaxis.set_major_locator(_few_ticks())


def difference_track(axes: Any, axis: TimeAxis, record: Recorded, number: int, gap_s: float) -> None:
    """What channel `number` differs by from what was expected, over its tolerance."""
    assert record.expected is not None
    assert record.tolerance is not None
    difference = record.values[:, number] - record.expected[:, number]
    _band(axes, axis, record.times, 0 * difference, record.tolerance[:, number], gap_s)
    draw(axes, axis, record.times, difference, gap_s, color=COLORS["second"], linewidth=1.0)
    axes.yaxis.set_major_locator(_few_ticks())


def _score_track(axes: Any, axis: TimeAxis, record: Recorded, gap_s: float) -> None:
    """Logarithmic: the level lies in the middle, and a score of 20 does not flatten one of 1.2."""
    score = np.maximum(record.score, _LOWEST_SCORE)
    draw(axes, axis, record.times, score, gap_s, color=COLORS["observed"], linewidth=1.0)
    axes.axhline(1.0, color=COLORS["alarm"], linestyle=(0, (5, 3)), linewidth=1.0)
    axes.set_yscale("log")
    highest = float(np.nanmax(score)) if np.isfinite(score).any() else 1.0
    axes.set_ylim(_LOWEST_SCORE, max(4.0, 1.3 * highest))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()
    _name(axes, "score", "1 is the alarm level")


def _name(axes: Any, name: str, unit: str) -> None:
    axes.set_title(f"{name} ({unit})" if unit else name, fontsize=9, pad=3)


def _few_ticks() -> MaxNLocator:
    return MaxNLocator(3, min_n_ticks=2)
