"""The SKAB benchmark on a small folder laid out like the real one: protocol, layout of the figures, model reuse."""

import json
from pathlib import Path

import pytest

from tests.helpers.files import write_machine
from tests.helpers.recordings import recordings
from train.__main__ import main

ROWS, COMMISSIONED, ONSET, END = 400, 200, 300, 350


def write_folder(folder: Path, files: int = 4) -> Path:
    """Runs of one machine that loses its coupling in rows 300 to 349, with a column that says so."""
    folder.mkdir(parents=True)
    for number in range(files):
        path = folder / f"{number}.csv"
        write_machine(path, ROWS, number, 1_700_000_000 + 1000 * number, odd=slice(ONSET, END))
        lines = path.read_text("utf-8").splitlines()
        marks = [f"{line},{int(ONSET <= row < END)}" for row, line in enumerate(lines[1:])]
        path.write_text("\n".join([f"{lines[0]},anomaly", *marks]) + "\n", "utf-8")
    return folder


def options(models: Path, out: Path) -> list[str]:
    small = ["--rows", str(COMMISSIONED), "--window", "10", "--hidden", "3", "--epochs", "1", "--jobs", "1"]
    return [*small, "--seeds", "1", "--models", str(models), "--json", str(out)]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("skab")
    runs, models, out = write_folder(folder / "runs"), folder / "models", folder / "figures.json"
    assert main(["benchmark", "skab", str(runs), *options(models, out)]) == 0
    return runs, models, json.loads(out.read_text("utf-8"))


def test_blind_baselines_have_the_figures_that_a_hand_computes(measured):
    detectors = measured[2]["detectors"]

    # Each file has 200 evaluated rows, of which 50 are anomalous.
    always = {"f1": 100 / 250, "far": 1, "mar": 0, "j": 0, "far_before_onset": 1, "files_found": 0, "false_episodes": 4}
    # From row 300 on: 50 hits and 50 false alarm rows a file, after the anomaly.
    clock = {"f1": 100 / 150, "far": 1 / 3, "mar": 0, "j": 2 / 3, "far_before_onset": 0, "files_found": 4, "delay_s": 0}
    assert {name: detectors["always"][name] for name in always} == pytest.approx(always)
    assert {name: detectors["clock"][name] for name in clock} == pytest.approx(clock)
    assert detectors["clock"]["false_episodes"] == 0


def test_every_detector_has_mean_spread_and_values_for_each_seed(measured):
    wanted = {"f1", "far", "mar", "j", "far_before_onset", "files_found", "false_episodes", "events_found", "delay_s"}
    detectors = measured[2]["detectors"]
    assert list(detectors) == ["offbeat", "ewma", "pca", "isolation_forest", "always", "clock"]
    for detector in detectors.values():
        (only,) = detector["seeds"]
        assert only["seed"] == 0
        assert wanted <= set(only) & set(detector) & set(detector["spread"])
        assert {name: detector[name] for name in wanted} == {name: only[name] for name in wanted}


def test_what_the_benchmark_set_is_in_the_figures(measured):
    settings = measured[2]["settings"]

    assert settings["commissioned on"] == "rows 0 to 199 of each file"
    assert settings["channels"] == "load, heat"


def test_another_threshold_is_tried_with_the_fitted_models(measured, tmp_path):
    runs, models, before = measured
    fitted = {path: path.stat().st_mtime_ns for path in models.rglob("*.tflite")}
    out = tmp_path / "again.json"

    assert main(["benchmark", "skab", str(runs), *options(models, out), "--threshold", "percentile:50"]) == 0

    found = json.loads(out.read_text("utf-8"))
    assert {path: path.stat().st_mtime_ns for path in models.rglob("*.tflite")} == fitted
    assert found["settings"]["threshold"] == "percentile:50"
    assert found["detectors"]["offbeat"]["far"] > before["detectors"]["offbeat"]["far"]


def test_a_second_run_uses_the_fitted_models_again_and_says_the_same(measured, tmp_path, capsys):
    runs, models, figures = measured
    capsys.readouterr()

    assert main(["benchmark", "skab", str(runs), *options(models, tmp_path / "again.json")]) == 0

    assert "training" not in capsys.readouterr().out
    assert json.loads((tmp_path / "again.json").read_text("utf-8")) == figures


def test_a_folder_without_labels_is_refused_in_one_line(tmp_path, capsys):
    (tmp_path / "runs").mkdir()
    write_machine(tmp_path / "runs" / "a.csv")

    assert main(["benchmark", "skab", str(tmp_path / "runs")]) == 2

    message = capsys.readouterr().err
    assert "0 files with a column 'anomaly', wanted 2 and more" in message
    assert message.count("\n") == 1


@pytest.mark.data
def test_real_runs_can_be_benchmarked_on_a_model_of_other_recordings(tmp_path):
    wanted = recordings("skab/valve1/*.csv")[:2]
    other = recordings("skab/anomaly-free/*.csv")[0]
    for name, files in (("runs", wanted), ("other", [other])):
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file.name).symlink_to(file)
    out = tmp_path / "figures.json"
    small = ["--seeds", "1", "--jobs", "1", "--hidden", "3", "--epochs", "1", "--window", "10", "--json", str(out)]

    assert main(["benchmark", "skab", str(tmp_path / "runs"), "--fit", str(tmp_path / "other"), *small]) == 0

    body = json.loads(out.read_text("utf-8"))
    assert body["detectors"]["offbeat"]["files"] == 2
    assert body["settings"]["fitted on"].endswith("all rows of files without 'anomaly', else 0 to 399")
