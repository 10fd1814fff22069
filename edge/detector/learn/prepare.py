"""What normal rows teach without the network: baselines, relations between channels and, perhaps, windows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.detector.bundle.calibration import Calibration, everything
from edge.detector.bundle.memory import remember
from edge.detector.bundle.peaks import Peaks
from edge.detector.bundle.scaler import Scaler, fit_scaler
from edge.detector.learn.runs import Run, Steps
from edge.detector.learn.settle import Group, Settled, settle
from edge.detector.members.registry import BY_CHANNEL, MEMBERS, Limits
from edge.detector.members.tuning import Tuning
from edge.detector.score.calibrations import Shape

_KEPT = 0.95
"""Part of the variance that the components kept explain; usual in process monitoring (Chiang, Russell, Braatz 2001)."""
_LEAST_VARIANCE = 1e-12
FOLDS = 5
"""Parts that normal rows are cut into: what members learn from four of them is tried on the fifth."""
LEAD_WINDOWS = 4
"""Windows before a part that bring charts to where they would be. A baseline takes longer: so limits know how it
starts, as it does after every silence."""
_AT_ONCE = 2**21
"""Readings of groups that settle side by side, 16 MB an array; a group of more does so alone."""


def residual_projector(rows: np.ndarray) -> np.ndarray:
    """(channels, channels) matrix that takes a row to its part outside the principal components of (n, channels) rows.

    Rows are distances from the baseline, z-units; their mean is taken as zero.
    Source: Jackson and Mudholkar 1979, the Q statistic or squared prediction error.
    """
    channels = rows.shape[1]
    if not len(rows):
        return np.zeros((channels, channels))
    variances, axes = np.linalg.eigh(rows.T @ rows / len(rows))
    variances, axes = variances[::-1], axes[:, ::-1]
    total = max(float(variances.sum()), _LEAST_VARIANCE)
    kept = int(np.searchsorted(np.cumsum(variances) / total, _KEPT)) + 1
    axes = axes[:, :kept]
    return np.eye(channels) - axes @ axes.T


class CalibrationError(ValueError):
    """Rows that no calibration can be made of; the message says how many are wanted."""


@dataclass(frozen=True)
class NormalRows:
    """What a calibration is learned on."""

    runs: Sequence[Run]
    """Parts of normal runs, each with its lead; every `FOLDS`-th one is tried on what the others teach."""
    scaler: Scaler
    max_drift: np.ndarray
    """(channels,): how far baselines may drift, z-units of `scaler`."""
    own_scaler: bool = False
    """Whether `scaler` was fitted on these very rows: each part is then tried with one that was not."""
    fitted_range: np.ndarray | None = None
    """(2, channels): lowest and highest reading that the network was fitted on, z-units; None where it is not known."""
    remembers: bool = False
    """Whether windows are remembered: some kilobytes, for a bundle."""
    fleet: Peaks | None = None
    """What other machines reached that were commissioned on as many of their own first rows."""


@dataclass(frozen=True)
class Prepared:
    """Normal rows, and what they teach without the network."""

    rows: NormalRows
    known: Calibration
    """By all of them."""
    folds: tuple[Calibration, ...]
    """For every `FOLDS`-th run, by the others, where there are others."""


def prepared_together(
    shape: Shape, machines: Sequence[NormalRows], tuning: Tuning
) -> Steps[list[Prepared | CalibrationError]]:
    """What each machine's rows teach, step by step, side by side; or why they suffice for nothing."""
    groups: list[list[Group] | CalibrationError] = []
    for rows in machines:
        try:
            groups.append(_groups(rows, shape))
        except CalibrationError as error:
            groups.append(error)
    every = [group for one in groups if not isinstance(one, CalibrationError) for group in one]
    settled: list[Settled] = []
    for together in _together(every):
        settled += yield from settle(together, shape, tuning)
    prepared: list[Prepared | CalibrationError] = []
    for rows, one in zip(machines, groups, strict=True):
        if isinstance(one, CalibrationError):
            prepared.append(one)
            continue
        blank = _blank(rows, shape.channels)
        taught = [_taught(blank, scaler, settled.pop(0), shape, rows.remembers) for scaler, _ in one]
        prepared.append(Prepared(rows, taught[0], tuple(taught[1:])))
    return prepared


def _groups(rows: NormalRows, shape: Shape) -> list[Group]:
    """All runs, and for each fold those that it is not tried on; each with its scaler."""
    if not sum(run.windows(shape) for run in rows.runs):
        raise CalibrationError(
            f"{sum(len(run.learned.times) for run in rows.runs)} rows hold no window of {shape.window} rows without a "
            f"gap; calibration wants {20 * shape.window} rows in a row to be sensible, and {shape.window} at the least"
        )
    groups: list[Group] = [(rows.scaler, rows.runs)]
    for fold in range(min(FOLDS, len(rows.runs))):
        others = [run for number, run in enumerate(rows.runs) if number % FOLDS != fold] or list(rows.runs)
        groups.append((_scaler_of(rows, others), others))
    return groups


def _scaler_of(rows: NormalRows, others: Sequence[Run]) -> Scaler:
    """That of a fold, from the other runs where the machine's own is from all of them."""
    scaler = rows.scaler
    if not rows.own_scaler or len(rows.runs) == 1:
        return scaler
    learned = [run.learned for run in others]
    values, slots = (np.concatenate([getattr(run, name) for run in learned]) for name in ("values", "slots"))
    try:
        return fit_scaler(values, scaler.kind, (), slots, len(scaler.center))
    except ValueError as error:
        raise CalibrationError(f"a part of these rows has no value of a channel: {error}") from error


def _together(groups: Sequence[Group]) -> Iterator[list[Group]]:
    """Groups, as many at a time as have no more than `_AT_ONCE` readings."""
    together: list[Group] = []
    readings = 0
    for group in groups:
        own = sum(run.values.size for run in group[1])
        if together and readings + own > _AT_ONCE:
            yield together
            together, readings = [], 0
        together.append(group)
        readings += own
    if together:
        yield together


def _taught(known: Calibration, scaler: Scaler, settled: Settled, shape: Shape, remembers: bool) -> Calibration:
    return replace(
        known,
        scaler=scaler,
        control_limit=settled.control,
        wander=settled.wander,
        projector=np.round(residual_projector(np.concatenate(settled.distances)), 6),
        memory=remember(settled.distances, shape.window) if remembers else None,
    )


def _blank(rows: NormalRows, channels: int) -> Calibration:
    ones = np.ones(channels)
    return Calibration(
        scaler=rows.scaler,
        residual_scale=ones,
        projector=np.zeros((channels, channels)),
        sizes=np.ones((len(BY_CHANNEL), channels)),
        limits=Limits(np.zeros(len(MEMBERS)), np.ones(len(MEMBERS))),
        rows_behind=np.zeros(len(MEMBERS), int),
        control_limit=ones,
        wander=np.zeros((2, channels)),
        shifted=False,
        max_drift=rows.max_drift,
        fitted_range=everything(channels) if rows.fitted_range is None else rows.fitted_range,
        spread=np.ones((2, channels)),
        level=1.0,
        tail=None,
        rows=0,
        span_s=1.0,
        memory=None,
    )
