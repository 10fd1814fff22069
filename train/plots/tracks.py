"""Signals over time: gaps stay gaps, long ones are drawn by their extremes, axes show local time."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from matplotlib import dates

from train.console.times import is_unix
from train.plots.style import COLORS, WIDE, Size

Spans = Sequence[tuple[float, float]]


def thinned(times: np.ndarray, values: np.ndarray, most: int = WIDE.points) -> tuple[np.ndarray, np.ndarray]:
    """At most 2 * `most` points of (n,) values that still show every peak; bins with no value give NaN.

    >>> thinned(np.arange(6.0), np.array([0.0, 9.0, 0.0, 0.0, -9.0, 0.0]), most=2)[1].tolist()
    [0.0, 9.0, -9.0, 0.0]
    """
    if len(values) <= 2 * most:
        return times, values
    edges = np.linspace(0, len(values), most + 1).astype(int)[:-1]
    low, high = np.fmin.reduceat(values, edges), np.fmax.reduceat(values, edges)
    stops = np.concatenate([edges[1:], [len(values)]]) - 1
    # Falling through a bin, its top comes first: the line would zigzag otherwise.
    falling = values[edges] > values[stops]
    pairs = np.where(falling, [high, low], [low, high])
    return np.column_stack([times[edges], times[stops]]).ravel(), pairs.T.ravel()


def thinned_band(
    times: np.ndarray, low: np.ndarray, high: np.ndarray, most: int = WIDE.points
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Some `most` points of a band that hold all of it, from its first time to its last."""
    if len(times) <= most:
        return times, low, high
    edges = np.linspace(0, len(times), most + 1).astype(int)[:-1]
    below, above = np.fmin.reduceat(low, edges), np.fmax.reduceat(high, edges)
    return np.append(times[edges], times[-1]), np.append(below, below[-1]), np.append(above, above[-1])


def band_without_gaps(
    times: np.ndarray, low: np.ndarray, high: np.ndarray, gap_s: float, most: int = WIDE.points
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The thinned band of (n,) bounds, with a NaN in every silence longer than `gap_s`."""
    cuts = np.flatnonzero(np.diff(times) > gap_s) + 1
    share, nothing = most / max(len(times), 1), np.array([np.nan])
    pieces = []
    for own, below, above in zip(*(np.split(each, cuts) for each in (times, low, high)), strict=True):
        if len(own):
            x, bottom, top = thinned_band(own, below, above, max(2, round(share * len(own))))
            pieces.append(([*x, x[-1]], np.append(bottom, nothing), np.append(top, nothing)))
    x, bottom, top = (np.concatenate(each) for each in zip(*pieces, strict=True))
    return x, bottom, top


def without_gaps(
    times: np.ndarray, values: np.ndarray, gap_s: float, most: int = WIDE.points
) -> tuple[np.ndarray, np.ndarray]:
    """The thinned line of (n,) values, with a NaN in every silence longer than `gap_s`, so that nothing crosses it."""
    cuts = np.flatnonzero(np.diff(times) > gap_s) + 1
    parts = list(zip(np.split(times, cuts), np.split(values, cuts), strict=True))
    share = most / max(len(times), 1)
    pieces = [thinned(*part, most=max(2, round(share * len(part[0])))) for part in parts]
    x = np.concatenate([piece for line, _ in pieces for piece in (line, line[-1:])])
    y = np.concatenate([piece for _, line in pieces for piece in (line, [np.nan])])
    return x, y


class TimeAxis:
    """Turns Unix seconds into what an axis shows: local time, or plain seconds for clocks that start at zero."""

    def __init__(self, times: np.ndarray, timezone: str, size: Size = WIDE) -> None:
        self._zone = ZoneInfo(timezone) if len(times) and is_unix(times) else None
        self._timezone = timezone
        self.size = size

    def place(self, times: np.ndarray | Sequence[float]) -> np.ndarray:
        """Axis positions of Unix seconds."""
        seconds = np.asarray(times, float)
        return seconds / timedelta(days=1).total_seconds() if self._zone else seconds

    def format(self, axes: Any) -> None:
        """Ticks and label of the x axis."""
        axes.margins(x=0.005)
        if self._zone is None:
            axes.set_xlabel("seconds")
            return
        least, most = self.size.ticks
        locator = dates.AutoDateLocator(tz=self._zone, minticks=least, maxticks=most)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=self._zone))
        axes.set_xlabel(f"time ({self._timezone})")


def shade(axes: Any, axis: TimeAxis, spans: Spans, color: str, alpha: float, least_s: float = 0.0) -> None:
    """Mark stretches of time; those shorter than `least_s` seconds are widened, or nobody would see them."""
    for start, end in spans:
        wider = max(0.0, least_s - (end - start)) / 2
        left, right = axis.place([start - wider, end + wider])
        axes.axvspan(left, right, color=COLORS[color], alpha=alpha, linewidth=0, zorder=0.5)


def draw(axes: Any, axis: TimeAxis, times: np.ndarray, values: np.ndarray, gap_s: float, **style: Any) -> None:
    """One line over time."""
    x, y = without_gaps(times, values, gap_s, axis.size.points)
    axes.plot(axis.place(x), y, **style)


def runs_of(times: np.ndarray, marked: np.ndarray) -> list[tuple[float, float]]:
    """First and last time of every stretch of (n,) bool rows that are marked."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]])))
    return [(float(times[a]), float(times[b - 1])) for a, b in zip(edges[::2], edges[1::2], strict=True)]
