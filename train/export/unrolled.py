"""LSTM layers written out step by step: the fewest instructions, but nodes and packed weights for every step.

Nothing depends on the batch size, so that a file (batch 1) can be resized to any.
"""

from collections.abc import Sequence

from train.export import nodes
from train.export.flat_file import Graph, Tensor
from train.export.lstm_nodes import LstmNodes


def last_state(graph: Graph, layer: LstmNodes, rows: Tensor) -> Tensor:
    """(batch, rows, inputs) -> the state (batch, hidden) after the last row."""
    return _states(graph, layer, nodes.unpack(graph, layer.project(graph, rows)))[-1]


def all_states(graph: Graph, layer: LstmNodes, rows: Tensor, newest_first: bool = False) -> Tensor:
    """(batch, rows, inputs) -> the states after each row, (batch, rows, hidden)."""
    return _packed(graph, _states(graph, layer, nodes.unpack(graph, layer.project(graph, rows))), newest_first)


def repeated(graph: Graph, layer: LstmNodes, values: Tensor, count: int, newest_first: bool) -> Tensor:
    """The states (batch, count, hidden) that the same (batch, inputs) at every step gives; it is projected once."""
    return _packed(graph, _states(graph, layer, [layer.project(graph, values)] * count), newest_first)


def _states(graph: Graph, layer: LstmNodes, projected: Sequence[Tensor]) -> list[Tensor]:
    step = layer.step(graph)
    states: list[Tensor] = []
    state = cell = None
    for one in projected:
        # The first state is zero: leaving its product out keeps the batch size out of the graph.
        state, cell = step(one, state, cell)
        states.append(state)
    return states


def _packed(graph: Graph, states: Sequence[Tensor], newest_first: bool) -> Tensor:
    return nodes.pack(graph, states[::-1] if newest_first else states)
