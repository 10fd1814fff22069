"""The same networks for ONNX Runtime, float32 and dynamic int8: `python -m tests.bench.onnx_files FOLDER`.

Needs onnx and onnxruntime, so it runs in .venv-bench. ONNX's own LSTM operator, as its exporters write it.
"""

import logging
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from tests.bench.sizes import SIZES, Size, arrays

_OPSET = 17


def model(size: Size, weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    """(batch, window, channels) -> the same shape."""
    constants: list[onnx.TensorProto] = []

    def constant(name: str, values: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def lstm(name: str, given: str, outputs: list[str]) -> onnx.NodeProto:
        kernel, recurrent, bias = (_gates(weights[f"{name}_{part}"]) for part in ("kernel", "recurrent", "bias"))
        both = np.concatenate([bias, np.zeros_like(bias)])
        inputs = [constant(f"{name}_w", kernel.T[None]), constant(f"{name}_r", recurrent.T[None])]
        return helper.make_node(
            "LSTM", [given, *inputs, constant(f"{name}_b", both[None])], outputs, hidden_size=size.hidden
        )

    one = np.array([1])
    last = constant("last", -one)
    nodes = [
        helper.make_node("Transpose", ["window"], ["rows"], perm=[1, 0, 2]),
        lstm("encoder", "rows", ["", "code"]),
        helper.make_node("Tile", ["code", constant("times", np.array([size.window, 1, 1]))], ["codes"]),
        lstm("decoder", "codes", ["states"]),
        helper.make_node("Squeeze", ["states", constant("directions", one)], ["by_row"]),
        helper.make_node("Transpose", ["by_row"], ["by_window"], perm=[1, 0, 2]),
        helper.make_node("MatMul", ["by_window", constant("dense", weights["dense_kernel"])], ["product"]),
        helper.make_node("Add", ["product", constant("dense_bias", weights["dense_bias"])], ["backwards"]),
        helper.make_node(
            "Slice",
            ["backwards", last, constant("end", np.array([-(2**31)])), constant("axis", one), last],
            ["oldest_first"],
        ),
    ]  # fmt: skip
    shape = ["batch", size.window, size.channels]
    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in ("window", "oldest_first")]
    graph = helper.make_graph(nodes, size.name, ends[:1], ends[1:], constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=9)
    onnx.checker.check_model(made)
    return made


def _gates(kernel: np.ndarray) -> np.ndarray:
    """Keras' order of gates (input, forget, candidate, output) as ONNX's (input, output, forget, candidate)."""
    into, forget, candidate, out = np.split(kernel, 4, axis=-1)
    return np.concatenate([into, out, forget, candidate], axis=-1)


def write(folder: Path, size: Size) -> None:
    """`<size>_ort-float32.onnx` and `<size>_ort-dynamic.onnx`."""
    plain = folder / f"{size.name}_ort-float32.onnx"
    onnx.save(model(size, arrays(folder, size)), plain)
    quantize_dynamic(plain, folder / f"{size.name}_ort-dynamic.onnx", weight_type=QuantType.QInt8)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    for one in SIZES:
        write(Path(sys.argv[1]), one)
