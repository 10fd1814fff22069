"""A stranger's module of our package's name is named, whichever way it got in the way."""

import subprocess
import sys
from pathlib import Path

import pytest

from offbeat import stranger
from tests.helpers.documents import ROOT


def _install(site: Path) -> None:
    """As pip lays it: the packages' first files, and the list with their sizes."""
    (site / "edge").mkdir(parents=True)
    for name in ("edge/__init__.py", "edge/__main__.py"):
        (site / name).write_text("def main():\n    return 0\n")
    (site / "offbeat.py").write_text((ROOT / "offbeat.py").read_text("utf-8"))
    record = "".join(
        f"{name},sha256=x,{(site / name).stat().st_size}\n" for name in ("edge/__init__.py", "edge/__main__.py")
    )
    (site / "offbeat-9.9.dist-info").mkdir()
    (site / "offbeat-9.9.dist-info/RECORD").write_text(record)
    (site / "offbeat-9.9.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: offbeat\nVersion: 9.9\n")


def _start(*path: Path) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.path[:0] = {[str(one) for one in path]!r}; import offbeat; sys.exit(offbeat.main_edge())"
    return subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)


@pytest.mark.parametrize("package", ["edge", "train", "firmware_sim"])
def test_our_own_tree_is_ours(package):
    assert stranger(package) is None


def test_an_installed_one_starts(tmp_path):
    _install(tmp_path)

    done = _start(tmp_path)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_stranger_before_ours_on_the_path_is_named(tmp_path):
    _install(tmp_path / "site")
    other = tmp_path / "other/edge"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("")

    done = _start(other.parent, tmp_path / "site")

    assert done.returncode == 2
    assert str(other / "__init__.py") in done.stderr
    assert "environment of its own" in done.stderr


def test_a_stranger_that_was_installed_over_ours_is_named(tmp_path):
    _install(tmp_path)
    (tmp_path / "edge/__init__.py").write_text("# another's\n")
    (tmp_path / "edge_tools-1.0.dist-info").mkdir()
    (tmp_path / "edge_tools-1.0.dist-info/METADATA").write_text(
        "Metadata-Version: 2.1\nName: edge-tools\nVersion: 1.0\n"
    )
    (tmp_path / "edge_tools-1.0.dist-info/top_level.txt").write_text("edge\n")

    done = _start(tmp_path)

    assert done.returncode == 2
    assert "edge was overwritten by the distribution edge-tools" in done.stderr
    assert "Traceback" not in done.stderr


def test_ours_that_was_removed_is_missing(tmp_path):
    (tmp_path / "offbeat.py").write_text((ROOT / "offbeat.py").read_text("utf-8"))

    done = _start(tmp_path)

    assert done.returncode == 2
    assert "edge is not Offbeat's but missing" in done.stderr
