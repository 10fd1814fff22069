"""Imports run one way, from room to room: a room is a folder, and `MAY_IMPORT` says which others it may import."""

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("edge", "train", "firmware_sim")

# Room: the rooms that it may import, the lower ones first. `detector.*` is the detector and all rooms in it.
ARROWS = """
edge.wire:
edge.mqtt: wire
edge.readings:
edge.sources.formats: wire readings
edge.sources: wire mqtt readings sources.formats
edge.delivery: wire mqtt
edge.watch: wire mqtt
edge.detector.rows:
edge.detector.members: wire
edge.detector.bundle: wire detector.rows detector.members
edge.detector.score: wire detector.members detector.bundle
edge.detector.learn: detector.rows detector.members detector.bundle detector.score
edge.detector.events: wire detector.rows detector.members detector.bundle
edge.detector: wire detector.*
edge.alerts: wire
edge.config: wire readings sources delivery detector.bundle detector.events history homeassistant prometheus web
edge.trust: detector.bundle
edge.state: wire alerts delivery detector detector.rows detector.bundle detector.events history
edge.agent: wire mqtt readings sources alerts delivery detector.* config state history homeassistant prometheus web trust agent.asked
edge.commands: wire mqtt readings sources.formats sources delivery detector.* config agent history web watch state
edge.commands.sizing: sources delivery detector.* config agent state commands
edge.commands.upkeep: wire mqtt readings sources delivery detector.* config agent history state trust commands sources.formats commands.sizing web
edge.commands.remote: wire mqtt detector.bundle config state watch trust commands commands.upkeep
edge.history: wire delivery detector detector.rows
edge.homeassistant: wire
edge.prometheus: wire
edge.web: wire mqtt
edge.agent.asked: wire alerts delivery state detector
edge: wire sources watch detector detector.bundle config state agent commands
edge.examples: edge
train.console: edge.readings
train.read: console edge.readings edge.detector.rows edge.detector.bundle
train.report_card: console read
train.export:
train.network: console read export edge.detector.rows edge.detector.bundle edge.detector.learn
train.fitting: console read network edge.detector.*
train.evaluation: console read edge.readings edge.wire edge.detector.*
train.commission: console read network fitting evaluation edge.detector.*
train.options: console edge.readings read report_card network fitting evaluation edge.detector.*
train.plots: console edge.detector.bundle
train.report: console read report_card fitting evaluation plots edge.detector.*
train.benchmarks: console read network fitting evaluation edge.detector.*
train.benchmarks.families: console edge.readings read fitting evaluation options benchmarks edge.detector.*
train.commands: console read network fitting evaluation commission options report benchmarks.* edge.detector.* edge.trust
train: console read network fitting evaluation commands edge.wire edge.detector.rows edge.detector.bundle edge.detector.score
firmware_sim.machine:
firmware_sim.schedule: machine
firmware_sim.board: machine schedule edge.wire
firmware_sim.formats: edge.wire
firmware_sim.recording: board edge.wire edge.readings
firmware_sim.links: machine board formats edge.wire
firmware_sim.own: machine schedule board edge.wire
firmware_sim.options: machine schedule board formats edge.readings
firmware_sim.demo: machine edge.wire
firmware_sim: machine board links options edge.wire schedule own formats recording
"""  # noqa: E501
_LEARNT_WITH = "numpy pandas scipy sklearn tensorflow keras flatbuffers matplotlib rich optuna"
# Room -> what must be installed for it; that of the longest name counts.
_LIBRARIES = {
    "edge": "numpy paho attr attrs cattrs serial pymodbus ai_edge_litert tflite_runtime",
    "edge.wire": "",
    "edge.mqtt": "paho",
    "edge.readings": "",
    "edge.sources": "serial pymodbus attr attrs",
    "edge.delivery": "attr attrs",
    "edge.watch": "",
    "edge.homeassistant": "attr attrs",
    "edge.prometheus": "attr attrs prometheus_client",
    "edge.web": "attr attrs starlette uvicorn PIL argon2",
    "edge.examples": "apprise",
    "edge.trust": "cryptography",
    "edge.detector": "numpy",
    "edge.detector.score": "numpy ai_edge_litert tflite_runtime",
    "train": _LEARNT_WITH,
    "train.export": _LEARNT_WITH + " ai_edge_litert",
    "firmware_sim": "numpy paho serial rich amqtt",
}


def _read(arrows: str) -> dict[str, set[str]]:
    rooms = dict(line.split(":") for line in arrows.split("\n") if line)
    table: dict[str, set[str]] = {}
    for room, others in rooms.items():
        package = room.split(".")[0]
        names = {name if name.split(".")[0] in PACKAGES else f"{package}.{name}" for name in others.split()}
        for house in [name for name in names if name.endswith(".*")]:
            names.remove(house)
            names |= {other for other in rooms if f"{other}.".startswith(house.removesuffix("*"))}
        table[room] = names - {room}
    return table


MAY_IMPORT = _read(ARROWS)
_FREE = {"edge.__version__", "edge"}
"""The version, and where the package lies."""


def imports(source: str, module: str, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that a module's source imports, wherever in it, also for types only."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = module.split(".") if is_package else module.split(".")[:-1]
            above = parents[: len(parents) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the three packages, with its file."""
    for file in sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        yield ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), file


def room_of(name: str) -> str:
    """The innermost room that a module, or a name in it, belongs to; what is not ours is its own."""
    ours = [room for room in MAY_IMPORT if name == room or name.startswith(room + ".")]
    return max(ours, key=len, default=name.split(".")[0])


def wrong(module: str, name: str) -> bool:
    """Whether `module` may not import `name`."""
    if name.split(".")[0] in sys.stdlib_module_names or name in _FREE:
        return False
    room, own = room_of(name), room_of(module)
    if room in MAY_IMPORT:
        return room != own and room not in MAY_IMPORT[own]
    return room not in _LIBRARIES[max((one for one in _LIBRARIES if f"{own}.".startswith(f"{one}.")), key=len)].split()


def test_no_import_runs_the_wrong_way():
    found = [
        f"{file.relative_to(ROOT)}:{line}: {module} may not import {name}"
        for module, file in modules()
        for line, name in imports(file.read_text("utf-8"), module, file.name == "__init__.py")
        if wrong(module, name)
    ]

    assert not found, "\n".join(found)


def test_the_rooms_are_the_folders():
    folders = {".".join(file.parent.relative_to(ROOT).parts) for _, file in modules()}

    assert folders == set(MAY_IMPORT)


def test_no_arrow_leads_back():
    order = list(TopologicalSorter(MAY_IMPORT).static_order())  # raises CycleError

    assert set(MAY_IMPORT) <= set(order)


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("edge.wire.frame", "import numpy"),
        ("edge.wire.frame", "from edge.detector.rows.row import Row"),
        ("edge.detector.rows.row", "from edge.wire.topics import valid_id"),
        ("edge.detector.rows.row", "from edge import sources"),
        ("edge.detector.bundle.tail", "from edge.detector.score.engine import Engine"),
        ("edge.detector.group", "import ai_edge_litert.interpreter"),
        ("edge.sources.mqtt", "from edge.config.settings import load_config"),
        ("edge.sources.mqtt", "from ..detector import rows"),
        ("edge.delivery.outbox", "from edge.sources.intake import Arrival"),
        ("edge.watch.reader", "from edge.config.settings import load_config"),
        ("edge.examples.read_alerts", "from edge.watch.reader import AlertReader"),
        ("edge.watch.reader", "from edge import Detector"),
        ("edge.agent.loop", "def later():\n    import pandas"),
        ("edge.agent.loop", "from train.fitting.fit import fit"),
        ("edge.agent.loop", "from firmware_sim.board.board import Board"),
        ("train.fitting.fit", "from edge.agent.loop import Agent"),
        ("train.fitting.fit", "import firmware_sim"),
        ("train.read.tables", "from train.fitting.fit import fit"),
        ("firmware_sim.demo.live", "from train.fitting.fit import fit"),
        ("firmware_sim.demo.live", "from edge.detector.bundle.files import load_bundle"),
    ],
)
def test_an_import_that_runs_the_wrong_way_is_noticed(module, statement):
    assert any(wrong(module, name) for _, name in imports(statement, module))


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("edge.wire.events", "from edge.wire.payload import jsonable"),
        ("edge.detector.group", "from edge.wire.events import Event"),
        ("edge.detector.score.runtime", "from edge.detector.bundle.files import Bundle"),
        ("edge.detector.score.runtime", "from ai_edge_litert.interpreter import Interpreter"),
        ("edge.agent.loop", "from edge.sources.mqtt import MqttReader"),
        ("train.evaluation.playback", "from edge.detector.replay import replay"),
        ("firmware_sim.board.board", "from edge.wire.readings import Readings"),
    ],
)
def test_an_import_that_runs_the_right_way_passes(module, statement):
    assert not any(wrong(module, name) for _, name in imports(statement, module))
