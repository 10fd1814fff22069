"""offbeat-train calibrate: a bundle for one device, its level by a budget or by labels."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edge.detector.bundle.calibration import calibration_from_dict
from edge.detector.bundle.files import MANIFEST, Bundle, load_bundle
from edge.detector.group import StreamGroup, StreamSettings
from edge.detector.learn.commissioning import bundle_calibration, commission
from edge.detector.members.tuning import DEFAULT
from edge.detector.score.runtime import load_model
from tests.helpers.small_bundle import START, normal_rows, shake, write_csv
from train.__main__ import main
from train.network.streams import rows_of
from train.read.dataset import Run, Segment
from train.read.row_hashes import sample_hashes

ROWS = 600
OFFSET = [3.0, -1.0, 0.5]
"""A device of its own: its channels have other levels than those of the fleet."""


def device_rows(count: int = ROWS, seed: int = 20) -> np.ndarray:
    return normal_rows(count, seed) + OFFSET


def as_run(values: np.ndarray) -> Run:
    return Run("device", (Segment(START + np.arange(len(values), dtype=float), np.round(values, 4)),))


def calibrate(bundle: Bundle, csv: Path, *options: str) -> Bundle:
    out = csv.parent / "device"
    assert main(["calibrate", str(bundle.folder), str(csv), "--out", str(out), *options]) == 0
    return load_bundle(out)


def refused(capsys: pytest.CaptureFixture[str], bundle: Bundle, csv: Path, *options: str) -> str:
    out = csv.parent / "refused"
    assert main(["calibrate", str(bundle.folder), str(csv), "--out", str(out), *options]) == 2
    assert not out.exists()
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_the_new_bundle_is_commissioned_as_the_device_would(small_bundle: Bundle, tmp_path: Path) -> None:
    made = calibrate(small_bundle, write_csv(tmp_path / "a.csv", device_rows()))

    _, model = load_model(small_bundle)
    wanted, _ = commission(small_bundle, model, rows_of(as_run(device_rows())), DEFAULT)
    found = bundle_calibration(made, made.variants[0])
    assert found.to_dict() == wanted.to_dict()
    assert made.variants[0].sha256 == small_bundle.variants[0].sha256
    assert made.training == small_bundle.training


def test_only_the_chosen_rows_commission(small_bundle: Bundle, tmp_path: Path) -> None:
    values = device_rows()
    values[400:] += 50.0

    made = calibrate(small_bundle, write_csv(tmp_path / "a.csv", values), "--rows", "0:400")

    calibration = bundle_calibration(made, made.variants[0])
    assert calibration.rows == 400
    np.testing.assert_allclose(calibration.scaler.center[0], np.median(values[:400], axis=0), atol=0.02)


def test_rows_with_a_label_do_not_commission(small_bundle: Bundle, tmp_path: Path) -> None:
    labels = np.zeros(ROWS, bool)
    labels[500:] = True

    csv = write_csv(tmp_path / "a.csv", device_rows(), labels)

    made = calibrate(small_bundle, csv, "--label-column", "label")
    assert bundle_calibration(made, made.variants[0]).rows == 500


@pytest.fixture
def fitted_bundle(small_bundle: Bundle, tmp_path: Path) -> Bundle:
    """The same, with fingerprints of device rows in its manifest."""
    folder = tmp_path / "fitted"
    shutil.copytree(small_bundle.folder, folder)
    body = json.loads((folder / MANIFEST).read_text())
    body["training"]["row_hashes"] = sample_hashes([as_run(device_rows())])
    (folder / MANIFEST).write_text(json.dumps(body))
    return load_bundle(folder)


def test_rows_that_the_network_was_fitted_on_are_refused(
    fitted_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    csv = write_csv(tmp_path / "a.csv", device_rows())

    error = refused(capsys, fitted_bundle, csv)
    assert "was fitted on about 100.0 % of these rows" in error
    assert "too low" in error
    score = ["score", str(fitted_bundle.folder), str(csv), "--out", str(tmp_path / "s.csv"), "--calibrate-rows", "300"]
    assert main(score) == 2
    assert "was fitted on" in capsys.readouterr().err


def test_other_rows_of_the_same_device_are_taken(fitted_bundle: Bundle, tmp_path: Path) -> None:
    calibrate(fitted_bundle, write_csv(tmp_path / "a.csv", device_rows(seed=5)))


def test_too_few_rows_are_refused_with_the_number_wanted(
    small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = refused(capsys, small_bundle, write_csv(tmp_path / "a.csv", device_rows(25)))

    assert "25 rows are too few for any statistic to take part: give at least 160 rows in a row" in error


def test_an_anomaly_among_the_rows_is_warned_of_with_its_rows(
    small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calibrate(small_bundle, write_csv(tmp_path / "a.csv", shake(device_rows(), slice(300, 330))))

    warning = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("warning"))
    first, last = (int(word) for word in (warning.split()[2], warning.split()[4]))
    assert 280 <= first <= 300
    assert 329 <= last <= 360
    assert "pressure" in warning
    stretch = warning.split("--exclude '")[1].rstrip("'")
    calibrate(small_bundle, tmp_path / "a.csv", "--exclude", stretch)
    assert "warning" not in capsys.readouterr().out


def test_normal_rows_are_not_warned_of(
    small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calibrate(small_bundle, write_csv(tmp_path / "a.csv", device_rows()))

    assert "warning" not in capsys.readouterr().out


def test_a_budget_sets_the_level_that_the_tail_has_for_it(small_bundle: Bundle, tmp_path: Path) -> None:
    csv = write_csv(tmp_path / "a.csv", device_rows())

    plain = calibrate(small_bundle, csv)
    strict, loose = (calibrate(small_bundle, csv, "--false-alarms-per-day", str(n)) for n in (20, 200))

    levels = [bundle_calibration(one, one.variants[0]).level for one in (plain, strict, loose)]
    tail = bundle_calibration(plain, plain.variants[0]).tail
    assert tail.return_period_s(levels[1]) == pytest.approx(86400 / 20)
    assert tail.return_period_s(levels[2]) == pytest.approx(86400 / 200)
    assert strict.alarm["level"] == pytest.approx(levels[1] / levels[0])
    assert strict.alarm["level_from"] == {"false_alarms_per_day": 20.0}


def test_a_budget_that_the_rows_cannot_support_is_refused_with_the_rows_needed(
    small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    csv = write_csv(tmp_path / "a.csv", device_rows())

    assert "takes about 86,400 normal rows" in refused(capsys, small_bundle, csv, "--false-alarms-per-day", "0.1")
    assert "is no budget" in refused(capsys, small_bundle, csv, "--false-alarms-per-day", "1e6")


def test_a_threshold_is_chosen_by_name_and_kept_for_the_device(small_bundle: Bundle, tmp_path: Path) -> None:
    csv = write_csv(tmp_path / "a.csv", device_rows())

    plain, made = calibrate(small_bundle, csv), calibrate(small_bundle, csv, "--threshold", "percentile:99")

    assert plain.threshold.name == "pot"
    assert (made.threshold.name, made.threshold.at) == ("percentile", 99.0)
    levels = [bundle_calibration(one, one.variants[0]).level for one in (plain, made)]
    assert levels[1] < levels[0]
    with pytest.raises(SystemExit):
        main(["calibrate", str(made.folder), str(csv), "--out", str(tmp_path / "b"), "--threshold", "magic"])


def labelled_rows() -> tuple[np.ndarray, np.ndarray]:
    values, labels = shake(device_rows(1000), slice(900, 940)), np.zeros(1000, bool)
    labels[900:940] = True
    return values, labels


def label_files(folder: Path) -> dict[str, list[str]]:
    """The same labels in every form, as the options that name them; the recording itself is a.csv."""
    values, labels = labelled_rows()
    write_csv(folder / "labelled.csv", values, labels)
    write_csv(folder / "a.csv", values)
    by_time = "\n".join(f"{START + row},{int(label)}" for row, label in enumerate(labels))
    (folder / "by_time.csv").write_text(f"time,anomaly\n{by_time}\n")
    (folder / "spans.csv").write_text(f"start,end\n{START + 900},{START + 939}\n")
    (folder / "spans.json").write_text(json.dumps([[str(START + 900), str(START + 939)]]))
    (folder / "windows.json").write_text(json.dumps({"x/a.csv": [[str(START + 900), str(START + 939)]]}))
    return {
        name: ["--labels", str(folder / name)] for name in ("by_time.csv", "spans.csv", "spans.json", "windows.json")
    }


def test_labels_set_the_level_whatever_form_they_have(
    small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forms = label_files(tmp_path)
    chosen = []
    for options in [["--labels", str(tmp_path / "labelled.csv")], *forms.values()]:
        made = calibrate(small_bundle, tmp_path / "a.csv", "--rows", "0:600", *options)
        chosen.append(made.alarm["level"])
        out = capsys.readouterr().out
        assert "labels: 1 anomaly in" in out
        assert "test it on another file" in out

    # The labelled recording is a file of its own, all rows of which are judged.
    assert len(set(chosen)) == 1
    assert made.alarm["level_from"]["anomalies"] == 1


def test_a_level_by_labels_is_as_good_as_the_best_there_is(small_bundle: Bundle, tmp_path: Path) -> None:
    label_files(tmp_path)

    made = calibrate(small_bundle, tmp_path / "a.csv", "--rows", "0:600", "--labels", str(tmp_path / "labelled.csv"))

    assert made.alarm["level_from"]["f"] > 0.85
    plain = calibrate(small_bundle, tmp_path / "a.csv", "--rows", "0:600")
    levels = [bundle_calibration(one, one.variants[0]).level for one in (plain, made)]
    assert levels[1] / levels[0] == pytest.approx(made.alarm["level"])


def test_labels_that_name_no_anomaly_are_refused(
    small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    csv = write_csv(tmp_path / "a.csv", device_rows(), np.zeros(ROWS, bool))

    error = refused(capsys, small_bundle, csv, "--rows", "0:400", "--labels", str(csv))

    assert "nothing to choose by" in error


def test_a_file_that_holds_no_labels_is_refused(
    small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    csv = write_csv(tmp_path / "a.csv", device_rows())

    assert "no label column" in refused(capsys, small_bundle, csv, "--labels", str(csv))
    (tmp_path / "bad.json").write_text("[1, 2]")
    assert 'wanted [["from", "to"], ...]' in refused(capsys, small_bundle, csv, "--labels", str(tmp_path / "bad.json"))


def test_a_device_that_commissions_itself_keeps_the_chosen_level(small_bundle: Bundle, tmp_path: Path) -> None:
    made = calibrate(small_bundle, write_csv(tmp_path / "a.csv", device_rows()), "--false-alarms-per-day", "100")
    rows = rows_of(as_run(device_rows(400, seed=8)))
    own: dict[str, float] = {}
    for bundle in (small_bundle, made):
        variant, model = load_model(bundle)
        group = StreamGroup(bundle, variant, model, [StreamSettings("pump", calibrate_rows=400)])
        for row in rows:
            group.process([(0, row)])
        own[bundle.sha256] = group.calibration(0).level

    assert own[made.sha256] == pytest.approx(made.alarm["level"] * own[small_bundle.sha256])


def test_a_level_that_is_no_number_above_0_makes_a_bundle_unusable(small_bundle: Bundle, tmp_path: Path) -> None:
    body = json.loads((small_bundle.folder / MANIFEST).read_text())
    shutil.copytree(small_bundle.folder, tmp_path / "b")
    (tmp_path / "b" / MANIFEST).write_text(json.dumps({**body, "alarm": {**body["alarm"], "level": 0}}))

    assert main(["calibrate", str(tmp_path / "b"), "a.csv", "--out", str(tmp_path / "c")]) == 2


def test_every_variant_calibration_can_be_read_back(small_bundle: Bundle, tmp_path: Path) -> None:
    made = calibrate(small_bundle, write_csv(tmp_path / "a.csv", device_rows()))

    for variant in made.variants:
        assert calibration_from_dict(variant.calibration, 3).rows == ROWS
