"""The NAB benchmark on a small corpus: probation, NAB's layout of results, figures with and without windows."""

import csv
import json
from datetime import datetime, timedelta

import numpy as np
import pytest

from tests.helpers.files import write_lines
from train.__main__ import main
from train.benchmarks.nab import probation_rows
from train.benchmarks.nab_results import one_score_an_episode
from train.evaluation.metrics import Judged

ROWS, PROBATION = 800, 120
START = datetime(2014, 3, 1)
SMALL = ["--seeds", "1", "--hidden", "3", "--epochs", "1", "--jobs", "1"]
DETECTORS = ("offbeat", "ewma", "pca", "isolation_forest", "always", "clock")


def write_stream(path, values):
    path.parent.mkdir(parents=True)
    times = [START + timedelta(minutes=5 * row) for row in range(len(values))]
    return write_lines(
        path, "timestamp,value", *(f"{time},{value:.3f}" for time, value in zip(times, values, strict=True))
    )


def at(row: int) -> str:
    return str(START + timedelta(minutes=5 * row))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nab")
    values = np.random.default_rng(0).normal(20, 1, ROWS)
    values[500:560] += 12
    write_stream(folder / "data" / "kindA" / "jump.csv", values)
    write_stream(folder / "data" / "kindB" / "flat.csv", np.full(ROWS, 45.0))
    windows = folder / "windows.json"
    windows.write_text(json.dumps({"kindA/jump.csv": [[at(480), at(580)]], "kindB/flat.csv": []}), "utf-8")
    out, figures = folder / "results", folder / "figures.json"
    options = ["--windows", str(windows), "--results", str(out), "--models", str(folder / "models")]
    assert main(["benchmark", "nab", str(folder / "data"), *options, *SMALL, "--json", str(figures)]) == 0
    return folder, out, json.loads(figures.read_text("utf-8"))


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("detector", DETECTORS)
def test_results_have_a_line_for_every_row_of_every_file_in_order(corpus, detector):
    for kind, file in (("kindA", "jump"), ("kindB", "flat")):
        lines = read(corpus[1] / detector / kind / f"{detector}_{file}.csv")

        assert list(lines[0]) == ["timestamp", "value", "anomaly_score", "label"]
        assert [line["timestamp"] for line in lines] == [at(row) for row in range(ROWS)]
        scores = np.array([float(line["anomaly_score"]) for line in lines])
        assert (scores[:PROBATION] == 0).all()
        assert ((scores >= 0) & (scores <= 1)).all()


def test_label_marks_the_rows_inside_the_windows(corpus):
    labels = [line["label"] for line in read(corpus[1] / "offbeat" / "kindA" / "offbeat_jump.csv")]

    assert labels == ["1" if 480 <= row <= 580 else "0" for row in range(ROWS)]


def test_a_jump_is_found_and_a_flat_line_raises_nothing(corpus):
    offbeat = corpus[2]["detectors"]["offbeat"]
    flat = read(corpus[1] / "offbeat" / "kindB" / "offbeat_flat.csv")

    assert (offbeat["events"], offbeat["events_found"]) == (1, 1)
    assert max(float(line["anomaly_score"]) for line in flat) < 0.5


def test_event_f1_of_the_blind_is_what_a_hand_computes(corpus):
    detectors = corpus[2]["detectors"]

    # Two false episodes, one in each file, and one missed event.
    assert detectors["always"]["event_f1"] == 0
    assert detectors["always"]["false_episodes_per_1000_rows"] == pytest.approx(2 / (2 * (ROWS - PROBATION)) * 1000)
    # From row 480 on: one found in one file, one false in the other.
    assert detectors["clock"]["event_f1"] == pytest.approx(2 / 3)


def test_without_windows_labels_are_0_and_detection_figures_are_null(corpus, tmp_path):
    folder = corpus[0]
    options = ["--results", str(tmp_path / "out"), "--models", str(folder / "models")]
    assert main(["benchmark", "nab", str(folder / "data"), *options, *SMALL, "--json", str(tmp_path / "f.json")]) == 0

    detectors = json.loads((tmp_path / "f.json").read_text("utf-8"))["detectors"]
    assert set(detectors) == set(DETECTORS)
    for name in ("f1", "far", "mar", "j", "event_f1", "events_found", "false_episodes", "delay_s"):
        assert detectors["offbeat"][name] is None
    assert {line["label"] for line in read(tmp_path / "out" / "ewma" / "kindA" / "ewma_jump.csv")} == {"0"}


@pytest.mark.parametrize(("rows", "probation"), [(4032, 604), (22695, 750), (5000, 750), (4999, 749)])
def test_probation_is_that_of_nab(rows, probation):
    assert probation_rows(rows) == probation


def test_an_episode_is_told_when_it_starts_and_when_it_grows():
    score = np.array([2.0, 0.5, 1.5, 1.6, 3.0, 3.5, 1.2, 0.2])
    alarm = np.array([True, False, True, True, True, True, True, False])
    starts = np.array([True, False, True, False, False, False, False, False])
    nothing = np.zeros(8, bool)

    told = one_score_an_episode(Judged("a", np.arange(8.0), nothing, (), score, alarm, starts, first=1))

    assert told == pytest.approx([0, 1 / 3, 0.6, 0, 0.75, 0, 0, 1 / 6])
