"""LSTM networks written out by hand from their weights, so that they are stateless and cheap on the device.

Keras' own LSTM converts to a loop that int8 cannot take, or to a fused node that keeps state between calls. Here one
product projects all rows of a window, the decoder's constant input is projected once, and a step is `lstm_nodes.py`'s.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from train.export import looped, nodes, unrolled
from train.export.flat_file import Graph, ModelFile, Tensor
from train.export.lstm_nodes import EightBitLstm, FloatLstm, LstmNodes, product_weights, trace
from train.export.weights import LstmWeights, NetworkWeights

LOOP = "-loop"
"""End of a variant's name that is a loop where the other is unrolled."""
_UNROLLED_UP_TO = 128
"""Rows; beyond, every variant is a loop: the weights are packed once for each step of an unrolled file."""
_LOOP_FROM = 48
"""Rows from which both are worth having: below, all of the unrolled one fits the cache and it wins everywhere."""

Export = Callable[[str, np.ndarray], bytes]
"""A variant and the windows (n, window, channels), scaled, that give int8 its ranges -> a .tflite file."""


@dataclass(frozen=True)
class Form:
    """How the layers of one variant are written."""

    run: ModuleType
    """`unrolled` or `looped`."""
    precision: str
    """float32, dynamic or int8."""

    def layer(self, weights: LstmWeights, factor: float, rows: np.ndarray) -> tuple[LstmNodes, np.ndarray]:
        """A layer whose inputs times `factor` are the true ones, and its states on `rows` (n, steps, inputs)."""
        if self.precision == "int8":
            states, ranges = trace(weights, rows)
            return EightBitLstm(weights, ranges), states
        return FloatLstm(weights, factor, self.precision == "dynamic"), rows

    def dense(self, graph: Graph, states: Tensor, kernel: np.ndarray, bias: np.ndarray, factor: float) -> Tensor:
        """The rows (batch, steps, channels) that states tell."""
        weights = product_weights(graph, kernel * np.float32(factor), self.precision == "dynamic")
        return nodes.fully_connected(graph, nodes.dequantize(graph, states), weights, graph.constant(bias))


def form(variant: str, window: int) -> Form:
    """How a variant of a network with that window is written."""
    loop = variant.endswith(LOOP) or window > _UNROLLED_UP_TO
    return Form(looped if loop else unrolled, variant.removesuffix(LOOP))


def lstm_variants(window: int) -> tuple[str, ...]:
    """The variants worth having, float32 first."""
    both = _LOOP_FROM <= window <= _UNROLLED_UP_TO
    return ("float32", "dynamic", "int8") + (("float32-loop", "int8-loop") if both else ())


def lstm_autoencoder_export(weights: NetworkWeights, window: int) -> Export:
    """The network (batch, window, channels) -> the same shape, in scaled units."""

    def export(variant: str, windows: np.ndarray) -> bytes:
        how = form(variant, window)
        graph, rows = started(window, weights.dense_bias.shape[0])
        values, factor = _encode(how, graph, weights.encoder, rows, windows)
        for number, part in enumerate(weights.decoder):
            newest_first = number == len(weights.decoder) - 1
            layer, values.met = how.layer(part, factor, values.met)
            if number == 0:
                values.tensor = how.run.repeated(graph, layer, values.tensor, window, newest_first)
            else:
                values.tensor = how.run.all_states(graph, layer, values.tensor, newest_first)
            factor = layer.state_factor
        graph.returns([how.dense(graph, values.tensor, weights.dense_kernel, weights.dense_bias, factor)])
        return graph.file.to_bytes()

    return export


def started(window: int, channels: int) -> tuple[Graph, Tensor]:
    """The graph of a new file, and its input (batch, window, channels)."""
    graph = ModelFile().graph()
    return graph, graph.given(Tensor(0, (1, window, channels), np.dtype(np.float32)))


@dataclass
class _Values:
    tensor: Tensor
    met: np.ndarray
    """What it is on the representative windows, where ranges are wanted."""


def _encode(
    how: Form, graph: Graph, encoder: Sequence[LstmWeights], rows: Tensor, windows: np.ndarray
) -> tuple[_Values, float]:
    """The code (batch, hidden), and by what its numbers are too large."""
    values, factor = _Values(rows, windows), 1.0
    for number, part in enumerate(encoder):
        layer, states = how.layer(part, factor, values.met)
        factor = layer.state_factor
        if number < len(encoder) - 1:
            values = _Values(how.run.all_states(graph, layer, values.tensor), states)
        else:
            values.tensor = how.run.last_state(graph, layer, values.tensor)
            values.met = np.repeat(states[:, -1:], windows.shape[1], axis=1)
    return values, factor
