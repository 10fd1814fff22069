"""A bundle with a real model file that takes no training: each channel on its own first principal components."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from edge.detector.bundle.files import Bundle, write_bundle
from edge.detector.bundle.scaler import fit_scaler
from edge.detector.learn.calibrate import calibrate
from edge.detector.learn.prepare import NormalRows
from edge.detector.learn.runs import Run
from edge.detector.learn.wander import drift_allowance
from edge.detector.score.calibrations import Shape
from edge.detector.score.runtime import open_model
from train.console.quiet import quiet_native_output
from train.network.backend import tf
from train.read.normal import mean_and_sd

CHANNELS = ("flow", "pressure", "current")
WINDOW = 10
START = 1_700_000_000


def normal_rows(count: int, seed: int = 0) -> np.ndarray:
    """(count, 3): three channels that move together, each with noise of its own."""
    random = np.random.default_rng(seed)
    common = np.sin(np.arange(count) / 7.0)[:, None]
    return [10.0, 5.0, 2.0] + common * [1.0, 0.5, -0.2] + random.normal(0, 0.05, (count, 3))


def shake(values: np.ndarray, rows: slice) -> np.ndarray:
    """Lets the pressure jump up and down in these rows: loud in every window, and no network learned it."""
    part = values[rows, 1]
    part += 3.0 * (-1.0) ** np.arange(len(part))
    return values


def write_csv(path: Path, values: np.ndarray, labels: np.ndarray | None = None, start: int = START) -> Path:
    """A file with a row a second: `time`, the channels, and `label` where there are labels."""
    header = ["time", *CHANNELS] + ([] if labels is None else ["label"])
    lines = [",".join(header)]
    for number, row in enumerate(values):
        cells = [str(start + number), *("" if np.isnan(value) else f"{value:.4f}" for value in row)]
        lines.append(",".join(cells + ([] if labels is None else [str(int(labels[number]))])))
    path.write_text("\n".join(lines) + "\n")
    return path


def build_bundle(folder: Path, components: int = 2) -> Bundle:
    """Fitted on 400 normal rows, calibrated on 600 others, through the streaming code."""
    fitted = normal_rows(400)
    scaler = fit_scaler(fitted, "robust", CHANNELS)
    windows = np.lib.stride_tricks.sliding_window_view(scaler.transform(fitted), WINDOW, axis=0).transpose(0, 2, 1)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "float32.tflite"
    path.write_bytes(_projection(_channelwise(windows, components)))
    allowance = drift_allowance([_run(fitted)], scaler, 10 * WINDOW)
    calibration = calibrate(
        open_model(path),
        Shape(WINDOW, len(CHANNELS)),
        NormalRows([_run(normal_rows(600, seed=1))], scaler, allowance / scaler.scale.mean(axis=0)),
    )
    # Far above all that is normal: tests of train must not hang on how the detector is tuned.
    calibration = replace(calibration, level=2 * calibration.level)
    return write_bundle(folder, _manifest(scaler.to_dict(), calibration.to_dict(), allowance), {})


def _run(values: np.ndarray) -> Run:
    count = len(values)
    return Run(np.arange(count, dtype=float), values, np.zeros(count, np.intp), np.arange(count) == 0)


def _channelwise(windows: np.ndarray, components: int) -> np.ndarray:
    """The projection of flattened windows (window * channels) in which no channel sees another."""
    matrix = np.zeros((WINDOW, len(CHANNELS), WINDOW, len(CHANNELS)))
    for channel in range(len(CHANNELS)):
        axes = np.linalg.svd(windows[:, :, channel], full_matrices=False)[2][:components]
        matrix[:, channel, :, channel] = axes.T @ axes
    return matrix.reshape(WINDOW * len(CHANNELS), -1)


def _projection(matrix: np.ndarray) -> bytes:
    constant = tf.constant(matrix.astype(np.float32))
    size = len(CHANNELS) * WINDOW

    @tf.function(input_signature=[tf.TensorSpec((1, WINDOW, len(CHANNELS)), tf.float32)])
    def project(window: tf.Tensor) -> tf.Tensor:
        flat = tf.matmul(tf.reshape(window, (-1, size)), constant)
        return tf.reshape(flat, (-1, WINDOW, len(CHANNELS)))

    with quiet_native_output():
        return tf.lite.TFLiteConverter.from_concrete_functions([project.get_concrete_function()]).convert()


def _manifest(scaler: dict, calibration: dict, allowance: np.ndarray) -> dict:
    mean, sd = mean_and_sd([normal_rows(400), normal_rows(600, seed=1)])
    return {
        "name": "small",
        "created": "2026-01-01T00:00:00Z",
        "channels": [{"name": name, "unit": "V"} for name in CHANNELS],
        "period_s": 1.0,
        "timezone": "UTC",
        "season": None,
        "window": WINDOW,
        "stride": 1,
        "scaler": scaler,
        "variants": [
            {
                "name": "float32",
                "file": "float32.tflite",
                "batch": [1, 8],
                "runtimes": ["ai-edge-litert"],
                "rmse_to_float32": 0.0,
                "score_agreement": 1.0,
                "calibration": calibration,
            }
        ],
        "alarm": {"max_drift": allowance.tolist()},
        "training": {"rows": 400, "seed": 0, "normal": {"mean": mean.tolist(), "sd": sd.tolist()}},
    }
