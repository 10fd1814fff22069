"""Limits, rate, flat line and silence of every channel from normal rows: wide, since a rule that is wrong floods."""

from collections.abc import Mapping, Sequence

import numpy as np

from edge.detector.bundle.rules import ChannelRules
from train.read.dataset import Run

_MARGIN = 1.0
"""Limits lie so many times the range outside what was seen."""
_STEADY = 0.25
"""The same for one half of the rows to hold for the other: those of a channel that wanders do not."""
_RATE = 3.0
"""Times the largest change seen."""
_LONGER = 5.0
"""Times the longest flat line and the longest silence seen."""
_LEAST_PERIODS = 60.0
"""Periods that a flat line or a silence lasts at least before it is told."""
_MOSTLY = 0.5
"""Part of the steps without change from which a channel is one that stands still, a setpoint or a switch."""


def learn_rules(runs: Sequence[Run], channels: Sequence[str], period_s: float) -> dict[str, ChannelRules]:
    """Each channel's rules from normal runs; one that wanders has no limits, one that never changes only silence."""
    series = [(segment.times, segment.values) for run in runs for segment in run.segments]
    return {
        name: _learn([(times, values[:, number]) for times, values in series], period_s)
        for number, name in enumerate(channels)
    }


def widened(fleet: Mapping[str, ChannelRules], device: Mapping[str, ChannelRules]) -> dict[str, ChannelRules]:
    """Rules of one device: as wide as its fleet's and its own rows say; a rule that one of them lacks is off."""
    return {name: _wider(fleet.get(name, rules), rules) for name, rules in device.items()}


def _wider(one: ChannelRules, other: ChannelRules) -> ChannelRules:
    wider = {"min": min, "max": max, "max_rate": max, "flat_for_s": max, "silent_for_s": max}
    limits = {name: (getattr(one, name), getattr(other, name)) for name in wider}
    return ChannelRules(**{name: None if None in pair else wider[name](pair) for name, pair in limits.items()})


def _learn(series: Sequence[tuple[np.ndarray, np.ndarray]], period_s: float) -> ChannelRules:
    known = [(times[~np.isnan(values)], values[~np.isnan(values)]) for times, values in series]
    every = np.concatenate([values for _, values in known])
    least_s = _LEAST_PERIODS * period_s
    silent_s = max([least_s, *(_LONGER * np.diff(times).max() for times, _ in known if len(times) > 1)])
    if not len(every) or np.ptp(every) == 0:
        return ChannelRules(silent_for_s=float(silent_s))
    low, high = _limits(every, _MARGIN) if _steady(every) else (None, None)
    steps = np.concatenate([np.diff(values) for _, values in known])
    rates = [np.abs(np.diff(values) / np.diff(times)).max() for times, values in known if len(times) > 1]
    flat_s = max([least_s, *(_LONGER * _longest_flat_s(times, values) for times, values in known if len(times) > 1)])
    return ChannelRules(
        min=low,
        max=high,
        max_rate=float(_RATE * max(rates)),
        flat_for_s=None if (steps == 0).mean() > _MOSTLY else float(flat_s),
        silent_for_s=float(silent_s),
    )


def _limits(values: np.ndarray, margin: float) -> tuple[float, float]:
    spread = margin * np.ptp(values)
    return float(values.min() - spread), float(values.max() + spread)


def _steady(values: np.ndarray) -> bool:
    """Whether each half of (n,) values keeps narrow limits of the other; else the channel wanders and will go on."""
    halves = np.array_split(values, 2)
    for own, other in (halves, halves[::-1]):
        if not len(own) or not len(other):
            return False
        low, high = _limits(own, _STEADY)
        if other.min() < low or other.max() > high:
            return False
    return True


def _longest_flat_s(times: np.ndarray, values: np.ndarray) -> float:
    """The longest time for which (n,) values at (n,) times stay the same, seconds."""
    starts = np.flatnonzero(np.concatenate([[True], np.diff(values) != 0]))
    ends = np.concatenate([starts[1:], [len(values)]]) - 1
    return float((times[ends] - times[starts]).max())
