"""What is checked of an installed release: its tests, its scores, its size."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from edge.detector.bundle.files import load_bundle
from release.platforms import ROOT, platform
from release.wheels import options, pip
from tests.arm.guest_scores import scores
from tests.arm.userlands.kinds import Userland
from tests.arm.userlands.root import Root, UserlandError

RECORDING = Path(__file__).with_name("pump.csv")
"""Five minutes of the simulated pump, with cavitation in the last two."""
WITHIN = {"float32": 1e-3, "dynamic": 0.05, "int8": 0.02}
"""How far a score may be from this machine's: how kernels round is theirs."""
_ALL_TESTED_WITH = (
    "pymodbus", "prometheus_client", "starlette", "uvicorn", "pillow", "cryptography", "apprise", "aiosmtpd", "amqtt",
    "influxdb-client", "argon2-cffi", "packaging", "scipy",
)  # fmt: skip
"""Of 64-bit: on armv7l most of these have no wheels, and the tests that import them cannot be collected there."""
_TREE = "/srv/offbeat"
_TESTED_WITH = ("pytest", "pytest-timeout", "hypothesis", "jsonschema", "psutil")
_LONGEST_TEST_S = 900
_PATIENCE = "10"
"""How many times longer than here something may take, emulated and beside other work."""


def copy_tests(root: Root, cache: Path, marked: bool) -> None:
    """The tests, without the packages that they test: those are the installed ones; and what runs them.

    Raises:
        ReleaseError: the index has no wheel of something that tests want.
    """
    tree = root.path(_TREE)
    for name in ("tests", "models", "docs"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "agent.example.toml"):
        shutil.copy2(ROOT / name, tree)
    target = platform(root.userland.architecture)
    site = cache / f"tests-{target.machine}-{root.userland.python}{'' if marked else '-all'}"
    if not (site / "made").exists():
        shutil.rmtree(site, ignore_errors=True)
        pins = ("-c", str(ROOT / "constraints.txt"))
        small = bool(target.from_system)
        wanted = [name for name in _TESTED_WITH if name != "psutil" or not small]
        wanted += () if marked or small else _ALL_TESTED_WITH
        pip(
            "install", f"--target={site}", *options(target, root.userland.python), *pins, *wanted,
            what=f"what runs tests, for {target.machine}",
        )  # fmt: skip
        (site / "made").touch()
    shutil.copytree(site, tree / "site")
    models = cache / "models"
    if not models.exists():
        part = cache / "models.part"
        part.mkdir(exist_ok=True)
        script = "import sys; from pathlib import Path; from tests.helpers import tflite_models as made; "
        script += "made.make_models(Path(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", script, str(part)], cwd=ROOT, check=True, capture_output=True)
        part.rename(models)
    shutil.copytree(models, tree / "made-models")


def run_tests(root: Root, log: Path, marked: bool) -> str:
    """pytest's last line, of the tests marked `arm`, or of all of the edge.

    Raises:
        UserlandError: one failed, or skipped for want of a part.
    """
    able = "" if root.userland.runtime == "ai-edge-litert" else " and not litert"
    where, chosen = [f"{_TREE}/tests/edge"], f"'not integration{able}' --continue-on-collection-errors"
    if marked:
        files = [file for file in sorted(ROOT.glob("tests/edge/**/test_*.py")) if "mark.arm" in file.read_text("utf-8")]
        where, chosen = [f"{_TREE}/{file.relative_to(ROOT)}" for file in files], f"'arm{able}'"
    options = f"-m pytest -q -p no:cacheprovider --timeout {_LONGEST_TEST_S} --durations 5 -m {chosen}"
    more = {"PYTHONPATH": f"{_TREE}/site", "PYTHONDONTWRITEBYTECODE": "1", "OFFBEAT_PATIENCE": _PATIENCE}
    more |= {"OFFBEAT_TEST_MODELS": f"{_TREE}/made-models"} | ({"CI": "true"} if marked else {})
    said = root.run(f"cd {_TREE} && {root.userland.way.python} {options} {' '.join(where)}", log, **more)
    return said.strip().splitlines()[-1].strip("= ")


def score_differences(root: Root, log: Path) -> dict[str, float]:
    """Variant to the largest difference of a score from this machine's, over the recording.

    NaN for one that the manifest has for other runtimes alone, and that was refused therefore.

    Raises:
        UserlandError: it is more than `WITHIN`, or a variant does not run.
    """
    rows = np.genfromtxt(RECORDING, delimiter=",", skip_header=1)[:, 1:]
    np.save(root.path(f"{_TREE}/rows.npy"), rows)
    return {name: _difference(root, name, rows, log) for name in WITHIN}


def _difference(root: Root, name: str, rows: np.ndarray, log: Path) -> float:
    userland = root.userland
    (variant,) = (one for one in load_bundle(ROOT / "models/pump").variants if one.name == name)
    command = f"{userland.way.python} {_TREE}/tests/arm/guest_scores.py {userland.way.bundle} {name} {_TREE}/rows.npy"
    if userland.runtime not in variant.runtimes:
        _is_refused(root, name, command, log)
        return float("nan")
    here = scores(ROOT / "models/pump", name, rows)
    said = root.run(command, log)
    there = np.array([float(score) for score in re.findall(r"^SCORE (\S+)$", said, re.MULTILINE)])
    if there.shape != here.shape or (np.isnan(there) != np.isnan(here)).any() or not np.nanmax(here) > 1:
        raise UserlandError(f"{name}: {len(there)} scores for {len(here)} rows, or others are missing")
    difference = float(np.nanmax(np.abs(there - here)))
    if difference > WITHIN[name]:
        raise UserlandError(f"{name}: a score is off by {difference:.3g}, wanted {WITHIN[name]} at most")
    return difference


def _is_refused(root: Root, name: str, command: str, log: Path) -> None:
    try:
        root.run(command, log)
    except UserlandError as error:
        if f"no variant for {name!r} in the runtimes here" in str(error):
            return
        raise
    raise UserlandError(f"{name}: it ran in {root.userland.runtime}, which the manifest does not list for it")


def installed_mb(root: Root, log: Path) -> float:
    """Disk space of the edge set, in MB: what is Offbeat's alone, and numpy where it is the system's."""
    said = root.run(f"du -sk --apparent-size {root.userland.way.installed}", log)
    total = int(said.split()[0]) * 1024
    for name in platform(root.userland.architecture).from_system:
        said = root.run(f"dpkg-query -W -f '${{Installed-Size}}' python3-{name}", log)
        total += int(said) * 1024
    return total / 1e6


def refusal(userland: Userland, said: str) -> str:
    """The line that says what to do.

    Raises:
        UserlandError: there is none.
    """
    lines = [line for line in said.splitlines() if "64-bit system" in line and "Debian 12" in line]
    if not lines:
        raise UserlandError(f"{userland.name}: wanted a refusal that says what to do, found: {said.strip()[-800:]}")
    return lines[0].strip()
