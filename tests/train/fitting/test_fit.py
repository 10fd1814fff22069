"""offbeat-train fit, end to end on small files."""

import json
import re
import sys

import numpy as np
import pytest

from edge.detector.bundle.files import load_bundle
from edge.detector.group import StreamGroup, StreamSettings
from edge.detector.rows.row import Row
from edge.detector.score.runtime import load_model
from tests.helpers.files import write_lines, write_machine
from train.__main__ import main
from train.network.architecture import ARCHITECTURES, DEFAULT
from train.read.dataset import Run, Segment
from train.read.row_hashes import fitted_part
from train.read.tables import ReadOptions, read_table

QUICK = ["--epochs", "2", "--window", "10", "--hidden", "6"]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A bundle of two runs with an anomaly among the training rows, and what fit printed."""
    folder = tmp_path_factory.mktemp("fit")
    files = [write_machine(folder / f"{seed}.csv", seed=seed, start=1.7e9 + seed * 10_000) for seed in (1, 2)]
    return files, folder / "my pump"


def fit(files, out, *options: str) -> int:
    return main(["fit", *map(str, files), "--out", str(out), *QUICK, *options])


@pytest.fixture(scope="module")
def bundle(fitted):
    files, out = fitted
    assert fit(files, out, "--unit", "heat=°C", "--seed", "5", "--stride", "2", "--timezone", "Europe/Berlin") == 0
    return load_bundle(out)


def test_fit_writes_a_bundle_that_the_device_takes(bundle):
    assert bundle.name == "my-pump"
    assert [(channel.name, channel.unit) for channel in bundle.channels] == [("load", ""), ("heat", "°C")]
    assert (bundle.period_s, bundle.window, bundle.stride, bundle.timezone) == (1.0, 10, 2, "Europe/Berlin")
    assert [variant.name for variant in bundle.variants] == ["float32", "dynamic", "int8"]
    for variant in bundle.variants:
        assert variant.runtimes == ("ai-edge-litert",)
        assert variant.batch == (1, 8, 32)
        assert 0.9 <= variant.score_agreement <= 1.0
        found, model = load_model(bundle, variant.name)
        group = StreamGroup(bundle, found, model, [StreamSettings("s")])
        rows = [Row(float(time), np.full(2, 3.0), restart=time == 0) for time in range(30)]
        outcomes = [group.process([(0, row)])[0] for row in rows]
        assert np.isfinite(outcomes[-1].score)


def test_the_manifest_says_what_it_was_trained_on(fitted, bundle):
    tables = [read_table(file, ReadOptions()) for file in fitted[0]]
    runs = [Run(table.name, (Segment(table.times, table.values),)) for table in tables]
    training = bundle.training

    assert training["rows"] + training["calibration_rows"] == 1800
    assert (training["seed"], training["epochs"]) == (5, 2)
    assert training["loss"] > 0
    assert training["val_loss"] > 0
    assert set(training["versions"]) >= {"offbeat", "keras", "tensorflow", "python"}
    assert fitted_part(runs, training["row_hashes"]) == pytest.approx(0.75, abs=0.06)
    assert len(bundle.alarm["max_drift"]) == 2


@pytest.mark.parametrize("architecture", sorted(set(ARCHITECTURES) - {DEFAULT}))
def test_every_architecture_becomes_a_bundle_that_the_device_takes(fitted, tmp_path, architecture):
    assert fit(fitted[0], tmp_path / "b", "--architecture", architecture, "--threshold", "gaussian") == 0

    made = load_bundle(tmp_path / "b")
    assert made.alarm["threshold"] == {"name": "gaussian", "at": None}
    # Errors of a forecaster have a direction, and limits both ways.
    signed = made.variants[0].calibration["gaussian"]["low"] is not None
    assert signed == made.signed == ARCHITECTURES[architecture].signed
    assert made.architecture == architecture
    assert [variant.name for variant in made.variants] == ["float32", "dynamic", "int8"]
    for variant in made.variants:
        found, model = load_model(made, variant.name)
        group = StreamGroup(made, found, model, [StreamSettings("s")])
        table = read_table(fitted[0][0], ReadOptions())
        rows = [Row(float(time), values) for time, values in zip(table.times[:60], table.values[:60], strict=True)]
        scores = [group.process([(0, row)])[0].score for row in rows]
        assert np.isfinite(scores[10:]).all()


def test_the_same_files_and_seed_give_the_same_model(fitted, bundle, tmp_path):
    fit(fitted[0], tmp_path / "again", "--seed", "5", "--stride", "2")

    again = load_bundle(tmp_path / "again")

    assert [one.sha256 for one in again.variants[:2]] == [one.sha256 for one in bundle.variants[:2]]
    # The converter arranges the bytes of int8 files as it likes; what they compute is the same.
    windows = np.random.default_rng(0).normal(0, 1, (50, 10, 2)).astype(np.float32)
    outputs = [load_model(one, "int8")[1].run(windows) for one in (again, bundle)]
    np.testing.assert_array_equal(*outputs)


def test_the_worst_training_stretch_is_shown_with_the_way_to_leave_it_out(tmp_path, capsys):
    file = write_machine(tmp_path / "odd.csv", rows=2000)
    lines = file.read_text().splitlines()
    shaken = np.random.default_rng(0).normal(3, 1.5, 40)
    lines[801:841] = [
        f"{line.rsplit(',', 1)[0]},{value:.3f}" for line, value in zip(lines[801:841], shaken, strict=True)
    ]
    file.write_text("\n".join(lines) + "\n")

    assert (
        main(["fit", str(file), "--out", str(tmp_path / "b"), "--epochs", "6", "--window", "10", "--hidden", "6"]) == 0
    )

    printed = capsys.readouterr().out
    assert "--exclude '2023-11-14 22:2" in printed
    assert "heat" in printed.split("reproduces worst")[1]


def test_the_data_are_described_before_training(tmp_path, capsys):
    file = write_machine(tmp_path / "a.csv", rows=600)
    lines = file.read_text().splitlines()
    lines[100] = lines[100].rsplit(",", 1)[0] + ",broken"
    file.write_text("\n".join([*lines[:300], *lines[350:]]) + "\n")

    assert fit([file], tmp_path / "b", "--exclude", "1700000200..1700000600", "--window", "300") == 2

    printed = capsys.readouterr().out
    assert "period 1 s" in printed
    assert "1 cells hold text" in printed
    assert re.search(r"a +550 +200 +200 ", printed)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--channels", "laod"], "nearest: load"),
        (["--rows", "0:30"], "30 grid rows in 1 runs leave no complete window"),
        (["--until", "1999-01-01"], "no usable rows left"),
        (["--until", "soon"], "'soon' is no time"),
        (["--unit", "cold=K"], "--unit cold"),
        (["--timezone", "Nowhere"], "'Nowhere' is not known"),
        (["--runtime-python", "/no/python"], "/no/python: cannot be started"),
    ],
)
def test_what_cannot_be_fitted_ends_with_one_line_and_status_2(tmp_path, capsys, options, what):
    file = write_machine(tmp_path / "a.csv")

    status = fit([file], tmp_path / "b", *options)

    error = capsys.readouterr().err
    assert status == 2
    assert what in error
    assert error.count("\n") == 1
    assert error.startswith("offbeat-train: ")


def test_a_file_without_usable_rows_ends_with_one_line_and_status_2(tmp_path, capsys):
    assert fit([write_lines(tmp_path / "a.csv", "time,a", "x,y")], tmp_path / "b") == 2

    assert "a.csv" in capsys.readouterr().err


def test_help_needs_no_tensorflow(capsys, monkeypatch):
    for name in ("tensorflow", "keras", "pandas"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(SystemExit) as ended:
        main(["fit", "--help"])

    assert ended.value.code == 0
    assert "--exclude" in capsys.readouterr().out


def test_a_missing_extra_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.delitem(sys.modules, "train.fitting.progress", raising=False)

    assert fit([write_machine(tmp_path / "a.csv")], tmp_path / "b") == 2

    assert "offbeat[train]" in capsys.readouterr().err


def test_the_manifest_is_plain_json_without_nan(bundle):
    text = (bundle.folder / "manifest.json").read_text()

    json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} in the manifest"))
