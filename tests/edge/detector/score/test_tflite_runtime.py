"""The same adapter over tflite-runtime 2.14, which lives in an environment of its own: Python 3.11 and numpy 1."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.detector.score.runtime import open_model
from tests.helpers.rig import variant, write_rig_bundle
from tests.helpers.tflite_models import CHANNELS, INT8_RANGE, WINDOW, Models, mix

ROOT = Path(__file__).resolve().parents[4]
PYTHON = Path(os.environ.get("OFFBEAT_TFLITE_PYTHON") or ROOT / ".venv-tflite/bin/python")
PROBE = ROOT / "tests/helpers/adapter_probe.py"

Probe = Callable[..., tuple[dict, np.ndarray | None]]


@pytest.fixture
def probe(tmp_path: Path) -> Probe:
    """Runs a model over windows in the other environment: what it said, and the result."""
    if not PYTHON.exists():
        pytest.skip(f"{PYTHON} is missing: `make test` creates it where there is a Python 3.11")

    def run(model: Path, windows: np.ndarray, *batch: int) -> tuple[dict, np.ndarray | None]:
        given, found = tmp_path / "windows.npy", tmp_path / "found.npy"
        found.unlink(missing_ok=True)
        np.save(given, windows)
        line = [PYTHON, PROBE, ROOT, model, given, found, *(str(size) for size in batch or (1,))]
        done = subprocess.run([str(part) for part in line], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), np.load(found) if found.exists() else None

    return run


def windows(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, (count, WINDOW, CHANNELS)).astype(np.float32)


def test_a_float32_model_runs_there_in_any_number_of_windows(models: Models, probe: Probe):
    said, found = probe(models.mixed, windows(13), 1, 8)

    assert (said["runtime"], said["runtimes"]) == ("tflite-runtime", ["tflite-runtime"])
    assert said["numpy"].startswith("1.")
    assert found == pytest.approx(mix(windows(13)), abs=1e-5)


def test_an_int8_model_gives_there_what_it_gives_here_to_one_step_of_rounding(models: Models, probe: Probe):
    _, found = probe(models.int8, windows(13), 1, 8)

    assert found == pytest.approx(open_model(models.int8, (1, 8)).run(windows(13)), abs=0.04)


def test_an_int8_model_saturates_there_as_here(models: Models, probe: Probe):
    spikes = np.where(np.arange(WINDOW)[:, None] % 2, 10.0, -10.0) * np.ones((1, WINDOW, CHANNELS))

    _, found = probe(models.echo_int8, spikes.astype(np.float32))

    assert found == pytest.approx(np.sign(spikes) * INT8_RANGE, abs=0.1)


@pytest.mark.parametrize("name", ["summed", "two_inputs"])
def test_a_file_that_breaks_the_contract_is_told_there_too(models: Models, probe: Probe, name):
    said, _ = probe(getattr(models, name), windows(1))

    assert "wanted" in said["error"]


def test_a_file_that_this_runtime_cannot_load_is_told_in_one_line(models: Models, probe: Probe):
    """The converter's dynamic-range product is of a newer version than this runtime knows."""
    said, _ = probe(models.dynamic, windows(1))

    assert "tflite-runtime cannot load it" in said["error"]
    assert "\n" not in said["error"]


def test_a_variant_that_lists_another_runtime_is_not_touched(models: Models, probe: Probe, tmp_path: Path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    for name in ("mixed", "dynamic"):
        (folder / f"{name}.tflite").write_bytes(getattr(models, name).read_bytes())
    both = {"runtimes": ["ai-edge-litert", "tflite-runtime"]}
    write_rig_bundle(
        folder,
        window=WINDOW,
        variants=[variant(name="dynamic", file="dynamic.tflite"), variant(file="mixed.tflite", **both)],
    )

    said, found = probe(folder, windows(3))

    assert (said["variant"], said["runtime"]) == ("float32", "tflite-runtime")
    assert found == pytest.approx(mix(windows(3)), abs=1e-5)
