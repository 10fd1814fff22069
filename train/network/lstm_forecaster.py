"""The LSTM forecaster: every row of a window told from the rows before it.

Source: Malhotra et al., Long Short Term Memory Networks for Anomaly Detection in Time Series, 2015.
"""

import numpy as np

from train.export import nodes
from train.export.lstm import Export, form, lstm_variants, started
from train.export.weights import LstmWeights
from train.network.architecture import NetworkSettings
from train.network.backend import keras, ops


def build(settings: NetworkSettings) -> keras.Model:
    """An untrained forecaster, (batch, window, channels) -> the same shape, in scaled units.

    Row t of the output is told from rows 0 to t - 1, so that window minus output is the prediction error. The
    first row, which has none before it, is copied: its error is 0.
    """
    inputs = keras.Input((settings.window, settings.channels), name="window")
    rows = inputs
    for layer in range(settings.layers):
        rows = keras.layers.LSTM(settings.hidden, return_sequences=True, name=f"forecaster_{layer}")(rows)
        rows = keras.layers.Dropout(settings.dropout)(rows) if settings.dropout else rows
    next_rows = keras.layers.Dense(settings.channels, name="next_row")(rows)
    return keras.Model(inputs, OneLater(name="one_later")([inputs, next_rows]), name="lstm_forecaster")


variants = lstm_variants


class OneLater(keras.layers.Layer):
    """What was told of the next row, put where that row is; the first row as it was."""

    def call(self, parts: list[keras.KerasTensor]) -> keras.KerasTensor:
        rows, next_rows = parts
        return ops.concatenate([rows[:, :1], next_rows[:, :-1]], axis=1)


def export(model: keras.Model, settings: NetworkSettings) -> Export:
    """The trained forecaster, written out by hand."""
    layers = [LstmWeights(*model.get_layer(f"forecaster_{layer}").get_weights()) for layer in range(settings.layers)]
    kernel, bias = model.get_layer("next_row").get_weights()

    def forecast(variant: str, windows: np.ndarray) -> bytes:
        how = form(variant, settings.window)
        graph, window = started(settings.window, settings.channels)
        # What the last row would tell lies outside the window.
        rows, met, factor = nodes.some_rows(graph, window, 0, settings.window - 1), windows[:, :-1], 1.0
        for part in layers:
            layer, met = how.layer(part, factor, met)
            rows, factor = how.run.all_states(graph, layer, rows), layer.state_factor
        told = how.dense(graph, rows, kernel, bias, factor)
        graph.returns([nodes.concatenate(graph, [nodes.some_rows(graph, window, 0, 1), told])])
        return graph.file.to_bytes()

    return forecast
