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


Group = tuple[Scaler, Sequence[Run]]
"""Runs of one machine, and the scaler that they are seen through."""


def settle(groups: Sequence[Group], shape: Sizes, tuning: Tuning) -> Steps[list[Settled]]:
    """The baselines of each group's normal runs, first over charts around the center, then over those that follow.

    All groups side by side: a step costs little more with many.
    """
    runs = [
        replace(run, values=to_z(run.values, scaler.center[run.slots], scaler.scale[run.slots]))
        for scaler, of_group in groups
        for run in of_group
    ]
    ends = np.cumsum([len(of_group) for _, of_group in groups])
    own = [slice(int(end) - len(of_group), int(end)) for end, (_, of_group) in zip(ends, groups, strict=True)]
    highest, low, high = yield from _around_center(runs, shape, tuning)
    wander = [np.stack([low[one].min(axis=0), high[one].max(axis=0)]) for one in own]
    control = [_control(highest[one], tuning) for one in own]
    sizes = [len(of_group) for _, of_group in groups]
    distances, highest = yield from _followed(
        runs, np.repeat(wander, sizes, axis=0), np.repeat(control, sizes, axis=0), shape, tuning
    )
    return [
        Settled(_control(highest[one], tuning), range_, tuple(distances[one]))
        for one, range_ in zip(own, wander, strict=True)
    ]


def _control(highest: np.ndarray, tuning: Tuning) -> np.ndarray:
    """(channels,) from the highest (runs, channels) level charts of one group."""
    return tuning.control * np.maximum(highest.max(axis=0), _LEAST_CONTROL)


def _around_center(runs: Sequence[Run], shape: Sizes, tuning: Tuning) -> Steps[tuple[np.ndarray, ...]]:
    """(runs, channels) each: highest level chart around the center, lowest and highest mean as slow as a baseline.

    Values of the runs are z-units here.
    """
    charts = Charts(len(runs), shape, tuning)
    highest, slow, low, high = (np.zeros((len(runs), shape.channels)) for _ in range(4))
    rows = max(1, int(tuning.baseline_windows * shape.window))
    for number, (live, values, _, restart) in enumerate(in_lockstep(runs)):
        if restart.any():
            began = live[restart]
            charts.clear(began, np.full(len(began), np.inf))
            slow[began] = np.stack([_mean(runs[at].values[number : number + rows]) for at in began.tolist()])
        charts.count(live, np.zeros(len(live), bool))
        level = charts.update_level(live, values)
        slow[live] += np.where(np.isnan(values), 0.0, values - slow[live]) / rows
        full = charts.age[live] >= shape.window
        highest[live[full]] = np.maximum(highest[live[full]], np.abs(level[full]))
        if shape.slots == 1:
            low[live] = np.minimum(low[live], slow[live])
            high[live] = np.maximum(high[live], slow[live])
        yield
    return highest, low, high


def _followed(
    runs: Sequence[Run],
    wander: np.ndarray,
    control: np.ndarray,
    shape: Sizes,
    tuning: Tuning,
) -> Steps[tuple[list[np.ndarray], np.ndarray]]:
    """Distances from baselines that follow, of each run after its lead, and their highest (runs, channels) level chart.

    `wander` (runs, 2, channels) and `control` (runs, channels) are those of each run's group.
    """
    charts = Charts(len(runs), shape, tuning)
    highest = np.zeros((len(runs), shape.channels))
    far = np.zeros((max(len(run.times) for run in runs), len(runs), shape.channels))
    for number, (live, values, slots, restart) in enumerate(in_lockstep(runs)):
        for at in live[restart].tolist():
            one = np.array([at])
            charts.clear(one, np.full(1, np.inf))
            charts.age[one] = shape.window
            if shape.slots == 1:
                charts.baseline[at, 0] = np.clip(
                    _mean(runs[at].values[number : number + shape.window]), wander[at, 0], wander[at, 1]
                )
        charts.count(live, np.zeros(len(live), bool))
        distance = values - charts.baseline[live, slots]
        level = charts.update_level(live, distance)
        full = charts.age[live] > 2 * shape.window
        highest[live[full]] = np.maximum(highest[live[full]], np.abs(level[full]))
        far_now = np.nan_to_num(distance)
        charts.follow(live, slots, far_now, control[live], np.full(shape.channels, np.inf))
        far[number, live] = far_now
        yield
    return [far[run.lead : len(run.times), at] for at, run in enumerate(runs)], highest


def _mean(rows: np.ndarray) -> np.ndarray:
    """(channels,) means of (n, channels) rows, 0 where nothing is known."""
    known = ~np.isnan(rows)
    count = known.sum(axis=0)
    return np.divide(np.where(known, rows, 0.0).sum(axis=0), count, out=np.zeros(rows.shape[1]), where=count > 0)
