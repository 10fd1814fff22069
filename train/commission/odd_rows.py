"""Rows among those to calibrate on that stand out: an anomaly there would raise the alarm level for good."""

from dataclasses import dataclass

import numpy as np

from edge.detector.bundle.calibration import Calibration
from edge.detector.bundle.files import Bundle
from edge.detector.learn.commissioning import shape_of
from edge.detector.learn.runs import Run as StreamRun
from edge.detector.members.registry import position
from edge.detector.members.tuning import DEFAULT
from edge.detector.rows.season import Calendar
from edge.detector.score.engine import Engine
from edge.detector.score.runtime import Network

_USUAL = 0.7
"""Quantile of a chart's peaks that counts as usual: an anomaly may fill a quarter of the rows and not move it."""
_LOUD = 4.5
"""Times the usual peak from which rows may be an anomaly..."""
_STANDS_OUT = 2.5
"""...where that is also so many times what the next worst reach: starts and stops are loud as well, but come often."""
_NEXT = 10
_EVEN = 1.5
"""What the next worst count as where there are not so many."""


@dataclass(frozen=True)
class OddRows:
    """A stretch of rows that stands out; times in Unix seconds."""

    start: float
    end: float
    channel: str
    times_usual: float
    """Its chart over the usual peak of that chart."""


def odd_rows(bundle: Bundle, network: Network, calibration: Calibration, run: StreamRun) -> list[OddRows]:
    """The stretches that stand out in level or in squared residuals, the loudest first; at most one of each."""
    rows, charts = _charts(bundle, network, calibration, run)
    if len(rows) < 2 * bundle.window:
        return []
    found = [_loudest(one, bundle, run.times[rows]) for one in charts]
    return sorted((one for one in found if one is not None), key=lambda one: -one.times_usual)


def _charts(
    bundle: Bundle, network: Network, calibration: Calibration, run: StreamRun
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Numbers of the n rows that were scored; the charts of level and of squared residuals, (n, channels) each."""
    engine = Engine(network, shape_of(bundle, Calendar(bundle.season, bundle.timezone)), 1, DEFAULT)
    engine.commission(0, calibration)
    stream = np.zeros(1, np.intp)
    rows, members = [], []
    for row in range(len(run.times)):
        at = slice(row, row + 1)
        scored = engine.step(stream, run.values[at], run.slots[at], run.restart[at])
        if scored.ran[0]:
            rows.append(row)
            members.append(scored.parts[0, [position("level"), position("energy")]])
    charts = np.array(members).reshape(-1, 2, run.values.shape[1])
    return np.array(rows, np.intp), (charts[:, 0], charts[:, 1])


def _loudest(chart: np.ndarray, bundle: Bundle, times: np.ndarray) -> OddRows | None:
    """The stretch around the highest of (n, channels), None where it does not stand out."""
    window = max(1, bundle.window // bundle.stride)
    ratio = chart / np.maximum(np.quantile(_peaks(chart, window), _USUAL, axis=0), 1e-6)
    worst = ratio.max(axis=1)
    peaks = np.sort(_peaks(worst[:, None], 2 * window)[:, 0])[::-1]
    others = [*peaks[1 : 1 + _NEXT], *[_EVEN] * (_NEXT + 1 - len(peaks))]
    if peaks[0] < max(_LOUD, _STANDS_OUT * float(np.median(others))):
        return None
    peak = int(worst.argmax())
    first, last = _around(worst >= _EVEN, peak)
    first = max(0, first - window // 2)  # a chart takes a while to rise
    channel = bundle.channel_names[int(ratio[peak].argmax())]
    return OddRows(float(times[first]), float(times[last]), channel, float(worst[peak]))


def _peaks(series: np.ndarray, length: int) -> np.ndarray:
    """(blocks, ...) maxima of blocks of `length` of (n, ...)."""
    return np.stack([block.max(axis=0) for block in np.array_split(series, max(1, len(series) // length))])


def _around(inside: np.ndarray, peak: int) -> tuple[int, int]:
    """First and last of the stretch of True in (n,) that `peak` lies in."""
    outside = np.flatnonzero(~inside)
    before, after = outside[outside < peak], outside[outside > peak]
    return int(before[-1]) + 1 if len(before) else 0, int(after[0]) - 1 if len(after) else len(inside) - 1
