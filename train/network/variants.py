"""Model files that TensorFlow's converter writes: float32, dynamic range and full int8."""

import warnings
from collections.abc import Callable, Iterator

import numpy as np

from train.console.quiet import quiet_native_output
from train.export.lstm import LOOP
from train.network.backend import tf

VARIANTS = ("float32", "dynamic", "int8")
_REPRESENTATIVE_WINDOWS = 256
"""Windows that the int8 ranges are taken from; more of them change the ranges by less than a step."""


def precision(variant: str) -> str:
    """float32, dynamic or int8, however it is written."""
    return variant.removesuffix(LOOP)


def convert(graph: tf.types.experimental.ConcreteFunction, variant: str, windows: np.ndarray) -> bytes:
    """The .tflite file of one variant; `windows` (n, window, channels), scaled, give int8 its ranges.

    float32: as trained. dynamic: weights in 8 bits per output channel, activations quantized on the fly.
    int8: everything in 8 bits, input and output too.
    """
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph], graph)
    if variant != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "int8":
        converter.representative_dataset = _representative(windows)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    with quiet_native_output(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of statistics that int8 input does not need
        return converter.convert()


def representative(windows: np.ndarray) -> np.ndarray:
    """Some of the windows (n, window, channels), spread evenly over them."""
    chosen = np.linspace(0, len(windows) - 1, min(len(windows), _REPRESENTATIVE_WINDOWS)).astype(int)
    return windows[chosen].astype(np.float32)


def _representative(windows: np.ndarray) -> Callable[[], Iterator[list[np.ndarray]]]:
    return lambda: ([window[None]] for window in representative(windows))
