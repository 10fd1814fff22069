"""A real bundle, small enough to make in a test: the network says that every row is its window's mean.

Its model file lies beside this one, so that the edge is tested where no tensorflow is; running this file
makes it anew.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge.detector.bundle.files import Bundle, write_bundle
from edge.detector.bundle.scaler import Scaler, fit_scaler
from edge.detector.learn.calibrate import calibrate
from edge.detector.learn.prepare import NormalRows
from edge.detector.learn.runs import Run
from edge.detector.score.calibrations import Shape
from edge.detector.score.runtime import available_runtimes, open_model

CHANNELS = ("flow", "pressure")
WINDOW = 8
MODEL = Path(__file__).with_name("tiny.tflite")
_NORMAL_ROWS = 400


def normal(time: float) -> dict[str, float]:
    """What the machine's sensors say at a time while all is well; two waves with a small, repeatable jitter."""
    jitter = math.sin(12.9898 * time) * 0.05
    return {"flow": 2.0 + math.sin(time / 3) + jitter, "pressure": 5.0 + math.cos(time / 3) - jitter}


def write_tiny_bundle(folder: Path) -> Bundle:
    """The bundle, calibrated on `normal` rows at 1 Hz."""
    times = np.arange(_NORMAL_ROWS, dtype=np.float64)
    values = np.array([list(normal(time).values()) for time in times])
    slots, restart = np.zeros(_NORMAL_ROWS, np.intp), np.zeros(_NORMAL_ROWS, bool)
    restart[0] = True
    scaler = fit_scaler(values, "robust", CHANNELS)
    shape = Shape(WINDOW, len(CHANNELS))
    calibration = calibrate(
        open_model(MODEL), shape, NormalRows([Run(times, values, slots, restart)], scaler, np.full(2, 3.0))
    )
    variant = {
        "name": "float32",
        "file": "float32.tflite",
        "batch": [1, 8],
        "runtimes": list(available_runtimes()),
        "calibration": calibration.to_dict(),
    }
    manifest = plain_manifest("tiny", CHANNELS, WINDOW, scaler, variant)
    return write_bundle(folder, manifest, {"float32.tflite": MODEL.read_bytes()})


def plain_manifest(
    name: str, channels: Sequence[str], window: int, scaler: Scaler, variant: Mapping[str, Any]
) -> dict[str, Any]:
    """A bundle at 1 Hz without a season, of one variant."""
    return {
        "name": name,
        "created": "2026-01-01T00:00:00+00:00",
        "channels": [{"name": channel, "unit": "bar"} for channel in channels],
        "period_s": 1.0,
        "timezone": "UTC",
        "season": None,
        "window": window,
        "stride": 1,
        "scaler": scaler.to_dict(),
        "variants": [variant],
        "alarm": {"max_drift": (3.0 * scaler.scale[0]).tolist()},
        "training": {"rows": 1000},
    }


def make_model() -> bytes:
    """(1, WINDOW, 2) float32 in and out. Needs tensorflow."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([1, WINDOW, len(CHANNELS)], tf.float32)])
    def mean_of_window(window):
        return tf.reduce_mean(window, axis=1, keepdims=True) + 0.0 * window

    return tf.lite.TFLiteConverter.from_concrete_functions([mean_of_window.get_concrete_function()]).convert()


if __name__ == "__main__":
    MODEL.write_bytes(make_model())
