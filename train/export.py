"""The LSTM autoencoder written out by hand from its weights, so that it is stateless and cheap on the device.

Keras' own LSTM converts to a loop that int8 cannot take, or to a fused node that keeps state between calls.
Here the decoder's constant input is projected once, and only the recurrent products are unrolled.
"""

from collections.abc import Callable

from train.backend import tf
from train.network import NetworkWeights
from train.unrolled import product, project, run_rows, unroll


def lstm_autoencoder_graph(weights: NetworkWeights) -> Callable[[tf.Tensor], tf.Tensor]:
    """The network as a function of (batch, window, channels) -> the same shape, in scaled units."""

    def reconstruct(window: tf.Tensor) -> tf.Tensor:
        rows = window
        for layer in weights.encoder[:-1]:
            rows = tf.stack(run_rows(layer, rows), axis=1)
        code = run_rows(weights.encoder[-1], rows)[-1]
        first = weights.decoder[0]
        states = unroll(first, [project(code, first)] * window.shape[1])
        for layer in weights.decoder[1:]:
            states = run_rows(layer, tf.stack(states, axis=1))
        oldest_first = tf.stack(states[::-1], axis=1)
        return product(oldest_first, weights.dense_kernel) + weights.dense_bias

    return reconstruct
