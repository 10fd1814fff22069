"""A model file of any kind as a function of windows, one thread: what is timed and counted."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

Call = Callable[[], np.ndarray]
"""Takes the windows it was made for, gives (batch, window, channels)."""


def open_file(path: Path, windows: np.ndarray) -> Call:
    """Set, run and get, as a program would."""
    return (_onnx if path.suffix == ".onnx" else _tflite)(path, windows)


def _tflite(path: Path, windows: np.ndarray) -> Call:
    from edge.detector.score.runtime import open_model

    model = open_model(path, (len(windows),))
    return lambda: model.run(windows)


def _onnx(path: Path, windows: np.ndarray) -> Call:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"window": windows})[0]
