"""LSTM layers written out step by step, for graphs that keep nothing between calls.

One matrix product projects all rows of a window at once, and only the recurrent products are unrolled. Nothing
depends on the batch size, so that a file (batch 1) can be resized to any.
"""

from train.backend import tf
from train.network import LstmWeights


def run_rows(layer: LstmWeights, rows: tf.Tensor) -> list[tf.Tensor]:
    """The layer's state after each of the rows (batch, steps, inputs): one (batch, hidden) a step."""
    return unroll(layer, tf.unstack(project(rows, layer), axis=1))


def project(rows: tf.Tensor, layer: LstmWeights) -> tf.Tensor:
    return product(rows, layer.kernel) + layer.bias


def product(rows: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """(..., inputs) x (inputs, outputs) as one two-dimensional product, the only kind every runtime runs fast."""
    flat = tf.reshape(rows, (-1, kernel.shape[0]))
    return tf.reshape(flat @ kernel, (-1, *rows.shape[1:-1], kernel.shape[1]))


def unroll(layer: LstmWeights, projected: list[tf.Tensor]) -> list[tf.Tensor]:
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
