"""A .tflite file put together node by node, where the converter would not write the nodes that cost least.

It takes hundredths of a second, and what a node is, how it is quantized and which constants nodes share is said here
and not found out. Shapes are written for batch 1; no node holds the batch size, so that a file can be resized.
Sources: the TensorFlow Lite schema as LiteRT ships it (docs/decisions/010-schema-of-model-files.md); for the scales of
LOGISTIC and TANH the 8-bit quantization specification of TensorFlow Lite.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

_IDENTIFIER = b"TFL3"
_TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.bool_): schema.TensorType.BOOL,
}


@dataclass(frozen=True)
class Scale:
    """How 8 bits stand for real values: (integer - zero_point) * step."""

    step: float
    zero_point: int = 0


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of one graph, by its number there."""

    number: int
    shape: tuple[int, ...]
    dtype: np.dtype
    scale: Scale | None = None


class ModelFile:
    """The graphs of one file and the constants that they share."""

    def __init__(self) -> None:
        self._model = schema.ModelT()
        self._model.version = 3
        self._model.description = "offbeat"
        self._model.operatorCodes, self._model.subgraphs = [], []
        self._model.buffers = [schema.BufferT()]  # the first is that of tensors without content
        self._codes: dict[tuple[str, int], int] = {}
        self._buffers: dict[bytes, int] = {}

    def graph(self) -> "Graph":
        """A new graph; the first is the one that runs."""
        self._model.subgraphs.append(schema.SubGraphT())
        return Graph(self, self._model.subgraphs[-1], len(self._model.subgraphs) - 1)

    def operator(self, name: str, version: int) -> int:
        """The number of an operator, such as FULLY_CONNECTED."""
        if (name, version) not in self._codes:
            code = schema.OperatorCodeT()
            code.builtinCode = getattr(schema.BuiltinOperator, name)
            code.deprecatedBuiltinCode = min(code.builtinCode, 127)
            code.version = version
            self._codes[name, version] = len(self._model.operatorCodes)
            self._model.operatorCodes.append(code)
        return self._codes[name, version]

    def buffer(self, content: bytes) -> int:
        """The number of a constant's content; the same content is kept once."""
        if content not in self._buffers:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(content, np.uint8)
            self._buffers[content] = len(self._model.buffers)
            self._model.buffers.append(buffer)
        return self._buffers[content]

    def to_bytes(self) -> bytes:
        """The file."""
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(self._model.Pack(builder), file_identifier=_IDENTIFIER)
        return bytes(builder.Output())


class Graph:
    """Nodes in the order in which they run, and the tensors between them."""

    def __init__(self, file: ModelFile, content: schema.SubGraphT, index: int) -> None:
        self.file, self.index = file, index
        self._content = content
        self._content.tensors, self._content.operators = [], []
        self._content.inputs, self._content.outputs = [], []
        self._constants: dict[tuple[Any, ...], Tensor] = {}

    def tensor(self, shape: Sequence[int], scale: Scale | None = None, dtype: type | None = None) -> Tensor:
        """A tensor that a node fills; 8 bits where it has a scale, float32 else."""
        kind = np.dtype(dtype or (np.int8 if scale else np.float32))
        steps = None if scale is None else (np.array([scale.step], np.float32), scale.zero_point)
        return self._add(tuple(shape), kind, 0, steps, scale)

    def given(self, like: Tensor) -> Tensor:
        """An input of this graph, shaped like a tensor of another."""
        tensor = self.tensor(like.shape, like.scale, like.dtype.type)
        self._content.inputs.append(tensor.number)
        return tensor

    def returns(self, tensors: Sequence[Tensor]) -> None:
        """Make these the graph's outputs."""
        self._content.outputs = [tensor.number for tensor in tensors]

    def constant(self, values: npt.ArrayLike, dtype: type = np.float32) -> Tensor:
        """A constant; the same values are kept once."""
        array: np.ndarray = np.ascontiguousarray(values, dtype).reshape(np.shape(values))
        key = (array.tobytes(), array.shape, array.dtype)
        if key not in self._constants:
            self._constants[key] = self._add(array.shape, array.dtype, self.file.buffer(array.tobytes()))
        return self._constants[key]

    def weights(self, kernel: np.ndarray, eight_bits: bool) -> Tensor:
        """A kernel (inputs, outputs) as FULLY_CONNECTED takes it; in 8 bits with a step for each output."""
        if not eight_bits:
            return self.constant(np.ascontiguousarray(kernel.T))
        steps = np.maximum(np.abs(kernel).max(axis=0), 1e-9) / 127
        integers = np.ascontiguousarray(np.round(kernel / steps).T.astype(np.int8))
        buffer = self.file.buffer(integers.tobytes())
        return self._add(integers.shape, integers.dtype, buffer, (steps.astype(np.float32), 0))

    def node(
        self,
        name: str,
        inputs: Sequence[Tensor | None],
        outputs: Sequence[Tensor],
        options: Any = None,
        version: int = 1,
    ) -> None:
        """Append a node; `options` is the schema's object for it."""
        node = schema.OperatorT()
        node.opcodeIndex = self.file.operator(name, version)
        node.inputs = [-1 if tensor is None else tensor.number for tensor in inputs]
        node.outputs = [tensor.number for tensor in outputs]
        if options is not None:
            node.builtinOptions = options
            node.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        self._content.operators.append(node)

    def _add(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype,
        buffer: int,
        steps: tuple[np.ndarray, int] | None = None,
        scale: Scale | None = None,
    ) -> Tensor:
        tensor = schema.TensorT()
        number = len(self._content.tensors)
        tensor.name, tensor.shape, tensor.type, tensor.buffer = f"t{number}", list(shape), _TYPES[dtype], buffer
        if steps is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = steps[0]
            tensor.quantization.zeroPoint = np.full(len(steps[0]), steps[1], np.int64)
        self._content.tensors.append(tensor)
        return Tensor(number, shape, dtype, scale)
