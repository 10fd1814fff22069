"""What a model file may hold, looked at before a runtime sees it: a runtime trusts its file and dies of a bad one."""

from collections.abc import Iterable

from edge.detector.bundle.flatbuffer import FlatbufferError, Table

OPERATORS = {
    0: "ADD", 2: "CONCATENATION", 3: "CONV_2D", 6: "DEQUANTIZE", 9: "FULLY_CONNECTED", 14: "LOGISTIC", 18: "MUL",
    19: "RELU", 22: "RESHAPE", 28: "TANH", 36: "GATHER", 39: "TRANSPOSE", 40: "MEAN", 41: "SUB", 43: "SQUEEZE",
    45: "STRIDED_SLICE", 49: "SPLIT", 58: "LESS", 65: "SLICE", 70: "EXPAND_DIMS", 74: "SUM", 83: "PACK", 88: "UNPACK",
    114: "QUANTIZE", 119: "WHILE", 151: "DYNAMIC_UPDATE_SLICE",
}  # fmt: skip
"""What train's exports write, by the schema's numbers; a new architecture adds its own here."""
_WHILE, _LESS = 119, 58
_MOST_SUBGRAPHS, _MOST_TENSORS, _MOST_OPERATORS = 16, 20_000, 20_000
_MOST_VALUES = 4_000_000
"""Values of one tensor, 16 MB of float32; the largest network of the benchmarks has 65,536."""
_MOST_IN_ALL = 64_000_000
_MOST_BYTES = 64_000_000


class ModelFileError(ValueError):
    """A model file that no export of train writes; one line that says what is in it."""


def check_model_file(content: bytes) -> None:
    """Whether a model file holds only what train writes: operators, shapes, loops.

    Raises:
        ModelFileError: it does not, or is no such file.
    """
    if len(content) > _MOST_BYTES or content[4:8] != b"TFL3":
        raise ModelFileError(f"{len(content)} bytes that are no TFLite file of at most {_MOST_BYTES}")
    try:
        model = Table.root(content)
        codes = [_code(one) for one in model.tables(1)]
        subgraphs = list(_bounded(model.tables(2), _MOST_SUBGRAPHS, "subgraphs"))
        called: list[int] = []
        sizes = [_check_subgraph(graph, number, codes, called) for number, graph in enumerate(subgraphs)]
        _check_calls(called, subgraphs, codes)
    except FlatbufferError as error:
        raise ModelFileError(str(error)) from error
    if sum(sizes) > _MOST_IN_ALL:
        raise ModelFileError(f"tensors of {sum(sizes)} values in all, at most {_MOST_IN_ALL}")


def _code(table: Table) -> int:
    # The old field is a byte that says 127 for what came later.
    code = max(table.number(0, "<b"), table.number(3, "<i"))
    if code not in OPERATORS:
        raise ModelFileError(f"the operator {code}, which train does not write")
    return code


def _bounded(tables: Iterable[Table], most: int, what: str) -> Iterable[Table]:
    for number, table in enumerate(tables):
        if number >= most:
            raise ModelFileError(f"more than {most} {what}")
        yield table


def _check_subgraph(graph: Table, number: int, codes: list[int], called: list[int]) -> int:
    """Check one, note which others it calls; how many values its tensors hold."""
    sizes = [_values(tensor) for tensor in _bounded(graph.tables(0), _MOST_TENSORS, "tensors")]
    _check_indices(graph.numbers(1) + graph.numbers(2), len(sizes), least=0)
    for operator in _bounded(graph.tables(3), _MOST_OPERATORS, "operators"):
        index = operator.number(0, "<I")
        if index >= len(codes):
            raise ModelFileError(f"an operator of the code {index}, of {len(codes)}")
        _check_indices(operator.numbers(1), len(sizes), least=-1)  # -1: an optional input that is left out
        _check_indices(operator.numbers(2), len(sizes), least=0)
        if codes[index] == _WHILE:
            options = operator.table(4)
            if number != 0 or options is None:
                raise ModelFileError("a loop within a loop, or one without its parts")
            called += [options.number(0, "<i"), options.number(1, "<i")]
    return sum(sizes)


def _check_calls(called: list[int], subgraphs: list[Table], codes: list[int]) -> None:
    """Loops stand in the main graph, and each has a condition, which counts, and a body of its own."""
    if sorted(called) != list(range(1, len(subgraphs))):
        raise ModelFileError(f"loops that call the subgraphs {called} of {len(subgraphs)}")
    for number in called[::2]:
        operators = [codes[one.number(0, "<I")] for one in subgraphs[number].tables(3)]
        if operators != [_LESS]:
            raise ModelFileError("a loop whose condition is not that its counter is below a number")


def _values(tensor: Table) -> int:
    count = 1
    for length in tensor.numbers(0):
        if length < 0 or (count := count * length) > _MOST_VALUES:
            raise ModelFileError(f"a tensor of the shape {tensor.numbers(0)[:8]}, at most {_MOST_VALUES} values")
    return count


def _check_indices(indices: list[int], count: int, least: int) -> None:
    for index in indices:
        if not least <= index < count:
            raise ModelFileError(f"a tensor {index}, of {count}")
