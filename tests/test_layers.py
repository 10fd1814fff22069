"""Imports run one way: train and firmware_sim know edge, edge knows neither, edge.wire knows nobody."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("edge", "train", "firmware_sim")
_ON_THE_DEVICE = {"numpy", "paho", "attr", "attrs", "cattrs", "serial", "ai_edge_litert", "tflite_runtime"}
_RUNTIMES = {"ai_edge_litert", "tflite_runtime"}
_ON_THE_DESKTOP = {"numpy", "pandas", "scipy", "sklearn", "tensorflow", "keras", "matplotlib", "rich", "optuna"}
_ON_THE_DESKTOP |= {"flatbuffers"}
_ONLY_VERSION_AND_PLACE = {"edge", "edge.__version__"}

# Layer -> what it may import besides itself and the standard library. The longest layer that fits a module counts.
MAY_IMPORT: dict[str, set[str]] = {
    "edge.wire": set(),
    "edge.detector": {"edge.wire.events", "numpy"},
    "edge.detector.runtime": {"numpy", *_RUNTIMES},
    "edge.sources": {"edge.wire", *_ON_THE_DEVICE - _RUNTIMES},
    "edge.delivery": {"edge.wire", *_ON_THE_DEVICE - _RUNTIMES},
    "edge.watch": {"edge.wire", *_ON_THE_DEVICE - _RUNTIMES},
    "edge": _ON_THE_DEVICE,
    "train": {"edge.detector", "edge.wire", *_ON_THE_DESKTOP},
    "firmware_sim": {"edge.wire", "numpy", "paho", "serial", "rich", "amqtt"},
}


def imports(source: str, module: str, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that a module's source imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = module.split(".") if is_package else module.split(".")[:-1]
            above = parents[: len(parents) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def within(name: str, layer: str) -> bool:
    """Whether a module or a name in it belongs to a layer."""
    return name == layer or name.startswith(layer + ".")


def layer_of(module: str) -> str:
    """The layer whose rule a module follows."""
    return max((layer for layer in MAY_IMPORT if within(module, layer)), key=len)


def wrong(module: str, name: str) -> bool:
    """Whether `module` may not import `name`."""
    layer = layer_of(module)
    # A layer of one file within another belongs to that one: detector.runtime may use detector.bundle.
    own = [layer, layer.rpartition(".")[0]] if layer.count(".") > 1 else [layer]
    if name.split(".")[0] in sys.stdlib_module_names or name in _ONLY_VERSION_AND_PLACE:
        return False
    return not any(within(name, allowed) for allowed in [*own, *MAY_IMPORT[layer]])


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the three packages, with its file."""
    for file in sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        yield ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), file


def test_no_import_runs_the_wrong_way():
    found = [
        f"{file.relative_to(ROOT)}:{line}: {module} may not import {name}"
        for module, file in modules()
        for line, name in imports(file.read_text("utf-8"), module, file.name == "__init__.py")
        if wrong(module, name)
    ]

    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("edge.wire.frame", "import numpy"),
        ("edge.wire.frame", "from edge.detector.rows import Row"),
        ("edge.detector.rows", "from edge.wire.topics import valid_id"),
        ("edge.detector.rows", "from edge import sources"),
        ("edge.detector.group", "import ai_edge_litert.interpreter"),
        ("edge.sources.mqtt", "from edge.config import load_config"),
        ("edge.sources.mqtt", "from ..detector import rows"),
        ("edge.delivery.outbox", "from edge.sources.intake import Arrival"),
        ("edge.agent", "def later():\n    import pandas"),
        ("edge.agent", "from train import fit"),
        ("edge.agent", "from firmware_sim.board import Board"),
        ("train.fit", "from edge.agent import Agent"),
        ("train.fit", "import firmware_sim"),
        ("firmware_sim.demo", "from train.fit import fit"),
        ("firmware_sim.demo", "from edge.detector.bundle import load_bundle"),
    ],
)
def test_an_import_that_runs_the_wrong_way_is_noticed(module, statement):
    assert any(wrong(module, name) for _, name in imports(statement, module))


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("edge.wire.events", "from edge.wire.payload import jsonable"),
        ("edge.detector.group", "from edge.wire.events import Event"),
        ("edge.detector.runtime", "from edge.detector.bundle import Bundle"),
        ("edge.detector.runtime", "from ai_edge_litert.interpreter import Interpreter"),
        ("edge.agent", "from edge.sources.mqtt import MqttReader"),
        ("train.evaluate", "from edge.detector.replay import replay"),
        ("firmware_sim.board", "from edge.wire.readings import Readings"),
    ],
)
def test_an_import_that_runs_the_right_way_passes(module, statement):
    assert not any(wrong(module, name) for _, name in imports(statement, module))
