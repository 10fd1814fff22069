"""The network: an LSTM encoder-decoder that learns to reproduce windows of normal rows."""

from train.export.lstm import Export, lstm_autoencoder_export, lstm_variants
from train.export.weights import LstmWeights, NetworkWeights
from train.network.architecture import NetworkSettings
from train.network.backend import keras, ops


def build(settings: NetworkSettings) -> keras.Model:
    """An untrained LSTM autoencoder, (batch, window, channels) -> the same shape, in scaled units.

    The encoder's last state, repeated, is all that the decoder sees: never the true values. The decoder
    tells the window backwards, newest row first, because the encoder remembers that one best.
    Source: Malhotra et al., LSTM-based Encoder-Decoder for Multi-sensor Anomaly Detection, 2016.
    """
    inputs = keras.Input((settings.window, settings.channels), name="window")
    rows = inputs
    for layer in range(settings.layers):
        last = layer == settings.layers - 1
        rows = keras.layers.LSTM(settings.hidden, return_sequences=not last, name=f"encoder_{layer}")(rows)
        rows = _dropout(settings, rows)
    rows = keras.layers.RepeatVector(settings.window, name="code")(rows)
    for layer in range(settings.layers):
        rows = keras.layers.LSTM(settings.hidden, return_sequences=True, name=f"decoder_{layer}")(rows)
        if layer < settings.layers - 1:
            rows = _dropout(settings, rows)
    # The same layer at every step; TimeDistributed would take them one by one, and costs a seventh of the time.
    backwards = keras.layers.Dense(settings.channels, name="rows")(rows)
    return keras.Model(inputs, OldestFirst(name="oldest_first")(backwards), name="lstm_autoencoder")


def export(model: keras.Model, settings: NetworkSettings) -> Export:
    """The trained autoencoder, written out by hand."""
    return lstm_autoencoder_export(network_weights(model, settings.layers), settings.window)


variants = lstm_variants


def _dropout(settings: NetworkSettings, rows: keras.KerasTensor) -> keras.KerasTensor:
    return keras.layers.Dropout(settings.dropout)(rows) if settings.dropout else rows


class OldestFirst(keras.layers.Layer):
    """Turns the decoder's newest-first rows round: (batch, window, channels) -> the same shape."""

    def call(self, rows: keras.KerasTensor) -> keras.KerasTensor:
        return ops.flip(rows, axis=1)


def masked_squared_error(wanted: keras.KerasTensor, found: keras.KerasTensor) -> keras.KerasTensor:
    """Mean squared error over the cells of `wanted` that are not NaN; a missing cell carries no loss."""
    missing = ops.isnan(wanted)
    # Filled in before subtracting: the gradient of where() through a NaN is NaN even on the branch not taken.
    errors = ops.where(missing, ops.zeros_like(found), ops.where(missing, ops.zeros_like(wanted), wanted) - found)
    present = ops.sum(ops.cast(ops.logical_not(missing), "float32"))
    return ops.sum(ops.square(errors)) / ops.maximum(present, 1.0)


def network_weights(model: keras.Model, layers: int) -> NetworkWeights:
    """The trained weights of a model that `build` made."""
    kernel, bias = model.get_layer("rows").get_weights()
    return NetworkWeights(
        encoder=tuple(LstmWeights(*model.get_layer(f"encoder_{layer}").get_weights()) for layer in range(layers)),
        decoder=tuple(LstmWeights(*model.get_layer(f"decoder_{layer}").get_weights()) for layer in range(layers)),
        dense_kernel=kernel,
        dense_bias=bias,
    )
