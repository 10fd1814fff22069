"""Which part of a recording a close-up shows: an episode whole, with what is around it, and no other one cut off."""

from collections.abc import Sequence

from train.plots.signals import Recorded

Span = tuple[float, float]
"""From and to, Unix seconds."""
_MOST_GROWTH = 6.0
"""A known anomaly, or another episode, so many times longer than the one shown is not shown whole beside it."""


def whole_around(core: Span, others: Sequence[Span], least_margin: float) -> Span:
    """The stretch to show of `core`: whole with what it overlaps, and as much before and after it.

    `least_margin` is in seconds. A border that would cut another stretch off lies before it.

    >>> whole_around((100.0, 120.0), [(90.0, 130.0), (160.0, 300.0)], 30.0)
    (50.0, 145.0)
    """
    start, end = core
    most = _MOST_GROWTH * max(end - start, least_margin)
    for low, high in sorted(others):
        if low <= end and high >= start and high - low <= most:
            start, end = min(start, low), max(end, high)
    margin = max(end - start, least_margin)
    left, right = start - margin, end + margin
    for low, high in others:
        if low < left < high < start:
            left = (high + start) / 2
        if end < low < right < high:
            right = (end + low) / 2
    return left, right


def part_of(record: Recorded, start: float, end: float) -> Recorded:
    """The rows of a stretch, and the parts of the marked stretches in it."""
    inside = (record.times >= start) & (record.times <= end)
    return Recorded(
        times=record.times[inside],
        values=record.values[inside],
        score=record.score[inside],
        flagged=_clipped(record.flagged, start, end),
        truth=_clipped(record.truth, start, end),
        unscored=_clipped(record.unscored, start, end),
        expected=None if record.expected is None else record.expected[inside],
        tolerance=None if record.tolerance is None else record.tolerance[inside],
    )


def _clipped(spans: Sequence[Span], start: float, end: float) -> list[Span]:
    return [(max(a, start), min(b, end)) for a, b in spans if a <= end and b >= start]
