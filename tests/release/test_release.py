"""The parts of a release that need no network and no tools of Debian; `make release` runs them all."""

import re
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import pytest

from edge.config.settings import load_config
from release import debian_package, python_parts, sbom, signature, version
from release.platforms import PLATFORMS, PYTHONS, platform, requirements
from release.wheels import ReleaseError, Wheel, own_line, requirements_text
from tests.helpers.documents import ROOT


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[Path, Path]:
    """Wheel and sdist of this tree."""
    dist = tmp_path_factory.mktemp("dist")
    return python_parts.build(tmp_path_factory.mktemp("work"), dist)


@pytest.fixture
def signed(tmp_path) -> Path:
    """A folder with two files and their signature."""
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / "one.whl").write_bytes(b"one")
    (dist / "two.deb").write_bytes(b"two")
    signature.sign(dist, signature.make_key(tmp_path))
    return dist


def _verified(dist: Path) -> bool:
    return subprocess.run(["sh", "-c", signature.VERIFY], cwd=dist, capture_output=True).returncode == 0


def test_the_wheel_brings_what_a_gateway_starts_from(built):
    with zipfile.ZipFile(built[0]) as wheel:
        names = {re.sub(r"^offbeat-.*\.data/data/", "", name) for name in wheel.namelist()}

    models = {f"share/offbeat/models/pump/{file.name}" for file in (ROOT / "models/pump").iterdir()}
    blueprints = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "edge/homeassistant/blueprints").rglob("*.y*ml")
    }
    assert blueprints
    assert blueprints <= names
    assert {"share/offbeat/agent.example.toml", "share/offbeat/offbeat.service", *models} <= names
    assert {"offbeat.py", "edge/__main__.py", "edge/wire/event.schema.json"} <= names
    assert not [name for name in names if name.startswith(("tests/", "release/"))]


def test_an_installed_wheel_says_its_version(built, tmp_path):
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(tmp_path)]
    subprocess.run([*pip, str(built[0])], check=True)

    start = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import offbeat; offbeat.main_edge()"
    done = subprocess.run([sys.executable, "-c", start, "--version"], cwd=tmp_path, capture_output=True, text=True)

    assert done.stdout == f"offbeat {version.version()}\n"


def test_the_bill_of_materials_is_what_pip_freeze_says(built, tmp_path):
    pip = [sys.executable, "-m", "pip"]
    install = [*pip, "install", "-q", "--no-deps", "--no-index", "--target", str(tmp_path)]
    subprocess.run([*install, str(built[0])], check=True)
    frozen = subprocess.run([*pip, "list", "--format=freeze", "--path", str(tmp_path)], capture_output=True, text=True)

    assert sbom.listed(sbom.bill(tmp_path, "offbeat", "1")) == set(frozen.stdout.split())


def test_a_signed_release_verifies(signed):
    assert _verified(signed)


@pytest.mark.parametrize("attack", ["a byte is changed", "a hash is replaced", "another key signs", "it is missing"])
def test_a_release_that_was_tampered_with_does_not(signed, tmp_path, attack):
    sums = signed / signature.SUMS
    if attack == "a byte is changed":
        (signed / "one.whl").write_bytes(b"One")
    elif attack == "a hash is replaced":
        sums.write_text(sums.read_text().replace(sums.read_text()[:8], "00000000"))
    elif attack == "it is missing":
        (signed / "two.deb").unlink()
    else:
        allowed = (signed / signature.SIGNERS).read_text()
        (tmp_path / "other").mkdir()
        signature.sign(signed, signature.make_key(tmp_path / "other"))
        (signed / signature.SIGNERS).write_text(allowed)

    assert not _verified(signed)


def test_a_version_that_the_changelog_does_not_know_is_refused(tmp_path):
    (tmp_path / "CHANGELOG.md").write_text("## Unreleased\n\n## 0.0.9\n")

    with pytest.raises(ReleaseError, match="has no section"):
        version.version(tmp_path)


@pytest.mark.parametrize(("unreleased", "wanted"), [("", ""), ("### Added\n- x\n", "+20261127")])
def test_what_is_in_the_making_has_a_version_of_its_own(tmp_path, unreleased, wanted):
    made = version.version()
    (tmp_path / "CHANGELOG.md").write_text(f"## Unreleased\n\n{unreleased}\n## {made}\n")

    assert version.debian_version(tmp_path, date(2026, 11, 27)) == made + wanted


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("target", PLATFORMS, ids=lambda one: one.machine)
def test_a_platform_takes_one_runtime_and_numpy_or_the_systems(target, python):
    names = {one.name for one in requirements(target, python)}

    runtimes = names & {"ai-edge-litert", "tflite-runtime"}
    assert len(runtimes) == (python in target.pythons)
    assert ("numpy" in names) != ("numpy" in target.from_system)
    assert {"paho-mqtt", "attrs", "cattrs", "pyserial"} <= names


def test_a_pin_has_the_hashes_of_all_pythons():
    found = {"3.11": [Wheel("a", "1", "x"), Wheel("b", "2", "y")], "3.12": [Wheel("a", "1", "z")]}

    text = requirements_text(platform("x86_64"), found)

    assert "a==1 \\\n    --hash=sha256:x \\\n    --hash=sha256:z\n" in text
    assert "b==2 ; python_version in '3.11' \\\n    --hash=sha256:y\n" in text


def test_the_packaged_config_is_the_example_with_its_own_places(tmp_path):
    text = debian_package.config((ROOT / "agent.example.toml").read_text("utf-8"))
    (tmp_path / "agent.toml").write_text(text.replace("/usr/share/offbeat", str(ROOT)), "utf-8")

    settings = load_config(tmp_path / "agent.toml")

    assert settings.device.state_dir == Path("/var/lib/offbeat")
    assert [stream.bundle for stream in settings.stream] == [ROOT / "models/pump"]


def test_an_example_without_those_lines_is_refused():
    with pytest.raises(ReleaseError, match=r"agent\.example\.toml"):
        debian_package.config("[device]\n")


def test_only_the_runtime_of_32_bit_is_bound_to_its_python():
    found = {"3.11": [Wheel("attrs", "1", "x"), Wheel("tflite-runtime", "2", "y")]}

    text = requirements_text(platform("armv7l"), found)

    assert "attrs==1 \\\n" in text
    assert "tflite-runtime==2 ; python_version in '3.11' \\\n" in text


def test_the_releases_own_wheel_is_listed_by_its_hash(tmp_path):
    (tmp_path / "offbeat-1-py3-none-any.whl").write_bytes(b"one")

    line = own_line(tmp_path / "offbeat-1-py3-none-any.whl")

    assert line.startswith("./offbeat-1-py3-none-any.whl \\\n    --hash=sha256:7692c3ad3540bb80")
