"""Bundles with the right hashes that somebody made to kill: refused, while what is good serves."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from tests.attack.registry import attack
from tests.attack.stand import Stand
from tests.edge.agent.test_passing_states import by_cp

Change = Callable[[dict], None]


def _tensor(shape: list[int], kind: int = schema.TensorType.FLOAT32) -> object:
    made = schema.TensorT()
    made.shape, made.type, made.buffer, made.name = shape, kind, 0, b"t"
    return made


def _while(condition: int, body: int) -> object:
    made = schema.OperatorT()
    made.opcodeIndex, made.inputs, made.outputs = 0, [0], [1]
    made.builtinOptionsType = schema.BuiltinOptions.WhileOptions
    made.builtinOptions = schema.WhileOptionsT()
    made.builtinOptions.condSubgraphIndex, made.builtinOptions.bodySubgraphIndex = condition, body
    return made


def _graph(operators: list[object], shape: list[int]) -> object:
    made = schema.SubGraphT()
    made.tensors = [_tensor(shape), _tensor(shape)]
    made.inputs, made.outputs, made.operators, made.name = [0], [1], operators, b"g"
    return made


def _packed(graphs: list[object], code: int = schema.BuiltinOperator.WHILE) -> bytes:
    model, operator = schema.ModelT(), schema.OperatorCodeT()
    operator.builtinCode, operator.deprecatedBuiltinCode, operator.version = code, min(code, 127), 1
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [operator], graphs, [schema.BufferT()]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@cache
def crafted() -> dict[str, bytes]:
    """Model files by what they try."""
    row = [1, 8, 2]
    return {
        "subgraphs that call each other": _packed([_graph([_while(1, 1)], row), _graph([_while(0, 0)], row)]),
        "a subgraph that calls itself": _packed([_graph([_while(0, 0)], row)]),
        "a loop of subgraphs that are not there": _packed([_graph([_while(7, 9)], row)]),
        "a tensor of 6 GB": _packed([_graph([], [1, 40_000, 40_000])]),
        "a tensor of 2^62 bytes": _packed([_graph([], [2**30, 2**30, 4])]),
        "a shape below nothing": _packed([_graph([], [-1, -8, 2])]),
        "an operator of no known kind": _packed([_graph([_while(0, 0)], row)], code=9999),
        "nothing but a header": b"\x10\x00\x00\x00TFL3" + bytes(12),
        "zeros": bytes(404),
        "noise": hashlib.shake_128(b"708").digest(708),
    }


def planted(folder: Path, model: bytes) -> None:
    """Put a model into a bundle, with its right hash."""
    manifest = json.loads((folder / "manifest.json").read_text())
    for variant in manifest["variants"]:
        variant["sha256"], variant["size_bytes"] = hashlib.sha256(model).hexdigest(), len(model)
        (folder / variant["file"]).write_bytes(model)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _kept(stand: Stand) -> Path:
    """A copy of the good bundle."""
    if not (stand.folder / "good").exists():
        shutil.copytree(stand.folder / "tiny", stand.folder / "good")
    return stand.folder / "good"


def _in_use(what: str, stand: Stand) -> None:
    good, said = _kept(stand), stand.log().count("the old bundle goes on: ")
    planted(stand.folder / "tiny", crafted()[what])
    _refused(stand, said)
    by_cp(good, stand.folder / "tiny")
    stand.passed_at = None


def _refused(stand: Stand, said: int) -> None:
    from tests.helpers.mosquitto import wait_for

    wait_for(lambda: stand.log().count("the old bundle goes on: ") > said, "the refusal", 30.0)
    stand.serves()


def _at_start(what: str, stand: Stand) -> None:
    good = _kept(stand)
    planted(stand.folder / "tiny", crafted()[what])
    stand.start()
    stand.wait_said("out of order: BundleError")
    by_cp(good, stand.folder / "tiny")
    stand.over()
    stand.wait_said("the bundle is loaded")


_NAMES = ("subgraphs that call each other", "a subgraph that calls itself", "a loop of subgraphs that are not there",
          "a tensor of 6 GB", "a tensor of 2^62 bytes", "a shape below nothing", "an operator of no known kind",
          "nothing but a header", "zeros", "noise")  # fmt: skip
for _name in _NAMES:
    attack(f"a model file in use: {_name}", shared=True)(partial(_in_use, _name))
for _name in _NAMES[:4]:
    attack(f"a model file at the start: {_name}")(partial(_at_start, _name))


def _manifest(change: Change, stand: Stand) -> None:
    good, said = _kept(stand), stand.log().count("the old bundle goes on: ")
    path = stand.folder / "tiny" / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))
    _refused(stand, said)
    by_cp(good, stand.folder / "tiny")
    stand.passed_at = None


def _variant(key: str, value: object, manifest: dict) -> None:
    manifest["variants"][0][key] = value


_MANY = [{"name": f"c{number}", "unit": ""} for number in range(10**6)]
_MANIFESTS: dict[str, Change] = {
    "a model file outside its folder": partial(_variant, "file", "../../agent.toml"),
    "a window of a billion rows": lambda manifest: manifest.update(window=10**9),
    "a period of nothing": lambda manifest: manifest.update(period_s=0.0),
    "a period of NaN": lambda manifest: manifest.update(period_s=float("nan")),
    "a million channels": lambda manifest: manifest.update(
        channels=[{"name": f"c{n}", "unit": ""} for n in range(10**6)]
    ),
    "a batch of a billion": partial(_variant, "batch", [10**9]),
    "channel names that steer a terminal": lambda manifest: manifest.update(
        channels=[{"name": "\x1b[2J\n<3>forged", "unit": ""}, {"name": "\u202e", "unit": ""}]
    ),
}
for _what, _change in _MANIFESTS.items():
    attack(f"a manifest in use: {_what}", shared=True)(partial(_manifest, _change))


@attack("a manifest nested 100,000 deep in use", shared=True)
def _deep(stand: Stand) -> None:
    good, said = _kept(stand), stand.log().count("the old bundle goes on: ")
    (stand.folder / "tiny" / "manifest.json").write_bytes(b"[" * 100_000)
    _refused(stand, said)
    by_cp(good, stand.folder / "tiny")
    stand.passed_at = None


def _special(make: Callable[[Path], None], stand: Stand) -> None:
    good, said = _kept(stand), stand.log().count("the old bundle goes on: ")
    path = stand.folder / "tiny" / "float32.tflite"
    path.unlink()
    make(path)
    _refused(stand, said)
    path.unlink()
    by_cp(good, stand.folder / "tiny")
    stand.passed_at = None


attack("a model file that is a named pipe", shared=True)(partial(_special, os.mkfifo))
attack("a model file that is /dev/zero", shared=True)(partial(_special, lambda path: path.symlink_to("/dev/zero")))
attack("a model file that is a link to itself", shared=True)(partial(_special, lambda path: path.symlink_to(path)))
attack("a model file of 8 GB of nothing", shared=True)(
    partial(_special, lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 8 << 30))
)
