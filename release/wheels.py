"""The wheels of a platform: which, with which hashes, and fetched. All through pip, as it is set up here."""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from release.platforms import EXTRAS, PYTHONS, ROOT, Platform, requirements

_RUNTIME = "tflite-runtime"
_PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")


class ReleaseError(Exception):
    """A part of the release cannot be made; one line that names the remedy."""


@dataclass(frozen=True, order=True)
class Wheel:
    """A wheel in the index."""

    name: str
    version: str
    sha256: str


def pip(*arguments: str, what: str) -> None:
    """Run pip.

    Raises:
        ReleaseError: it failed; with the last line that it wrote.
    """
    done = subprocess.run([*_PIP, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stderr[-300:]]
        raise ReleaseError(f"{what}: {errors[-1].strip()}")


def options(target: Platform, python: str) -> list[str]:
    """Options of pip that make it choose for another machine than this one."""
    return [
        *target.tags(),
        f"--python-version={python}",
        "--implementation=cp",
        f"--abi=cp{python.replace('.', '')}",
        "--abi=abi3",
        "--abi=none",
        "--only-binary=:all:",
    ]


def resolve(target: Platform, python: str, extras: tuple[str, ...] = EXTRAS) -> list[Wheel]:
    """The wheels that a gateway with these extras needs, with all that they need.

    Raises:
        ReleaseError: the index has no wheel of one of them.
    """
    wanted = requirements(target, python, extras=extras)
    # tflite-runtime asks for a numpy that has no wheel where the system's is taken.
    alone = [one for one in wanted if target.from_system and one.name == _RUNTIME]
    others = [one for one in wanted if one not in alone]
    found = _reported(target, python, [f"{one.name}{one.specifier}" for one in others], [])
    if alone:
        found |= _reported(target, python, [f"{one.name}{one.specifier}" for one in alone], ["--no-deps"])
    return sorted(found, key=lambda wheel: wheel.name)


def _reported(target: Platform, python: str, names: list[str], more: list[str]) -> set[Wheel]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        pins = ("-c", str(ROOT / "constraints.txt"), "-c", str(ROOT / "constraints-gateway.txt"))
        dry = ("install", "--dry-run", "--ignore-installed", f"--report={report}", f"--target={folder}/none")
        pip(*dry, *options(target, python), *pins, *more, *names, what=f"wheels for {target.machine}, Python {python}")
        parts = json.loads(report.read_text("utf-8"))["install"]
    return {
        Wheel(
            re.sub(r"[-_.]+", "-", part["metadata"]["name"]).lower(),
            part["metadata"]["version"],
            part["download_info"]["archive_info"]["hashes"]["sha256"],
        )
        for part in parts
    }


def requirements_text(target: Platform, found: dict[str, list[Wheel]]) -> str:
    """A requirements file: one pin a distribution, with the hash of its wheel for each Python."""
    hashes: dict[tuple[str, str], set[str]] = {}
    for wheels in found.values():
        for wheel in wheels:
            hashes.setdefault((wheel.name, wheel.version), set()).add(wheel.sha256)
    lines = [
        f"# Offbeat's edge on {target.machine}, Python {', '.join(found)}. pip install --no-deps --require-hashes -r"
    ]
    if target.from_system:
        lines.append(
            f"# {', '.join(target.from_system)}: the system's, python3-{' python3-'.join(target.from_system)}."
        )
    for (name, version), sums in sorted(hashes.items()):
        only = [
            python for python, wheels in found.items() if any(one[:2] == (name, version) for one in map(_key, wheels))
        ]
        # On a newer Python the rest is installed, and `offbeat-edge check` says what to do for want of a runtime.
        alone = name == _RUNTIME and target.pythons != PYTHONS
        marker = "" if len(only) == len(found) and not alone else f" ; python_version in '{' '.join(only)}'"
        lines.append(f"{name}=={version}{marker}" + "".join(f" \\\n    --hash=sha256:{one}" for one in sorted(sums)))
    return "\n".join(lines) + "\n"


def _key(wheel: Wheel) -> tuple[str, str]:
    return wheel.name, wheel.version


def own_line(wheel: Path) -> str:
    """The release's own wheel as a line of a requirements file, found in the folder that pip is started in."""
    return f"./{wheel.name} \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def fetch(target: Platform, python: str, file: Path, folder: Path) -> list[Path]:
    """The wheels of a requirements file, by its hashes, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    by_hash = ("--no-deps", "--require-hashes", "-r", str(file), "--dest", str(folder))
    pip("download", *options(target, python), *by_hash, what=f"fetching wheels for {target.machine}")
    return sorted(folder.glob("*.whl"))


def unpack(target: Platform, python: str, wheels: list[Path], site: Path) -> None:
    """Lay wheels into a site-packages folder, for another machine than this one."""
    pip(
        "install",
        "--no-deps",
        "--no-compile",
        f"--target={site}",
        *options(target, python),
        *map(str, wheels),
        what="unpacking",
    )
