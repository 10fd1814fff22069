"""Calibrates each variant on rows the network was not fitted on, and compares what their alarms say."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.detector.bundle import Bundle
from edge.detector.calibrate import CalibrationError, calibrate
from edge.detector.calibration import Calibration
from edge.detector.engine import Shape
from edge.detector.group import StreamGroup, StreamSettings
from edge.detector.runtime import Network, load_model, open_model
from edge.detector.scaler import Scaler
from edge.detector.season import Calendar
from edge.detector.tuning import DEFAULT, Tuning
from train.dataset import Run
from train.errors import FitError
from train.probe import BATCHES
from train.streams import as_stream, in_pieces, rows_of


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
    scaler: Scaler,
    runs: Sequence[Run],
    calendar: Calendar,
    allowance: np.ndarray,
) -> dict[str, Calibration]:
    """A calibration for each variant; `models` maps its name to its file, `allowance` is in the channels' units.

    Raises:
        FitError: the runs have too few rows.
    """
    return {
        name: calibrate_network(open_model(file, BATCHES), shape, scaler, runs, calendar, allowance)
        for name, file in models.items()
    }


def calibrate_network(
    network: Network,
    shape: Shape,
    scaler: Scaler,
    runs: Sequence[Run],
    calendar: Calendar,
    allowance: np.ndarray,
    tuning: Tuning = DEFAULT,
) -> Calibration:
    """A calibration for one network; `allowance` is in the channels' units.

    Raises:
        FitError: the runs have too few rows.
    """
    streams = [as_stream(run, calendar) for run in in_pieces(runs, shape.window)]
    try:
        return calibrate(network, shape, scaler, streams, allowance / scaler.scale.mean(axis=0), tuning)
    except CalibrationError as error:
        raise FitError(f"too few rows to calibrate on: {error}") from error


def score_runs(bundle: Bundle, variant: str, runs: Sequence[Run]) -> ScoredRows:
    """Scores of every row of the runs, through the code that runs on the device."""
    pieces = in_pieces(runs, bundle.window)
    found, model = load_model(bundle, variant)
    group = StreamGroup(bundle, found, model, [StreamSettings(f"piece{number}") for number in range(len(pieces))])
    scores: list[list[float]] = [[] for _ in pieces]
    for step in itertools.zip_longest(*(rows_of(piece) for piece in pieces)):
        for outcome in group.process([(number, row) for number, row in enumerate(step) if row is not None]):
            scores[outcome.stream].append(outcome.score)
    times = np.concatenate([segment.times for piece in pieces for segment in piece.segments])
    return ScoredRows(times, np.concatenate([np.array(one) for one in scores]))


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
