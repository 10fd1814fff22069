"""Counters, meters, row numbers and clocks: what only rises is never again where it was in training."""

import re

import numpy as np

from train.console.words import number, plural
from train.report_card.series import DIGITS, Series

_LEAST_RISES = 10
"""Rises, and of one that is set back for each time: a setpoint that was raised a few times is no counter, nor a valve
that opens and closes. With half as many a setpoint of five steps would be, with twice as many an hour meter would have
to be recorded for a day."""
_MOST_RESETS = 0.01
"""Part of the steps that may fall back to a low value. A meter is set back once a day or a shift; a piston that
returns every fifty rows is a machine that moves."""
_MOST_ODD = 0.001
"""Part of the steps that may fall elsewhere: a garbled reading among thousands leaves a counter one."""
_LOW = 0.1
"""A low value lies in this part of the range above the lowest."""
_SAME = 0.99
"""Part of the steps of a row number that are the same; the others are rows that were lost."""
_SAME_STEP = 1e-3
"""Steps that differ by no more than this part are the same: a clock in seconds is written with some digits."""
_COUNTING = frozenset(
    word
    for words in (
        "count counter counts cycles hours index kwh mwh odometer runtime seq sequence total uptime",
        "betriebsstunden laufzeit stunden zaehler zähler compteur heures contador horas contatore ore teller uren",
    )
    for word in words.split()
)
"""Words in the name of what counts; there a single rise without a fall is enough."""


def row_number(series: Series) -> str | None:
    """What makes the column a row number or a clock: it rises by the same step in every row."""
    steps = series.steps
    if len(steps) < _LEAST_RISES:
        return None
    usual = float(np.median(steps))
    if usual <= 0 or (np.abs(steps - usual) <= _SAME_STEP * usual).mean() < _SAME:
        return None
    return f"rises by {number(usual, DIGITS)} in every row: a row number or a clock"


def counter(series: Series) -> str | None:
    """What makes the column a counter: it rises, and falls only where it is set back to a low value."""
    steps = series.steps
    rises = int((steps > 0).sum())
    if not rises:
        return None
    low, high = float(series.values[0]), float(series.values[-1])
    resets, odd = _falls(series, low + _LOW * (high - low))
    least = 1 if _counts_by_name(series.name) and not resets else _LEAST_RISES * max(1, resets)
    if rises < least or resets > max(1, _MOST_RESETS * len(steps)) or odd > _MOST_ODD * len(steps):
        return None
    back = f"is set back {plural(resets, 'time')}" if resets else "hardly ever falls" if odd else "never falls"
    return f"a counter or meter: rises from {number(low, DIGITS)} to {number(high, DIGITS)} and {back}"


def _falls(series: Series, low: float) -> tuple[int, int]:
    """How often readings fall to `low` or below, and to elsewhere."""
    resets = odd = 0
    for piece in series.pieces:
        readings = piece[~np.isnan(piece)]
        after = readings[1:][np.diff(readings) < 0]
        resets += int((after <= low).sum())
        odd += int((after > low).sum())
    return resets, odd


def _counts_by_name(name: str) -> bool:
    return not _COUNTING.isdisjoint(re.findall(r"[^\W\d_]+", name.lower()))
