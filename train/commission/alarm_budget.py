"""From a budget of false alarms to an alarm level: the tail of a device's normal scores says what it takes."""

import math

from edge.detector.bundle.calibration import Calibration
from edge.detector.bundle.files import Bundle
from edge.detector.bundle.tail import EXTRAPOLATION
from train.console.errors import FitError
from train.console.words import count, number, plural

_DAY_S = 86400.0
_LEAST_PEAKS = 6
"""Peaks over the tail's threshold, at least: the fewer, the more its far end is a guess."""
_WINDOWS_A_PEAK = 4
"""Windows of rows that give one such peak: a peak is the highest of two windows, and every other counts."""


def level_for(calibration: Calibration, per_day: float, bundle: Bundle) -> float:
    """The fused statistic that normal rows pass about `per_day` times a day, by peaks over threshold.

    Raises:
        FitError: the rows are too few to tell of alarms so rare; the message says how many it takes.
    """
    wanted_s, tail = _DAY_S / per_day, calibration.tail
    needed = max(
        math.ceil(wanted_s / EXTRAPOLATION / bundle.period_s), (_LEAST_PEAKS + 1) * _WINDOWS_A_PEAK * bundle.window
    )
    if tail is None or tail.peaks < _LEAST_PEAKS or wanted_s > EXTRAPOLATION * tail.span_s:
        raise FitError(
            f"{plural(calibration.rows, 'row')} cannot support {number(per_day)} false alarms a day: that takes about "
            f"{count(needed)} normal rows without an anomaly (a tail wants {_LEAST_PEAKS} peaks, and tells of "
            f"{EXTRAPOLATION:g} times as long as it was learned on)"
        )
    most = tail.peaks * _DAY_S / tail.span_s
    if per_day > most:
        raise FitError(
            f"{number(per_day)} false alarms a day is no budget: on these rows even the usual peaks of the score come "
            f"only {number(most)} times a day; give less"
        )
    return tail.level(wanted_s)
