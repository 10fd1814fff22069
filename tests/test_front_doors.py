"""What a program imports: each front door is light, gives what it names, and tells type checkers so."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import edge

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
