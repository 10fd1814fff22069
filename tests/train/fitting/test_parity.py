"""Variants in real runtimes, each in a process of its own."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from edge.detector.score.runtime import open_model
from train.console.errors import FitError
from train.fitting.parity import compare
from train.fitting.trials import Interpreter, find_interpreters, try_variant
from train.network.architecture import NetworkSettings, build_network, exporter
from train.network.variants import VARIANTS

SHAPE = NetworkSettings(window=6, channels=2, hidden=12)
HERE = Interpreter(Path(sys.executable), "ai-edge-litert")
TFLITE_PYTHON = Path(os.environ.get("OFFBEAT_TFLITE_PYTHON", Path(__file__).parents[3] / ".venv-tflite/bin/python"))


@pytest.fixture(scope="module")
def windows() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, (40, SHAPE.window, SHAPE.channels)).astype(np.float32)


@pytest.fixture(scope="module")
def models(windows) -> dict[str, bytes]:
    export = exporter(build_network(SHAPE), SHAPE)
    return {name: export(name, windows) for name in VARIANTS}


@pytest.fixture(scope="module")
def wanted(models, windows, tmp_path_factory) -> np.ndarray:
    file = tmp_path_factory.mktemp("parity") / "float32.tflite"
    file.write_bytes(models["float32"])
    return open_model(file).run(windows)


def test_every_variant_is_run_and_measured(models, windows, wanted):
    rows = compare(models, [HERE], windows, wanted)

    assert [row.variant for row in rows] == ["float32", "dynamic", "int8"]
    assert all(row.runtimes == ("ai-edge-litert",) and not row.problems for row in rows)
    assert [row.size_bytes for row in rows] == [len(model) for model in models.values()]
    assert rows[0].rmse_to_float32 < 1e-6 < rows[2].rmse_to_float32 < 0.1
    assert set(rows[0].trials[0].us_per_window) == {1, 8, 32}


def test_a_variant_with_a_wrong_result_is_not_listed(models, windows, wanted):
    (row,) = compare({"float32": models["float32"]}, [HERE], windows, wanted + 1)

    assert row.runtimes == ()
    assert row.rmse_to_float32 is None
    assert "wrong result" in row.problems[0]


def test_a_file_that_the_runtime_refuses_is_a_problem_and_no_error(windows):
    trial = try_variant("float32", b"no model", HERE, windows)

    assert trial.outputs == {}
    assert trial.problem
    assert "\n" not in trial.problem


def test_a_crash_ends_the_trial_and_nothing_else(models, windows, tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nkill -SEGV $$\n")
    python.chmod(0o755)

    assert try_variant("float32", models["float32"], Interpreter(python, "x"), windows).problem == "crashed (SIGSEGV)"


def test_an_interpreter_that_is_not_there_or_has_no_runtime_is_named(tmp_path):
    bare = tmp_path / "bare"
    bare.write_text("#!/bin/sh\nexit 0\n")
    bare.chmod(0o755)

    for python, reason in ((tmp_path / "none", "cannot be started"), (bare, "no ai-edge-litert and no tflite-runtime")):
        with pytest.raises(FitError, match=f"{python}.*{reason}"):
            find_interpreters([python])


def test_tflite_runtime_runs_float32_and_is_not_listed_for_what_crashes_it(models, windows, wanted):
    if not TFLITE_PYTHON.exists():
        # Its own environment, Python 3.11 with numpy<2: two runtimes in one process would prove nothing.
        pytest.skip("no .venv-tflite with tflite-runtime (README, 'The smallest runtime')")
    (tflite,) = [one for one in find_interpreters([TFLITE_PYTHON]) if one.runtime == "tflite-runtime"]

    rows = {row.variant: row for row in compare(models, [HERE, tflite], windows, wanted)}

    assert rows["float32"].runtimes == ("ai-edge-litert", "tflite-runtime")
    assert rows["int8"].runtimes == ("ai-edge-litert",)
    assert "crash" in rows["int8"].problems[0]
