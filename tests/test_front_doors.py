"""What a program imports: each front door is light, gives what it names, and tells type checkers so."""

import ast
import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import edge
from tests.helpers.documents import Block, blocks

ROOT = Path(__file__).resolve().parents[1]


def python(*arguments: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("command", ["edge", "train", "firmware_sim"])
def test_every_command_gives_the_one_version(command):
    assert python("-m", command, "--version") == f"offbeat {edge.__version__}"


def test_the_version_is_written_down_once():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

    assert "version" not in project["project"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "edge.__version__"}


@pytest.mark.parametrize("package", ["edge", "train", "firmware_sim"])
def test_every_package_says_that_it_is_typed(package):
    assert (ROOT / package / "py.typed").exists()


HEAVY = {"numpy", "paho", "attr", "cattrs", "ai_edge_litert", "tflite_runtime", "tensorflow", "keras", "pandas", "rich"}


def loaded_by(statement: str) -> set[str]:
    """Top names of the modules that a statement loads in a fresh interpreter."""
    code = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    return set(python("-c", code).split())


@pytest.mark.parametrize("statement", ["import edge", "import train", "import edge, train; dir(edge), dir(train)"])
def test_importing_a_package_loads_no_library(statement):
    assert not loaded_by(statement) & HEAVY


@pytest.mark.parametrize(
    ("statement", "without"),
    [
        ("from edge import load_bundle, Bundle, Event, Detector, Outcome", {"paho", "attr", "cattrs"}),
        ("from edge import AlertReader, BrokerSettings", {"numpy", "attr", "cattrs", "ai_edge_litert"}),
        ("from train import read_table", {"tensorflow", "keras", "ai_edge_litert", "matplotlib"}),
        ("from train.cli import build_parser; build_parser()", HEAVY - {"numpy"} | {"sklearn", "scipy", "matplotlib"}),
    ],
)
def test_a_name_loads_only_what_it_needs(statement, without):
    assert not loaded_by(statement) & without


@pytest.mark.parametrize("package", ["edge", "train"])
def test_every_name_is_there_is_listed_and_is_what_it_stands_for(package):
    code = f"""
import {package} as door
from {package} import *
for name in door.__all__:
    value = getattr(door, name)
    assert name in dir(door), name
    assert name == "__version__" or value.__name__ == name, name
"""
    python("-c", code)


@pytest.mark.parametrize("package", ["edge", "train"])
def test_what_a_type_checker_is_told_is_what_is_imported(package):
    tree = ast.parse((ROOT / package / "__init__.py").read_text("utf-8"))
    told = {
        alias.name: node.module
        for block in tree.body
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    door = importlib.import_module(package)

    assert told == door._FROM
    assert set(told) | {"__version__"} >= set(door.__all__) >= set(told)


@pytest.mark.parametrize("package", ["edge", "train"])
def test_a_name_that_is_not_there_is_an_attribute_error(package):
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'Detektor'"):
        importlib.import_module(package).Detektor  # noqa: B018


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_in_documents_compiles_and_imports_what_is_there(block: Block):
    tree = ast.parse(block.text)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]

    exec(compile(ast.Module(imports, []), str(block.file), "exec"), {})

    assert imports
