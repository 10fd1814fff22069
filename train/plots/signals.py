"""Figures of recordings: what was read and what was expected, and the episodes over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from train.plots.style import COLORS, new_figure, styled
from train.plots.tracks import Spans, TimeAxis, draw, shade, thinned_band

BAND_SDS = 3.0
"""The expected band reaches so many times the usual residual to both sides."""
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
    usual: np.ndarray
    """Root mean square residual on normal rows."""


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
    seen: Expectation, channels: Sequence[tuple[str, str]], gap_s: float, timezone: str, band_sds: float = BAND_SDS
) -> Figure:
    """A panel for each channel (name, unit): readings over the expected value and its band."""
    shown = range(min(len(channels), MOST_CHANNELS))
    with styled():
        figure, grid = new_figure(0.55 + 1.15 * len(shown), len(shown), sharex=True)
        axis = TimeAxis(seen.times, timezone)
        for (axes,), number in zip(grid, shown, strict=True):
            _panel(axes, axis, seen, number, gap_s, band_sds)
            _name(axes, *channels[number])
        grid[0][0].legend(loc="lower right", ncols=3, bbox_to_anchor=(1, 0.98), borderaxespad=0.2)
        axis.format(grid[-1][0])
        return figure


def timeline(record: Recorded, channels: Sequence[tuple[str, str]], gap_s: float, timezone: str) -> Figure:
    """A track for each channel (name, unit) and one for the score; flagged stretches run through all of them."""
    shown = range(min(len(channels), MOST_CHANNELS))
    with styled():
        heights = [max(0.7, 1.8 / len(shown))] * len(shown) + [1.15]
        figure, grid = new_figure(0.6 + sum(heights), len(heights), sharex=True, height_ratios=heights)
        axis = TimeAxis(record.times, timezone)
        least_s = 0.0025 * float(np.ptp(record.times)) if len(record.times) else 0.0
        for (axes,) in grid:
            shade(axes, axis, record.unscored, "muted", 0.12)
            shade(axes, axis, record.truth, "truth", 0.22, least_s)
            shade(axes, axis, record.flagged, "alarm", 0.22, least_s)
        for (axes,), number in zip(grid, shown, strict=False):
            draw(axes, axis, record.times, record.values[:, number], gap_s, color=COLORS["observed"], linewidth=0.9)
            axes.yaxis.set_major_locator(_few_ticks())
            _name(axes, *channels[number])
        _score_track(grid[-1][0], axis, record, gap_s)
        axis.format(grid[-1][0])
        return figure


def excerpts(shown: Sequence[Excerpt], timezone: str) -> Figure:
    """A panel for each stretch, marked among the rows around it."""
    with styled():
        figure, grid = new_figure(0.4 + 1.25 * len(shown), len(shown))
        for (axes,), one in zip(grid, shown, strict=True):
            axis = TimeAxis(one.times, timezone)
            shade(axes, axis, [one.marked], "truth", 0.3)
            draw(axes, axis, one.times, one.values, one.gap_s, color=COLORS["observed"], linewidth=0.9)
            axes.yaxis.set_major_locator(_few_ticks())
            axis.format(axes)
            axes.set_xlabel("")
            _name(axes, one.name, one.unit)
        return figure


def _panel(axes: Any, axis: TimeAxis, seen: Expectation, number: int, gap_s: float, band_sds: float) -> None:
    expected, reach = seen.expected[:, number], band_sds * seen.usual[:, number]
    x, low, high = thinned_band(seen.times, expected - reach, expected + reach)
    axes.fill_between(axis.place(x), low, high, color=COLORS["expected"], alpha=0.2, linewidth=0, label="expected band")
    style = {"linewidth": 0.9, "alpha": 0.95}
    draw(axes, axis, seen.times, expected, gap_s, color=COLORS["expected"], label="expected", **style)
    draw(axes, axis, seen.times, seen.observed[:, number], gap_s, color=COLORS["observed"], label="reading", **style)
    axes.yaxis.set_major_locator(_few_ticks())


def _score_track(axes: Any, axis: TimeAxis, record: Recorded, gap_s: float) -> None:
    """Logarithmic: the level lies in the middle, and a score of 20 does not flatten one of 1.2."""
    score = np.maximum(record.score, _LOWEST_SCORE)
    draw(axes, axis, record.times, score, gap_s, color=COLORS["expected"], linewidth=1.0)
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
