"""One step of an LSTM layer as the nodes that cost least, in float32 and in 8 bits.

What a step costs on ARM is the recurrent product, the activations, and some 150 instructions for each node whatever
it does (`make bench` counts them).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from train.export import nodes
from train.export.flat_file import Graph, Scale, Tensor
from train.export.weights import LstmWeights

Step = Callable[[Tensor, Tensor | None, Tensor | None], tuple[Tensor, Tensor]]
"""A projected input (batch, 4 * hidden), state and cell (batch, hidden), None at the first step -> state and cell."""


class LstmNodes(Protocol):
    """An LSTM layer that can be written into graphs."""

    state_factor: float
    """States times this are the true ones."""

    def project(self, graph: Graph, values: Tensor) -> Tensor:
        """Inputs (..., inputs) to what the steps take, (..., 4 * hidden)."""

    def step(self, graph: Graph) -> Step:
        """The step, with its constants in this graph."""


class FloatLstm:
    """All four gates through one TANH, since sigmoid(x) is (1 + tanh(x / 2)) / 2: it costs two thirds of LOGISTIC.

    The halves of x lie in the weights, the state stays doubled, and one addition gives 1 + tanh for three gates at
    once, so that a step takes 11 nodes where a node for each gate's activation takes 12, and dearer ones. With
    `eight_bits` the products of `dynamic` are those of 8-bit weights with values quantized on the fly.
    """

    state_factor = 0.5

    def __init__(self, layer: LstmWeights, input_factor: float, eight_bits: bool) -> None:
        hidden = layer.recurrent.shape[0]
        halves = per_gate([0.5, 0.5, 1.0, 0.5], hidden)
        self._ones = per_gate([1.0, 1.0, 0.0, 1.0], hidden)[None]
        self._kernel = layer.kernel * halves * np.float32(input_factor)
        self._bias = layer.bias * halves
        self._recurrent = layer.recurrent * halves * np.float32(self.state_factor)
        self._eight_bits = eight_bits

    def project(self, graph: Graph, values: Tensor) -> Tensor:
        return nodes.fully_connected(
            graph, values, product_weights(graph, self._kernel, self._eight_bits), graph.constant(self._bias)
        )

    def step(self, graph: Graph) -> Step:
        recurrent = product_weights(graph, self._recurrent, self._eight_bits)
        ones, half = graph.constant(self._ones), graph.constant(0.5)

        def step(projected: Tensor, state: Tensor | None, cell: Tensor | None) -> tuple[Tensor, Tensor]:
            gates = projected
            if state is not None:
                gates = nodes.add(graph, nodes.fully_connected(graph, state, recurrent), projected)
            opened = nodes.add(graph, nodes.tanh(graph, gates), ones)
            into, forget, candidate, out = nodes.split(graph, opened, 4)
            cell = _kept(graph, into, candidate, forget, cell)
            cell = nodes.multiply(graph, cell, half)
            return nodes.multiply(graph, out, nodes.tanh(graph, cell)), cell

        return step


@dataclass(frozen=True)
class Ranges:
    """The largest magnitudes that a layer met, its candidate gate doubled."""

    projected: float
    recurrent: float
    """Of the recurrent product."""


class EightBitLstm:
    """Products, sums and gates in 8 bits, the cell in float32.

    A cell adds up over the window and reaches far beyond 1, so that a step of 8 bits would be too coarse; gates and
    states, which lie between -1 and 1, lose nothing that is felt (docs/decisions/002-int8-and-variants.md). One table
    look-up opens all gates, since tanh(x) is 2 sigmoid(2x) - 1; the cell is kept halved for that.
    """

    state_factor = 1.0
    _STATE = Scale(1 / 128)
    _OPEN = 8.0
    """Where a sigmoid of 8 bits has long been 1, or 0."""

    def __init__(self, layer: LstmWeights, ranges: Ranges) -> None:
        doubled = per_gate([1.0, 1.0, 2.0, 1.0], layer.recurrent.shape[0])
        self._kernel, self._bias, self._recurrent = (
            part * doubled for part in (layer.kernel, layer.bias, layer.recurrent)
        )
        self._projected, self._product = (Scale(_up(top) / 127) for top in (ranges.projected, ranges.recurrent))
        self._gates = Scale(min(_up(ranges.projected + ranges.recurrent), self._OPEN) / 127)

    def project(self, graph: Graph, values: Tensor) -> Tensor:
        kernel = graph.weights(self._kernel, eight_bits=False)
        projected = nodes.fully_connected(graph, nodes.dequantize(graph, values), kernel, graph.constant(self._bias))
        return nodes.quantize(graph, projected, self._projected)

    def step(self, graph: Graph) -> Step:
        recurrent = graph.weights(self._recurrent, eight_bits=True)
        half, two = graph.constant(0.5), graph.constant(2.0)

        def step(projected: Tensor, state: Tensor | None, cell: Tensor | None) -> tuple[Tensor, Tensor]:
            gates = projected
            if state is not None:
                product = nodes.fully_connected(graph, state, recurrent, scale=self._product)
                gates = nodes.add(graph, product, projected, self._gates)
            opened = nodes.dequantize(graph, nodes.sigmoid(graph, gates))
            into, forget, candidate, out = nodes.split(graph, opened, 4)
            cell = _kept(graph, into, nodes.subtract(graph, candidate, half), forget, cell)
            state = nodes.multiply(graph, out, nodes.tanh(graph, nodes.multiply(graph, cell, two)))
            return nodes.quantize(graph, state, self._STATE), cell

        return step


def per_gate(factors: Sequence[float], hidden: int) -> np.ndarray:
    """A factor for each gate, in Keras' order, as (4 * hidden,) float32."""
    return np.repeat(np.array(factors, np.float32), hidden)


def product_weights(graph: Graph, kernel: np.ndarray, eight_bits: bool) -> Tensor:
    """A kernel's constant; small ones stay in float32, since quantizing their input costs more than they save."""
    return graph.weights(kernel, eight_bits and kernel.size >= 1024)


def _kept(graph: Graph, into: Tensor, candidate: Tensor, forget: Tensor, cell: Tensor | None) -> Tensor:
    new = nodes.multiply(graph, into, candidate)
    return new if cell is None else nodes.add(graph, nodes.multiply(graph, forget, cell), new)


def _up(largest: float) -> float:
    """A little more than was met, and more than nothing."""
    return max(1.05 * largest, 1e-3)


def trace(layer: LstmWeights, rows: np.ndarray) -> tuple[np.ndarray, Ranges]:
    """(n, steps, inputs) -> the states (n, steps, hidden), and the ranges with the candidate gate doubled."""
    hidden = layer.recurrent.shape[0]
    doubled = np.repeat([1.0, 1.0, 2.0, 1.0], hidden)
    projected = rows @ layer.kernel + layer.bias
    state = cell = np.zeros((len(rows), hidden))
    states, largest = np.empty((*rows.shape[:2], hidden)), 0.0
    for number in range(rows.shape[1]):
        product = state @ layer.recurrent
        largest = max(largest, float(np.abs(product * doubled).max()))
        into, forget, candidate, out = np.split(projected[:, number] + product, 4, axis=-1)
        cell = _sigmoid(forget) * cell + _sigmoid(into) * np.tanh(candidate)
        state = _sigmoid(out) * np.tanh(cell)
        states[:, number] = state
    return states, Ranges(float(np.abs(projected * doubled).max()), largest)


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * values)
