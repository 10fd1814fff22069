"""Where the baselines of normal rows go, and what is left of the rows without them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.detector.bundle.scaler import Scaler, to_z
from edge.detector.learn.runs import Run, Steps, in_lockstep
from edge.detector.members.tuning import Tuning
from edge.detector.score.chart import Charts, Sizes

_LEAST_CONTROL = 0.3
"""Least chart within which a baseline follows, z-units: that of a channel that stood still."""


@dataclass(frozen=True)
class Settled:
    """What baselines did on normal runs."""

    control: np.ndarray
    """(channels,): level chart within which a baseline follows, z-units."""
    wander: np.ndarray
    """(2, channels): lowest and highest baseline, z-units."""
    distances: tuple[np.ndarray, ...]
    """Of each run after its lead, (n, channels): distance from the baseline, z-units, 0 where missing."""


def settle(scaler: Scaler, runs: Sequence[Run], shape: Sizes, tuning: Tuning) -> Steps[Settled]:
    """The baselines of normal runs, first over charts around the center, then over those that follow."""
    scaled = [replace(run, values=to_z(run.values, scaler.center[run.slots], scaler.scale[run.slots])) for run in runs]
    highest, wander = yield from _around_center(scaled, shape, tuning)
    control = tuning.control * np.maximum(highest, _LEAST_CONTROL)
    distances, highest = yield from _followed(scaled, wander, control, shape, tuning)
    return Settled(tuning.control * np.maximum(highest, _LEAST_CONTROL), wander, distances)


def _around_center(runs: Sequence[Run], shape: Sizes, tuning: Tuning) -> Steps[tuple[np.ndarray, np.ndarray]]:
    """Highest level chart around the center, and the range (2, channels) of a mean as slow as a baseline.

    Values of the runs are z-units here.
    """
    charts = Charts(len(runs), shape, tuning)
    highest = np.zeros(shape.channels)
    slow = np.zeros((len(runs), shape.channels))
    rows = max(1, int(tuning.baseline_windows * shape.window))
    wander = np.zeros((2, shape.channels))
    for number, (live, values, _, restart) in enumerate(in_lockstep(runs)):
        if restart.any():
            began = live[restart]
            charts.clear(began, np.full(len(began), np.inf))
            slow[began] = np.stack([_mean(runs[at].values[number : number + rows]) for at in began.tolist()])
        charts.count(live, np.zeros(len(live), bool))
        level = charts.update_level(live, values)
        slow[live] += np.where(np.isnan(values), 0.0, values - slow[live]) / rows
        full = charts.age[live] >= shape.window
        if full.any():
            highest = np.maximum(highest, np.abs(level[full]).max(axis=0))
        wander[0] = np.minimum(wander[0], slow[live].min(axis=0))
        wander[1] = np.maximum(wander[1], slow[live].max(axis=0))
        yield
    return highest, wander if shape.slots == 1 else np.zeros_like(wander)


def _followed(
    runs: Sequence[Run],
    range_: np.ndarray,
    control: np.ndarray,
    shape: Sizes,
    tuning: Tuning,
) -> Steps[tuple[tuple[np.ndarray, ...], np.ndarray]]:
    """Distances from baselines that follow, of each run after its lead, and the highest level chart of them."""
    charts = Charts(len(runs), shape, tuning)
    highest = np.zeros(shape.channels)
    far = [np.zeros_like(run.values) for run in runs]
    for number, (live, values, slots, restart) in enumerate(in_lockstep(runs)):
        for at in live[restart].tolist():
            one = np.array([at])
            charts.clear(one, np.full(1, np.inf))
            charts.age[one] = shape.window
            if shape.slots == 1:
                charts.baseline[at, 0] = np.clip(
                    _mean(runs[at].values[number : number + shape.window]), range_[0], range_[1]
                )
        charts.count(live, np.zeros(len(live), bool))
        distance = values - charts.baseline[live, slots]
        level = charts.update_level(live, distance)
        full = charts.age[live] > 2 * shape.window
        if full.any():
            highest = np.maximum(highest, np.abs(level[full]).max(axis=0))
        far_now = np.nan_to_num(distance)
        charts.follow(live, slots, far_now, control, np.full(shape.channels, np.inf))
        for place, at in enumerate(live.tolist()):
            far[at][number] = far_now[place]
        yield
    return tuple(one[run.lead :] for one, run in zip(far, runs, strict=True)), highest


def _mean(rows: np.ndarray) -> np.ndarray:
    """(channels,) means of (n, channels) rows, 0 where nothing is known."""
    known = ~np.isnan(rows)
    count = known.sum(axis=0)
    return np.divide(np.where(known, rows, 0.0).sum(axis=0), count, out=np.zeros(rows.shape[1]), where=count > 0)
