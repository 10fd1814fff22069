"""What a column's values show, whatever their order: it stands still, is coarse, or has levels far apart."""

from dataclasses import dataclass

import numpy as np

from train.console.words import number, percent, plural
from train.report_card.series import DIGITS, Series, middle

FEWEST_VALUES = 4
"""A column with fewer different values is a state, as a switch or a valve."""
_COARSE_VALUES = 20
"""Up to so many different values a measured quantity is coarse: a twentieth of its range is a step."""
_REPEATS = 0.5
"""Part of the readings that repeat the one before where the step is larger than the noise."""
_APART = 0.1
"""Part of the range that lies empty between two levels. With half of it noise makes levels, with twice as much three
levels of an even machine would be one."""
_WIDER = 2.0
"""Times the wider of two levels that the gap between them measures."""
_STEPS = 4.0
"""Times the usual distance of neighbouring values, so that a coarse column has no level a value."""
_LEAST_STAY = 10
"""Readings that a level lasts on average: a converter that jumps to and fro between two counts has no modes."""
_OFTEN = 10
"""Stretches on a level from which it is known; fewer differ from each other by more than they show."""
_SEEN = 0.01
"""Part of the readings that make a level; fewer are outliers."""


@dataclass(frozen=True)
class Modes:
    """A column's operating modes."""

    text: str
    seldom: bool
    """Whether one was seen so seldom that its next time may look odd."""


def constant(series: Series) -> str | None:
    """That the column stood still."""
    if len(series.values) != 1:
        return None
    return f"stood still at {number(float(series.values[0]), DIGITS)} in all rows; any later move of it counts"


def coarse(series: Series) -> str | None:
    """That the column's step hides small changes."""
    if not FEWEST_VALUES <= len(series.values) <= _COARSE_VALUES or (series.steps == 0).mean() < _REPEATS:
        return None
    step = float(np.median(np.diff(series.values)))
    return f"only {len(series.values)} different values, {number(step)} apart: smaller changes cannot be seen"


def modes(series: Series) -> Modes | None:
    """The column's levels, where it has several, with nothing between them, and stays on them."""
    if len(series.values) < FEWEST_VALUES:
        return None
    parts = _parts(series.known)
    stays = _stays(series, [float(part[0]) for part in parts[1:]])
    if len(parts) < 2 or sum(stays) * _LEAST_STAY > len(series.known):
        return None
    shares = [len(part) / len(series.known) for part in parts]
    shown = ", ".join(
        f"{number(float(np.median(part)))} ({percent(share)} of the rows in {plural(stay, 'stretch', 'stretches')})"
        for part, share, stay in zip(parts, shares, stays, strict=True)
    )
    return Modes(f"{len(parts)} operating modes: near {shown}", seldom=min(stays) < _OFTEN)


def _stays(series: Series, edges: list[float]) -> list[int]:
    """How many stretches the readings stay on each level; levels but the first begin at the edges."""
    counts = np.zeros(len(edges) + 1, int)
    for piece in series.pieces:
        levels = np.digitize(piece[~np.isnan(piece)], edges)
        if len(levels):
            begins = np.concatenate([[True], np.diff(levels) != 0])
            counts += np.bincount(levels[begins], minlength=len(counts))
    return counts.tolist()


def _parts(known: np.ndarray) -> list[np.ndarray]:
    """Readings (n,) by level, rising; one part where there are no levels."""
    ordered = np.sort(known)
    gaps = np.diff(ordered)
    if not gaps.any():
        return [ordered]
    low, high = np.quantile(ordered, [_SEEN / 2, 1 - _SEEN / 2])
    least = max(_APART * (high - low), _STEPS * float(np.median(gaps[gaps > 0])))
    edges = np.flatnonzero(gaps >= least) + 1
    return _merged([part for part in np.split(ordered, edges) if len(part) >= _SEEN * len(ordered)])


def _merged(parts: list[np.ndarray]) -> list[np.ndarray]:
    """Neighbours joined whose gap is not wide beside what they spread over themselves."""
    kept = parts[:1]
    for part in parts[1:]:
        before = kept[-1]
        if part[0] - before[-1] >= _WIDER * max(middle(part), middle(before)):
            kept.append(part)
        else:
            kept[-1] = np.concatenate([before, part])
    return kept
