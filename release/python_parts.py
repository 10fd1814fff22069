"""Wheel and sdist, built from the files that git knows, in a folder of their own."""

import shutil
import subprocess
import sys
from pathlib import Path

from release.platforms import ROOT
from release.wheels import ReleaseError

_HOOKS = "import sys; from setuptools import build_meta as b; to = sys.argv[1]; b.build_wheel(to); b.build_sdist(to)"


def copy_tree(into: Path, root: Path = ROOT) -> None:
    """The tracked files as they stand in the working tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (root / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, into / name)


def build(work: Path, dist: Path) -> tuple[Path, Path]:
    """(wheel, sdist) in `dist`. By setuptools' own hooks, so that nothing is fetched.

    Raises:
        ReleaseError: setuptools failed; with what it wrote last.
    """
    tree = work / "tree"
    copy_tree(tree)
    done = subprocess.run([sys.executable, "-c", _HOOKS, str(dist)], cwd=tree, capture_output=True, text=True)
    if done.returncode:
        raise ReleaseError(f"building the wheel: {done.stderr.strip()[-500:]}")
    (wheel,), (sdist,) = dist.glob("offbeat-*.whl"), dist.glob("offbeat-*.tar.gz")
    return wheel, sdist
