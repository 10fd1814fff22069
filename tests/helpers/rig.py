"""A small machine for the detector's tests: three channels that move together, a linear network, a real bundle."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from edge.detector.bundle.calibration import Calibration
from edge.detector.bundle.files import Bundle, write_bundle
from edge.detector.bundle.scaler import fit_scaler
from edge.detector.group import Outcome, StreamGroup, StreamSettings
from edge.detector.learn.calibrate import calibrate
from edge.detector.learn.prepare import NormalRows
from edge.detector.learn.runs import Run
from edge.detector.rows.row import Row
from edge.detector.score.calibrations import Shape

CHANNELS = ("flow", "pressure", "current")
WINDOW = 8
START = 1_763_772_000.0
FAULT = [6.0, 0.0, 0.0]
"""Added to a flow of 9 to 11."""


class Projection:
    """A network without a runtime: windows onto their first principal components."""

    def __init__(self, windows: np.ndarray, components: int = 4) -> None:
        axes = np.linalg.svd(windows.reshape(len(windows), -1), full_matrices=False)[2][:components]
        self.matrix = (axes.T @ axes).astype(np.float32)
        self.batches: list[int] = []

    def run(self, windows: np.ndarray) -> np.ndarray:
        self.batches.append(len(windows))
        # Row by row, so that a window's result does not depend on what else is in the batch.
        return np.stack([window.reshape(-1) @ self.matrix for window in windows]).reshape(windows.shape)


def normal(count: int, seed: int = 0, start: int = 0) -> np.ndarray:
    """(count, 3) readings, one a second."""
    chance = np.random.default_rng(seed)
    common = np.sin((start + np.arange(count)) / 7.0)[:, None]
    return [10.0, 5.0, 2.0] + common * [1.0, 0.5, -0.2] + chance.normal(0, 0.05, (count, 3))


def rows_of(values: np.ndarray, start: float = START, period_s: float = 1.0) -> list[Row]:
    """Rows without a gap; the first one begins."""
    return [Row(start + number * period_s, one, restart=number == 0) for number, one in enumerate(values)]


def with_fault(values: np.ndarray, first: int, count: int, fault: Sequence[float] = FAULT) -> np.ndarray:
    """The same with something added to rows `first` to `first + count - 1`."""
    broken = values.copy()
    broken[first : first + count] += fault
    return broken


class Batched(Projection):
    """The same, all windows at once: quicker, and rounded otherwise."""

    def run(self, windows: np.ndarray) -> np.ndarray:
        return (windows.reshape(len(windows), -1) @ self.matrix).reshape(windows.shape)


def network(kind: type[Projection] = Projection, window: int = WINDOW) -> Projection:
    """Fitted on normal rows."""
    scaler = fit_scaler(normal(400), "robust", CHANNELS)
    windows = np.lib.stride_tricks.sliding_window_view(scaler.transform(normal(400)), window, axis=0)
    return kind(windows.transpose(0, 2, 1))


def normal_rows(*runs: Run) -> NormalRows:
    """To calibrate that network on."""
    scaler = fit_scaler(normal(400), "robust", CHANNELS)
    fitted = scaler.transform(normal(400))
    both = np.stack([fitted.min(axis=0), fitted.max(axis=0)])
    return NormalRows(runs, scaler, np.full(len(CHANNELS), 3.0), fitted_range=both)


@cache
def calibrated(stride: int = 1, remembers: bool = False, window: int = WINDOW) -> Calibration:
    """On thirty normal runs that the network was not fitted on: so many that each member has seen what it will see."""
    rows = replace(normal_rows(*(run_of(normal(400, seed)) for seed in range(101, 131))), remembers=remembers)
    return calibrate(network(Batched, window), Shape(window, len(CHANNELS), stride=stride), rows)


def write_rig_bundle(
    folder: Path, stride: int = 1, model: bytes = b"model", remembers: bool = False, **changes: Any
) -> Bundle:
    """With its calibration and, where asked for, its remembered windows."""
    calibration = calibrated(stride, remembers)
    scaler = calibration.scaler
    manifest = {
        "name": "rig",
        "created": "2026-01-01T00:00:00Z",
        "channels": [{"name": name, "unit": "V"} for name in CHANNELS],
        "period_s": 1.0,
        "timezone": "UTC",
        "season": None,
        "window": WINDOW,
        "stride": stride,
        "scaler": scaler.to_dict(),
        "variants": [variant(calibration=calibration.to_dict())],
        "alarm": {"max_drift": (3.0 * scaler.scale[0]).tolist(), "fitted_range": calibration.fitted_range.tolist()},
        "training": {"rows": 400, "seed": 0},
        "memory": None if calibration.memory is None else calibration.memory.to_dict(),
    }
    return write_bundle(folder, {**manifest, **changes}, {"float32.tflite": model})


def variant(**changes: Any) -> dict[str, Any]:
    """One variant as the manifest has it."""
    body = {"name": "float32", "file": "float32.tflite", "batch": [1, 8], "runtimes": ["ai-edge-litert"]}
    return {**body, "rmse_to_float32": 0.0, "score_agreement": 1.0, "calibration": None, **changes}


def run_of(values: np.ndarray, start: float = START) -> Run:
    """One run without a gap and without a season."""
    count = len(values)
    return Run(start + np.arange(count), values, np.zeros(count, np.intp), np.arange(count) == 0)


def group_of(bundle: Bundle, *streams: StreamSettings, **more: Any) -> StreamGroup:
    """A group of these streams, one by default; its ids count from 1."""
    numbers = iter(range(1, 10_000))
    settings = streams or (StreamSettings("pump1"),)
    net = more.pop("network", None) or network()
    return StreamGroup(bundle, bundle.variants[0], net, settings, lambda _: f"id-{next(numbers)}", **more)


def play(group: StreamGroup, rows: Sequence[Row], stream: int = 0) -> list[Outcome]:
    """Rows of one stream, one after another."""
    return [outcome for row in rows for outcome in group.process([(stream, row)])]


def events_of(outcomes: Sequence[Outcome]) -> list[Any]:
    """All events in their order."""
    return [event for outcome in outcomes for event in outcome.events]
