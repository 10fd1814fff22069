"""Calibrates each variant on rows the network was not fitted on, and compares what their alarms say."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from edge.detector.bundle.calibration import Calibration
from edge.detector.learn.calibrate import learned_together
from edge.detector.learn.prepare import CalibrationError, NormalRows, Prepared, prepared_together
from edge.detector.learn.runs import finished
from edge.detector.members.registry import NAMES, wanted_rows
from edge.detector.members.tuning import DEFAULT, Tuning
from edge.detector.score.calibrations import Shape
from edge.detector.score.runtime import Network, open_model
from train.console.errors import FitError, TooFewRowsError
from train.fitting.probe import BATCHES
from train.fitting.second import Second
from train.fitting.window import FILLING
from train.network.scaling import Scaling
from train.network.streams import in_pieces
from train.read.split import Split


@dataclass(frozen=True)
class ScoredRows:
    """What one variant said of the calibration rows, piece after piece."""

    times: np.ndarray
    """(n,) Unix seconds."""
    scores: np.ndarray
    """(n,), 1.0 is the alarm level; NaN while a window fills."""


def calibrate_variants(
    models: Mapping[str, Path],
    shape: Shape,
    scaling: Scaling,
    split: Split,
    tuning: Tuning = DEFAULT,
    seconds: Mapping[str, Second] = MappingProxyType({}),
) -> dict[str, tuple[Calibration, ScoredRows]]:
    """A calibration for each variant and the scores it gives.

    `models` maps its name to its file, `seconds` to the second network where there is one.

    Raises:
        FitError: the runs have too few rows.
    """
    prepared = _prepared(shape, scaling, split, tuning, next(iter(seconds.values()), None))
    return {
        name: _calibrated(open_model(file, BATCHES), shape, prepared, tuning, seconds.get(name))
        for name, file in models.items()
    }


def calibrate_network(
    network: Network,
    shape: Shape,
    scaling: Scaling,
    split: Split,
    tuning: Tuning = DEFAULT,
    second: Second | None = None,
) -> tuple[Calibration, ScoredRows]:
    """A calibration for one network on all normal rows, and the scores of those that it was not fitted on.

    Raises:
        FitError: the runs have too few rows.
    """
    return _calibrated(network, shape, _prepared(shape, scaling, split, tuning, second), tuning, second)


def _prepared(shape: Shape, scaling: Scaling, split: Split, tuning: Tuning, second: Second | None) -> Prepared:
    """What all normal rows teach without a network: the same for every variant."""
    streams = in_pieces(split, shape.window, scaling.calendar, None if second is None else second.split)
    drift = scaling.max_drift / scaling.scaler.scale.mean(axis=0)
    rows = NormalRows(streams, scaling.scaler, drift, fitted_range=scaling.fitted_range, remembers=True)
    (prepared,) = finished(prepared_together(shape, [rows], tuning))
    if isinstance(prepared, CalibrationError):
        raise FitError(f"too few rows to calibrate on: {prepared}") from prepared
    return prepared


def _calibrated(
    network: Network, shape: Shape, prepared: Prepared, tuning: Tuning, second: Second | None
) -> tuple[Calibration, ScoredRows]:
    other = None if second is None else second.network
    (learned,) = finished(learned_together(network, shape, [prepared], tuning, other))
    if not learned.calibration.judges:
        wanted = min(wanted_rows(name, shape.window, tuning) for name in NAMES) + FILLING * shape.window
        raise TooFewRowsError(
            f"{learned.calibration.rows} rows are too few for any statistic to take part",
            f"give {wanted} and more without a gap, or a smaller --window than {shape.window}",
        )
    unseen = [
        (run, scores[run.lead :])
        for run, scores in zip(prepared.rows.runs, learned.scores, strict=True)
        if run.unseen and not run.by_second
    ]
    times = np.concatenate([run.learned.times for run, _ in unseen])
    return learned.calibration, ScoredRows(times, np.concatenate([scores for _, scores in unseen]))


def agreement(one: ScoredRows, other: ScoredRows) -> float:
    """Part of the scored rows on which both are above the alarm level, or neither is, 0 to 1."""
    scored = np.isfinite(one.scores) & np.isfinite(other.scores)
    same = (one.scores[scored] > 1) == (other.scores[scored] > 1)
    return float(same.mean()) if len(same) else 1.0


def correlation(one: ScoredRows, other: ScoredRows) -> float:
    """Correlation of the scores; 1.0 where one of them never changes."""
    scored = np.isfinite(one.scores) & np.isfinite(other.scores)
    a, b = one.scores[scored], other.scores[scored]
    return float(np.corrcoef(a, b)[0, 1]) if len(a) > 1 and a.std() > 0 and b.std() > 0 else 1.0
