"""The 1-D convolutional autoencoder: halves the rows a few times, and doubles them again."""

from collections.abc import Callable

import numpy as np

from train.export.lstm import Export
from train.network.architecture import NetworkSettings
from train.network.backend import keras, tf
from train.network.variants import VARIANTS, convert

_KERNEL = 7
"""Rows that a filter sees, as in the published detector for SKAB."""
_NARROWER = 4
"""The code holds a window's numbers this many times over; without that, one channel would be copied."""


def build(settings: NetworkSettings) -> keras.Model:
    """An untrained convolutional autoencoder, (batch, window, channels) -> the same shape, in scaled units.

    `layers` + 1 times the rows are halved by strided filters, and doubled again by repeating them: a transposed
    convolution would have the batch size written into the exported graph.
    """
    inputs = keras.Input((settings.window, settings.channels), name="window")
    rows = inputs
    halvings = settings.layers + 1
    for level in range(halvings - 1):
        rows = _conv(settings.hidden, f"down_{level}", strides=2, activation="relu")(rows)
    rows = _conv(_code_filters(settings), "code", strides=2)(rows)
    rows = keras.layers.Dropout(settings.dropout)(rows) if settings.dropout else rows
    for level in range(halvings):
        rows = keras.layers.UpSampling1D(2, name=f"twice_{level}")(rows)
        rows = _conv(settings.hidden, f"up_{level}", activation="relu")(rows)
    rows = _conv(settings.channels, "rows", kernel=1)(rows)
    return keras.Model(inputs, FirstRows(settings.window, name="first_rows")(rows), name="conv_autoencoder")


class FirstRows(keras.layers.Layer):
    """Cuts off the rows that halving an odd number rounded up to."""

    def __init__(self, rows: int, **more: str) -> None:
        super().__init__(**more)
        self.rows = rows

    def call(self, rows: keras.KerasTensor) -> keras.KerasTensor:
        return rows[:, : self.rows]


def export(model: keras.Model, settings: NetworkSettings) -> Export:
    """The trained autoencoder through TensorFlow's converter, whose convolutions leave nothing to be gained."""
    signature = tf.TensorSpec((None, settings.window, settings.channels), tf.float32, name="window")
    reconstruct = tf.function(_graph(model, settings), input_signature=[signature]).get_concrete_function()

    def write(variant: str, windows: np.ndarray) -> bytes:
        return convert(reconstruct, variant, windows)

    return write


def variants(window: int) -> tuple[str, ...]:  # noqa: ARG001
    """All, whatever the window."""
    return VARIANTS


def _graph(model: keras.Model, settings: NetworkSettings) -> Callable[[tf.Tensor], tf.Tensor]:
    """The trained autoencoder, written out by hand."""
    halvings = settings.layers + 1
    weights = {layer.name: layer.get_weights() for layer in model.layers if isinstance(layer, keras.layers.Conv1D)}

    def convolve(rows: tf.Tensor, name: str, stride: int = 1) -> tf.Tensor:
        kernel, bias = weights[name]
        return tf.nn.conv1d(rows, kernel, stride, "SAME") + bias

    def reconstruct(window: tf.Tensor) -> tf.Tensor:
        rows = window
        for level in range(halvings - 1):
            rows = tf.nn.relu(convolve(rows, f"down_{level}", 2))
        rows = convolve(rows, "code", 2)
        for level in range(halvings):
            rows = tf.nn.relu(convolve(_twice(rows), f"up_{level}"))
        return convolve(rows, "rows")[:, : settings.window]

    return reconstruct


def _twice(rows: tf.Tensor) -> tf.Tensor:
    """Every row of (batch, rows, filters) repeated, without the batch size in the graph."""
    count, filters = rows.shape[1:]
    return tf.reshape(tf.concat([rows, rows], axis=2), (-1, 2 * count, filters))


def _conv(
    filters: int, name: str, strides: int = 1, activation: str | None = None, kernel: int = _KERNEL
) -> keras.layers.Layer:
    return keras.layers.Conv1D(filters, kernel, strides, padding="same", activation=activation, name=name)


def _code_filters(settings: NetworkSettings) -> int:
    steps = -(-settings.window // 2 ** (settings.layers + 1))
    return max(1, round(settings.window * settings.channels / (_NARROWER * steps)))
