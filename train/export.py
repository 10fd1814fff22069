"""The export graph: the trained network written out by hand, so that it is stateless and cheap on the device.

Keras' own LSTM converts to a loop that int8 cannot take, or to a fused node that keeps state between calls.
Here one matrix product projects all rows of a window at once, the decoder's constant input is projected
once, and only the recurrent products are unrolled. Nothing depends on the batch size, so that the file
(batch 1) can be resized to any.
"""

from train.backend import tf
from train.network import LstmWeights, NetworkSettings, NetworkWeights


def export_graph(weights: NetworkWeights, settings: NetworkSettings) -> tf.types.experimental.ConcreteFunction:
    """The network as a function of (batch, window, channels) float32 -> the same shape, in scaled units."""
    signature = tf.TensorSpec((None, settings.window, settings.channels), tf.float32, name="window")

    @tf.function(input_signature=[signature])
    def reconstruct(window: tf.Tensor) -> tf.Tensor:
        return _reconstruct(window, weights)

    return reconstruct.get_concrete_function()


def _reconstruct(window: tf.Tensor, weights: NetworkWeights) -> tf.Tensor:
    steps = window.shape[1]
    rows = window
    for layer in weights.encoder[:-1]:
        rows = tf.stack(_run_rows(layer, rows), axis=1)
    code = _run_rows(weights.encoder[-1], rows)[-1]
    first = weights.decoder[0]
    states = _unroll(first, [_project(code, first)] * steps)
    for layer in weights.decoder[1:]:
        states = _run_rows(layer, tf.stack(states, axis=1))
    oldest_first = tf.stack(states[::-1], axis=1)
    return _product(oldest_first, weights.dense_kernel) + weights.dense_bias


def _run_rows(layer: LstmWeights, rows: tf.Tensor) -> list[tf.Tensor]:
    """The layer's state after each of the rows (batch, steps, inputs): one (batch, hidden) a step."""
    return _unroll(layer, tf.unstack(_project(rows, layer), axis=1))


def _project(rows: tf.Tensor, layer: LstmWeights) -> tf.Tensor:
    return _product(rows, layer.kernel) + layer.bias


def _product(rows: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """(..., inputs) x (inputs, outputs) as one two-dimensional product, the only kind every runtime runs fast."""
    flat = tf.reshape(rows, (-1, kernel.shape[0]))
    return tf.reshape(flat @ kernel, (-1, *rows.shape[1:-1], kernel.shape[1]))


def _unroll(layer: LstmWeights, projected: list[tf.Tensor]) -> list[tf.Tensor]:
    """The states (batch, hidden) after each step, given each step's projected input (batch, 4 * hidden)."""
    states: list[tf.Tensor] = []
    cell = None
    for step in projected:
        # The first state is zero: leaving its product out keeps the batch size out of the graph.
        gates = step + states[-1] @ layer.recurrent if states else step
        into, forget, candidate, out = tf.split(gates, 4, axis=-1)
        kept = tf.sigmoid(into) * tf.tanh(candidate)
        cell = kept if cell is None else tf.sigmoid(forget) * cell + kept
        states.append(tf.sigmoid(out) * tf.tanh(cell))
    return states
