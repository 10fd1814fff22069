"""LSTM layers as a loop over blocks of steps: nodes and packed weights for one block only.

XNNPACK packs weights once for each node: of a long window the unrolled file's nodes and weights fill the memory and fit
no processor's cache. The loop runs more instructions, since WHILE copies what goes round and prepares its body again
with every call. What was weighed: docs/decisions/001-lstm-by-hand-in-tflite.md.
"""

from collections.abc import Callable, Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from train.export import nodes
from train.export.flat_file import Graph, Tensor
from train.export.lstm_nodes import LstmNodes

_LONG = 128
"""Steps from which a block has 12 of them: fewer rounds for a longer body."""

Body = Callable[[Graph, Tensor, Sequence[Tensor]], list[Tensor]]
"""A graph, the round's number, what goes round -> the same after the round."""


def last_state(graph: Graph, layer: LstmNodes, rows: Tensor) -> Tensor:
    """(batch, rows, inputs) -> the state (batch, hidden) after the last row."""
    return _Loop(graph, layer, rows.shape[1], layer.project(graph, rows)).state


def all_states(graph: Graph, layer: LstmNodes, rows: Tensor, newest_first: bool = False) -> Tensor:
    """(batch, rows, inputs) -> the states after each row, (batch, rows, hidden)."""
    return _Loop(graph, layer, rows.shape[1], layer.project(graph, rows)).states(newest_first)


def repeated(graph: Graph, layer: LstmNodes, values: Tensor, count: int, newest_first: bool) -> Tensor:
    """The states (batch, count, hidden) that the same (batch, inputs) at every step gives; it is projected once."""
    return _Loop(graph, layer, count, layer.project(graph, values)).states(newest_first)


class _Loop:
    """The steps that fill no block go first, outside of the loop; the first of them has no state yet."""

    def __init__(self, graph: Graph, layer: LstmNodes, steps: int, projected: Tensor) -> None:
        self.graph, self.layer, self.projected = graph, layer, projected
        self.block = 12 if steps >= _LONG else 4
        self.rounds = (steps - 1) // self.block
        self.before = steps - self.rounds * self.block
        self.by_row = len(projected.shape) == 3
        self.first: list[Tensor] = []
        """States before the loop."""
        self.cell: Tensor | None = None
        step, state = layer.step(graph), None
        first = nodes.some_rows(graph, projected, 0, self.before) if self.by_row else projected
        for one in nodes.unpack(graph, first) if self.by_row else [first] * self.before:
            state, self.cell = step(one, state, self.cell)
            self.first.append(state)

    @property
    def state(self) -> Tensor:
        """The state after the last step."""
        if not self.rounds:
            return self.first[-1]

        def body(graph: Graph, number: Tensor, carried: Sequence[Tensor]) -> list[Tensor]:
            states, cell = self._block(graph, number, carried)
            return [states[-1], cell, carried[2]]

        return _while(self.graph, self.rounds, self._carried(), body)[0]

    def states(self, newest_first: bool) -> Tensor:
        """The states after each step, (batch, steps, hidden)."""
        order = -1 if newest_first else 1
        first = nodes.pack(self.graph, self.first[::order])
        if not self.rounds:
            return first

        def body(graph: Graph, number: Tensor, carried: Sequence[Tensor]) -> list[Tensor]:
            states, cell = self._block(graph, number, carried)
            place = _start(graph, number, self.block, self.rounds, newest_first)
            filled = _put(graph, carried[3], nodes.pack(graph, states[::order]), place)
            return [states[-1], cell, carried[2], filled]

        room = _room(self.graph, self.first[-1], self.rounds * self.block)
        rest = _while(self.graph, self.rounds, [*self._carried(), room], body)[3]
        return nodes.concatenate(self.graph, [first, rest][::order])

    def _carried(self) -> list[Tensor]:
        """State, cell and projected inputs, a block of them in a row: (batch, rounds, block * 4 * hidden)."""
        assert self.cell is not None
        inputs = self.projected
        if self.by_row:
            steps, gates = inputs.shape[1:]
            inputs = nodes.some_rows(self.graph, inputs, self.before, steps)
            inputs = nodes.reshape(self.graph, inputs, (self.rounds, self.block * gates))
        return [self.first[-1], self.cell, inputs]

    def _block(self, graph: Graph, number: Tensor, carried: Sequence[Tensor]) -> tuple[list[Tensor], Tensor]:
        state, cell, inputs = carried[:3]
        projected = [inputs] * self.block
        if self.by_row:
            row = _row(graph, inputs, number)
            projected = nodes.unpack(graph, nodes.reshape(graph, row, (self.block, inputs.shape[2] // self.block)))
        step = self.layer.step(graph)
        states = []
        for one in projected:
            state, cell = step(one, state, cell)
            states.append(state)
        return states, cell


def _while(graph: Graph, rounds: int, carried: Sequence[Tensor], body: Body) -> list[Tensor]:
    """What goes round, after so many rounds."""
    options = schema.WhileOptionsT()
    condition, inner = graph.file.graph(), graph.file.graph()
    start = graph.constant([0], np.int32)
    options.condSubgraphIndex, options.bodySubgraphIndex = condition.index, inner.index
    number, *_ = (condition.given(one) for one in (start, *carried))
    more = condition.tensor((1,), dtype=np.bool_)
    condition.node("LESS", [number, condition.constant([rounds], np.int32)], [more], schema.LessOptionsT())
    condition.returns([more])
    number, *inside = (inner.given(one) for one in (start, *carried))
    after = body(inner, number, inside)
    inner.returns([nodes.add(inner, number, inner.constant([1], np.int32)), *after])
    outs = [graph.tensor(one.shape, one.scale, one.dtype.type) for one in (start, *carried)]
    graph.node("WHILE", [start, *carried], outs, options)
    return outs[1:]


def _row(graph: Graph, rows: Tensor, number: Tensor) -> Tensor:
    """(batch, rows, n) -> (batch, 1, n)."""
    options = schema.GatherOptionsT()
    options.axis = nodes.ROWS_AXIS
    out = graph.tensor((rows.shape[0], 1, rows.shape[2]), rows.scale)
    graph.node("GATHER", [rows, number], [out], options, version=2 if rows.scale else 1)
    return out


def _start(graph: Graph, number: Tensor, block: int, rounds: int, newest_first: bool) -> Tensor:
    """Where a round's block begins, (batch, row, column) as (3,)."""
    if newest_first:
        number = nodes.subtract(graph, graph.constant([rounds - 1], np.int32), number)
    zero, row = graph.constant([0], np.int32), nodes.multiply(graph, number, graph.constant([block], np.int32))
    return nodes.concatenate(graph, [zero, row, zero], axis=0)


def _put(graph: Graph, rows: Tensor, block: Tensor, place: Tensor) -> Tensor:
    out = graph.tensor(rows.shape, rows.scale)
    graph.node("DYNAMIC_UPDATE_SLICE", [rows, block, place], [out])
    return out


def _room(graph: Graph, state: Tensor, rows: int) -> Tensor:
    """(batch, rows, hidden) that every round fills a part of; made of a state, which knows the batch size."""
    one = nodes.reshape(graph, nodes.dequantize(graph, state), (1, state.shape[1]))
    many = nodes.multiply(graph, one, graph.constant(np.ones((1, rows, 1))))
    return nodes.quantize(graph, many, state.scale) if state.scale else many
