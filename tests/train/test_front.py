"""`fit` and `evaluate` from Python give what the commands give."""

import json

import numpy as np
import pytest

from edge.detector.bundle.files import Bundle
from tests.helpers.files import write_machine
from tests.helpers.small_bundle import normal_rows, shake, write_csv
from train import DatasetError, FitSettings, ReadOptions, Selection, TrainingSettings, evaluate, fit, read_table
from train.__main__ import main
from train.evaluation.evaluation import Evaluation, Quiet

ROWS = 400
LABELS = ReadOptions(label_column="label")


@pytest.fixture
def labelled(tmp_path):
    values, labels = shake(normal_rows(ROWS, seed=20), slice(360, ROWS)), np.arange(ROWS) >= 360
    return write_csv(tmp_path / "labelled.csv", values, labels)


def test_a_bundle_is_fitted_from_files_and_tables_with_the_commands_weights(tmp_path):
    file = write_machine(tmp_path / "1.csv", seed=1, start=1.7e9)
    table = read_table(file)
    settings = FitSettings("pump", table.channels, 1.0, window=10, hidden=6, training=TrainingSettings(epochs=1))
    options = ["--epochs", "1", "--window", "10", "--hidden", "6", "--name", "pump", "--rows", "0:700"]

    result = fit([table], tmp_path / "own", settings, selection=Selection(slice(0, 700)))

    assert main(["fit", str(file), "--out", str(tmp_path / "commands"), *options]) == 0
    assert result.bundle.channel_names == table.channels
    for name in ("float32.tflite", "int8.tflite"):
        assert (tmp_path / "own" / name).read_bytes() == (tmp_path / "commands" / name).read_bytes()


def test_fit_wants_readings_and_for_runs_settings(tmp_path):
    with pytest.raises(DatasetError, match="no readings"):
        fit([], tmp_path)


def test_labelled_recordings_give_the_commands_metrics(small_bundle: Bundle, labelled, tmp_path):
    figures = tmp_path / "figures.json"
    arguments = ["evaluate", str(small_bundle.folder), str(labelled), "--label-column", "label"]

    found = evaluate(small_bundle.folder, labelled, options=LABELS)

    assert main([*arguments, "--json", str(figures)]) == 0
    assert isinstance(found, Evaluation)
    assert found.to_dict()["detectors"] == json.loads(figures.read_text())["detectors"]


def test_recordings_without_labels_give_plain_counts_from_a_table_too(small_bundle: Bundle, labelled):
    found = evaluate(small_bundle, read_table(labelled, ReadOptions(drop=("label",))), from_row=100)

    assert isinstance(found, Quiet)
    assert found.rows == ROWS - 100
    assert found.episodes == 1


def test_what_cannot_be_evaluated_is_said(small_bundle: Bundle, labelled):
    with pytest.raises(DatasetError, match="row 400 is none to evaluate from; wanted 0"):
        evaluate(small_bundle, labelled, from_row=ROWS)
    with pytest.raises(DatasetError, match="has no channel 'current'"):
        evaluate(small_bundle, read_table(labelled).only(["flow", "pressure"]))
