"""TFLite files for the tests of the runtime adapter, written with tensorflow."""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

WINDOW, CHANNELS = 12, 3  # 36 x 36 weights: below 1,024 the converter leaves them in float32
INT8_RANGE = 4.0
"""Z-units that the int8 files were calibrated for."""


@dataclass(frozen=True)
class Models:
    """(1, WINDOW, CHANNELS) files unless said otherwise."""

    mixed: Path
    """float32: `mix` of each window."""
    dynamic: Path
    """The same with dynamic-range weights."""
    int8: Path
    """The same, quantized, int8 in and out."""
    echo_int8: Path
    """Gives its int8 input back."""
    flat: Path
    """Takes (1, WINDOW * CHANNELS)."""
    summed: Path
    """Takes windows and gives (1, CHANNELS)."""
    two_inputs: Path
    integers: Path
    """Takes and gives int32, which says nothing of z-units."""


def weights() -> np.ndarray:
    """(WINDOW * CHANNELS, WINDOW * CHANNELS)."""
    size = WINDOW * CHANNELS
    return (np.eye(size) * 0.5 + np.random.default_rng(0).normal(0, 0.05, (size, size))).astype(np.float32)


def mix(windows: np.ndarray) -> np.ndarray:
    """What the `mixed` file computes, in NumPy."""
    return (windows.reshape(len(windows), -1) @ weights()).reshape(windows.shape)


def make_models(folder: Path) -> Models:
    """All files, in `folder`; or, where there is no tensorflow, those in the folder that OFFBEAT_TEST_MODELS names."""
    if made := os.environ.get("OFFBEAT_TEST_MODELS"):
        return Models(**{field.name: Path(made) / f"{field.name}.tflite" for field in fields(Models)})
    import tensorflow as tf

    shape = (1, WINDOW, CHANNELS)

    def times(matrix: np.ndarray) -> Callable[[Any], Any]:
        constant = tf.constant(matrix)
        return lambda window: tf.reshape(
            tf.matmul(tf.reshape(window, (-1, WINDOW * CHANNELS)), constant), (-1, WINDOW, CHANNELS)
        )

    mixed, echo = times(weights()), times(np.eye(WINDOW * CHANNELS, dtype=np.float32))
    graphs: dict[str, tuple[Callable[..., Any], list[Any], str]] = {
        "mixed": (mixed, [tf.TensorSpec(shape)], "float32"),
        "dynamic": (mixed, [tf.TensorSpec(shape)], "dynamic"),
        "int8": (mixed, [tf.TensorSpec(shape)], "int8"),
        "echo_int8": (echo, [tf.TensorSpec(shape)], "int8"),
        "flat": (lambda window: window * 2.0, [tf.TensorSpec((1, WINDOW * CHANNELS))], "float32"),
        "summed": (lambda window: tf.reduce_sum(window, axis=1), [tf.TensorSpec(shape)], "float32"),
        "two_inputs": (lambda one, other: one + other, [tf.TensorSpec(shape), tf.TensorSpec(shape)], "float32"),
        "integers": (lambda window: window + 1, [tf.TensorSpec(shape, tf.int32)], "float32"),
    }
    for name, (graph, signature, kind) in graphs.items():
        (folder / f"{name}.tflite").write_bytes(_converted(tf, graph, signature, kind))
    return Models(**{name: folder / f"{name}.tflite" for name in graphs})


def _converted(tf: Any, graph: Callable[..., Any], signature: list[Any], kind: str) -> bytes:
    function = tf.function(graph, input_signature=signature).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
    if kind != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "int8":
        chance = np.random.default_rng(1)
        converter.representative_dataset = lambda: (
            [np.clip(chance.normal(0, 2, (1, WINDOW, CHANNELS)), -INT8_RANGE, INT8_RANGE).astype(np.float32)]
            for _ in range(100)
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has no statistics beside the samples
        return converter.convert()
