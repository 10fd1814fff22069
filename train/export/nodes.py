"""The nodes that exported LSTMs are made of: one function a node, tensors in, tensors out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from train.export.flat_file import Graph, Scale, Tensor

SIGMOID = Scale(1 / 256, -128)
"""What LOGISTIC's output must have in 8 bits."""
ROWS_AXIS = 1


def fully_connected(
    graph: Graph, values: Tensor, weights: Tensor, bias: Tensor | None = None, scale: Scale | None = None
) -> Tensor:
    """(..., inputs) x weights (outputs, inputs) + bias -> (..., outputs)."""
    options = schema.FullyConnectedOptionsT()
    options.keepNumDims = len(values.shape) > 2
    out = graph.tensor((*values.shape[:-1], weights.shape[0]), scale)
    # Which version knows what: 12 takes 8-bit weights by output with float values; 5 keeps the dimensions, and 8 bits.
    mixed = weights.dtype == np.int8 and values.dtype == np.float32
    version = 12 if mixed else 5 if values.dtype == np.int8 or options.keepNumDims else 1
    graph.node("FULLY_CONNECTED", [values, weights, bias], [out], options, version)
    return out


def add(graph: Graph, one: Tensor, other: Tensor, scale: Scale | None = None) -> Tensor:
    return _binary(graph, "ADD", schema.AddOptionsT(), one, other, scale)


def subtract(graph: Graph, one: Tensor, other: Tensor) -> Tensor:
    return _binary(graph, "SUB", schema.SubOptionsT(), one, other, None)


def multiply(graph: Graph, one: Tensor, other: Tensor) -> Tensor:
    return _binary(graph, "MUL", schema.MulOptionsT(), one, other, None)


def tanh(graph: Graph, values: Tensor) -> Tensor:
    return _unary(graph, "TANH", values, None)


def sigmoid(graph: Graph, values: Tensor) -> Tensor:
    """In 8 bits one table look-up."""
    return _unary(graph, "LOGISTIC", values, SIGMOID if values.scale else None)


def quantize(graph: Graph, values: Tensor, scale: Scale) -> Tensor:
    out = graph.tensor(values.shape, scale)
    graph.node("QUANTIZE", [values], [out])
    return out


def dequantize(graph: Graph, values: Tensor) -> Tensor:
    """Real values; those that are so already, as they are."""
    if values.scale is None:
        return values
    out = graph.tensor(values.shape)
    graph.node("DEQUANTIZE", [values], [out], version=2)
    return out


def split(graph: Graph, values: Tensor, parts: int) -> list[Tensor]:
    """(..., n) -> parts of (..., n / parts)."""
    options = schema.SplitOptionsT()
    options.numSplits = parts
    outs = [graph.tensor((*values.shape[:-1], values.shape[-1] // parts), values.scale) for _ in range(parts)]
    axis = graph.constant(len(values.shape) - 1, np.int32)
    graph.node("SPLIT", [axis, values], outs, options, _in(values))
    return outs


def unpack(graph: Graph, rows: Tensor) -> list[Tensor]:
    """(batch, rows, n) -> (batch, n) for each row."""
    options = schema.UnpackOptionsT()
    options.num, options.axis = rows.shape[1], ROWS_AXIS
    outs = [graph.tensor((rows.shape[0], *rows.shape[2:]), rows.scale) for _ in range(rows.shape[1])]
    graph.node("UNPACK", [rows], outs, options, _in(rows))
    return outs


def pack(graph: Graph, rows: Sequence[Tensor]) -> Tensor:
    """(batch, n) for each row -> (batch, rows, n)."""
    options = schema.PackOptionsT()
    options.valuesCount, options.axis = len(rows), ROWS_AXIS
    out = graph.tensor((rows[0].shape[0], len(rows), *rows[0].shape[1:]), rows[0].scale)
    graph.node("PACK", rows, [out], options, _in(rows[0]))
    return out


def concatenate(graph: Graph, parts: Sequence[Tensor], axis: int = ROWS_AXIS) -> Tensor:
    """Along one axis; of integers the indices of another node, else the rows of (batch, rows, n)."""
    options = schema.ConcatenationOptionsT()
    options.axis = axis
    shape = list(parts[0].shape)
    shape[axis] = sum(part.shape[axis] for part in parts)
    out = graph.tensor(shape, parts[0].scale, parts[0].dtype.type)
    graph.node("CONCATENATION", parts, [out], options, _in(parts[0]))
    return out


def some_rows(graph: Graph, values: Tensor, start: int, stop: int) -> Tensor:
    """(batch, rows, n) -> its rows start to stop - 1."""
    options = schema.StridedSliceOptionsT()
    options.beginMask = options.endMask = 0b101  # the batch and the last axis whole
    options.ellipsisMask = options.newAxisMask = options.shrinkAxisMask = 0
    out = graph.tensor((values.shape[0], stop - start, values.shape[2]), values.scale)
    bounds = [graph.constant([0, start, 0], np.int32), graph.constant([0, stop, 0], np.int32)]
    graph.node("STRIDED_SLICE", [values, *bounds, graph.constant([1, 1, 1], np.int32)], [out], options, _in(values))
    return out


def reshape(graph: Graph, values: Tensor, shape: Sequence[int]) -> Tensor:
    """(batch, ...) -> (batch, *shape)."""
    options = schema.ReshapeOptionsT()
    options.newShape = [-1, *shape]
    out = graph.tensor((values.shape[0], *shape), values.scale)
    graph.node("RESHAPE", [values, graph.constant(options.newShape, np.int32)], [out], options)
    return out


def _in(values: Tensor) -> int:
    """The version of a node that moves values: 2 knows 8 bits."""
    return 2 if values.scale else 1


def _binary(graph: Graph, name: str, options: Any, one: Tensor, other: Tensor, scale: Scale | None) -> Tensor:
    shape = np.broadcast_shapes(one.shape, other.shape)
    out = graph.tensor(shape, scale, None if scale else one.dtype.type)
    graph.node(name, [one, other], [out], options, 2 if scale else 1)
    return out


def _unary(graph: Graph, name: str, values: Tensor, scale: Scale | None) -> Tensor:
    out = graph.tensor(values.shape, scale)
    graph.node(name, [values], [out], version=2 if scale else 1)
    return out
