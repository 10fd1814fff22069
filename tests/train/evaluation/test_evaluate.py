"""offbeat-train evaluate: metrics beside baselines with labels, plain counts without."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge.detector.bundle.files import Bundle
from edge.detector.replay import Replay
from edge.detector.score.runtime import load_model
from tests.helpers.small_bundle import START, WINDOW, normal_rows, shake, write_csv
from train.__main__ import main
from train.console.errors import DatasetError
from train.evaluation.evaluation import evaluate, filled_times, judge, summarize
from train.evaluation.found import Anomaly
from train.evaluation.label_windows import read_windows, windows_of
from train.evaluation.playback import Played, play, read_for
from train.read.tables import RawTable, ReadOptions

ROWS = 400
FAULT = slice(360, 400)


@pytest.fixture
def recordings(tmp_path: Path) -> list[Path]:
    """Two files with a labelled fault at their end."""
    files = []
    for number in range(2):
        values, labels = shake(normal_rows(ROWS, seed=20 + number), FAULT), np.zeros(ROWS, bool)
        labels[FAULT] = True
        files.append(write_csv(tmp_path / f"run{number}.csv", values, labels))
    return files


def figures(bundle: Bundle, files: list[Path], *options: str) -> dict[str, Any]:
    """What the command wrote as JSON."""
    out = files[0].with_name("figures.json")
    arguments = ["evaluate", str(bundle.folder), *map(str, files), "--json", str(out), *options]
    assert main(arguments) == 0
    return json.loads(out.read_text())


def test_labelled_files_give_metrics_beside_three_baselines(small_bundle: Bundle, recordings: list[Path]) -> None:
    body = figures(small_bundle, recordings, "--label-column", "label")

    assert list(body["detectors"]) == ["offbeat", "limits", "always", "clock"]
    offbeat = body["detectors"]["offbeat"]
    assert (offbeat["rows"], offbeat["anomalous_rows"]) == (2 * ROWS, 80)
    assert (offbeat["events"], offbeat["events_found"], offbeat["false_episodes"]) == (2, 2, 0)
    assert offbeat["roc_auc"] > 0.95
    assert 0 <= offbeat["delay_s"] <= WINDOW
    assert body["detectors"]["always"]["far"] == 1.0
    assert body["clock_row"] == FAULT.start
    assert body["detectors"]["clock"]["f1"] == 1.0


def test_the_json_says_what_was_evaluated(small_bundle: Bundle, recordings: list[Path]) -> None:
    body = figures(small_bundle, recordings, "--label-column", "label", "--from-row", "100")

    assert body["bundle"] == {"name": "small", "sha256": small_bundle.sha256, "variant": "float32"}
    assert body["files"] == ["run0", "run1"]
    assert (body["calibrate_rows"], body["from_row"]) == (0, 100)
    assert body["detectors"]["offbeat"]["rows"] == 2 * (ROWS - 100)


def test_evaluation_begins_after_the_rows_that_commission(small_bundle: Bundle, recordings: list[Path]) -> None:
    body = figures(small_bundle, recordings, "--label-column", "label", "--calibrate-rows", "200")

    assert body["from_row"] == 200
    assert body["detectors"]["offbeat"]["rows"] == 2 * (ROWS - 200)
    assert body["detectors"]["offbeat"]["events_found"] == 2


def test_without_labels_there_are_episodes_a_day_and_quantiles(small_bundle: Bundle, recordings: list[Path]) -> None:
    body = figures(small_bundle, recordings)

    assert "detectors" not in body
    assert (body["rows"], body["scored_rows"]) == (2 * ROWS, 2 * (ROWS - WINDOW + 1))
    assert body["episodes"] == 2
    assert body["days"] == pytest.approx(2 * (ROWS - 1) / 86400)
    assert body["episodes_per_day"] == pytest.approx(2 / body["days"])
    assert list(body["quantiles"]) == ["0.5", "0.9", "0.99", "0.999", "1"]
    assert body["quantiles"]["0.5"] < 1 < body["quantiles"]["1"]


def test_windows_decide_what_is_found(small_bundle: Bundle, recordings: list[Path]) -> None:
    span = ["2023-11-14 22:19:00", "2023-11-14 22:20:00"]  # rows 340 to 400: START is 22:13:20
    file = recordings[0].with_name("windows.json")
    file.write_text(json.dumps({"x/run0.csv": [span], "x/run1.csv": []}))

    offbeat = figures(small_bundle, recordings, "--windows", str(file))["detectors"]["offbeat"]

    assert (offbeat["events"], offbeat["events_found"], offbeat["false_episodes"]) == (1, 1, 1)
    assert offbeat["findings"][0]["start"] == START + 340
    assert offbeat["anomalous_rows"] == 60
    assert 20 <= offbeat["delay_s"] <= 20 + WINDOW


def test_the_table_shows_every_detector(
    small_bundle: Bundle, recordings: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    figures(small_bundle, recordings, "--label-column", "label")

    said = capsys.readouterr().out
    for text in ("Offbeat", "mean ± 3 sd", "always", "clock", "false episodes", "2 of 2", "PR-AUC"):
        assert text in said


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--label-column", "labl"), "nearest: label"),
        (("--from-row", "400"), "none from row 400 on"),
        (("--from-row", "100", "--calibrate-rows", "200"), "--from-row 100 lies among the 200 rows"),
        (("--windows", "nowhere.json"), "cannot read label windows"),
    ],
)
def test_options_that_do_not_fit_are_one_line(
    small_bundle: Bundle,
    recordings: list[Path],
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    reason: str,
) -> None:
    assert main(["evaluate", str(small_bundle.folder), *map(str, recordings), *options]) == 2

    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1


def test_files_are_played_in_lockstep_as_if_each_were_alone(small_bundle: Bundle, recordings: list[Path]) -> None:
    variant, model = load_model(small_bundle)
    tables = read_for(small_bundle, recordings, ReadOptions())

    together = play(small_bundle, variant, model, tables)
    alone = [play(small_bundle, variant, model, [table])[0] for table in tables]

    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.replay.score, other.replay.score, atol=1e-6)
        assert (one.replay.alarm == other.replay.alarm).all()


def played(score: list[float], alarm: str, labels: list[int] | None, times: list[float] | None = None) -> Played:
    """A file as if it had been played; `alarm` names the episode of each row, `.` for none."""
    count = len(score)
    at = START + np.arange(count, dtype=float) if times is None else np.array(times)
    table = RawTable("a", at.astype(str), at, ("x",), np.zeros((count, 1)), _bool(labels), 0, 0)
    episode = tuple(None if mark == "." else mark for mark in alarm)
    on = np.array([mark != "." for mark in alarm])
    replay = Replay(np.array(score), on, episode, (None,) * count, (), np.arange(count))
    return Played(table, replay, SimpleNamespace(tail=None, level=1.0), 0)  # type: ignore[arg-type]


def _bool(labels: list[int] | None) -> np.ndarray | None:
    return None if labels is None else np.array(labels, bool)


def test_rows_without_a_time_take_that_of_the_row_above() -> None:
    nan = float("nan")

    assert filled_times(np.array([nan, 1.0, nan, 3.0])).tolist() == [1.0, 1.0, 1.0, 3.0]


def test_an_episode_goes_on_through_a_row_that_came_too_late_for_the_grid() -> None:
    judged = judge(played([0.0] * 6, ".aa.ab", [0, 1, 1, 1, 1, 1]), None, 0)

    assert judged.starts.tolist() == [False, True, False, False, False, True]
    assert judged.anomalies == (Anomaly(START + 1.0, START + 5.0),)


def test_windows_go_before_labels_where_there_are_both() -> None:
    window = Anomaly(START + 0.0, START + 3.0)

    judged = judge(played([0.0] * 4, "....", [0, 0, 1, 0]), [window], 0)

    assert judged.anomalies == (window,)
    assert judged.labels.tolist() == [False, False, True, False]


def test_a_long_gap_is_not_evaluated_time(small_bundle: Bundle) -> None:
    file = played([0.1] * 4, "....", None, times=[0.0, 1.0, 1001.0, 1002.0])

    assert summarize(small_bundle, [file], 0).days == pytest.approx((1 + 5 + 1) / 86400)  # no more than max_gap_s


def test_nothing_scored_has_no_quantiles(small_bundle: Bundle) -> None:
    quiet = summarize(small_bundle, [played([float("nan")] * 3, "...", None)], 0)

    assert (quiet.scored_rows, quiet.quantiles) == (0, {})


@pytest.mark.parametrize(("before", "alarms"), [(29, 5), (30, 0)])
def test_fixed_limits_are_the_files_own_where_enough_rows_precede(
    small_bundle: Bundle, tmp_path: Path, before: int, alarms: int
) -> None:
    values = normal_rows(before + 5)
    values[:, 0] += 1000.0  # far out by the bundle's limits, normal for this file
    variant, model = load_model(small_bundle)
    tables = read_for(small_bundle, [write_csv(tmp_path / "a.csv", values)], ReadOptions())
    files = play(small_bundle, variant, model, tables)

    result = evaluate(small_bundle, files, [judge(files[0], (), before)])

    assert result.detectors["limits"].alarm_rows == alarms  # of 5


def test_label_windows_are_matched_by_the_end_of_the_path(tmp_path: Path) -> None:
    file = tmp_path / "windows.json"
    file.write_text(json.dumps({"one/a.csv": [["2020-01-01", "2020-01-02"]], "two/a.csv": []}))

    windows = read_windows(file, "UTC")

    assert windows_of(windows, "/data/one/a.csv") == (Anomaly(1577836800.0, 1577923200.0),)
    assert windows_of(windows, "/data/two/a.csv") == ()


@pytest.mark.parametrize(
    ("name", "reason"), [("/data/three/a.csv", "fit equally well"), ("/data/one/b.csv", "no label windows for a file")]
)
def test_a_file_without_windows_of_its_own_is_refused(name: str, reason: str) -> None:
    with pytest.raises(DatasetError, match=reason):
        windows_of({"one/a.csv": (), "two/a.csv": ()}, name)


def test_one_file_of_that_name_needs_no_folder() -> None:
    assert windows_of({"one/a.csv": (Anomaly(0.0, 1.0),)}, "/elsewhere/a.csv") == (Anomaly(0.0, 1.0),)


@pytest.mark.parametrize("text", ["[]", '{"a.csv": [["2020-01-01"]]}', '{"a.csv": 3}', "{"])
def test_windows_of_another_layout_are_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "windows.json"
    file.write_text(text)

    with pytest.raises(DatasetError, match=r"windows\.json"):
        read_windows(file, "UTC")


def test_rows_labelled_minus_one_are_left_out_and_said_to_be(small_bundle: Bundle, tmp_path: Path, capsys) -> None:
    labels = np.zeros(ROWS, int)
    labels[FAULT], labels[100:200] = 1, -1
    file = write_csv(tmp_path / "run.csv", shake(normal_rows(ROWS, seed=20), FAULT), None)
    lines = file.read_text().splitlines()
    file.write_text("\n".join(f"{line},{mark}" for line, mark in zip(lines, ["label", *labels], strict=True)) + "\n")

    offbeat = figures(small_bundle, [file], "--label-column", "label")["detectors"]["offbeat"]

    assert (offbeat["rows"], offbeat["normal_rows"], offbeat["anomalous_rows"]) == (300, 260, 40)
    assert offbeat["unjudged_rows"] == 100
    assert "100 rows that nobody judged" in capsys.readouterr().out


@pytest.mark.parametrize("found", [False, True])
def test_label_windows_of_a_file_or_in_the_folder_judge(small_bundle: Bundle, tmp_path: Path, found: bool) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    file = write_csv(folder / "run.csv", shake(normal_rows(ROWS, seed=20), FAULT))
    labels = (folder if found else tmp_path) / "labels.csv"
    ends = [f"{datetime.fromtimestamp(START + row, UTC):%Y-%m-%dT%H:%M:%S}" for row in (FAULT.start, FAULT.stop - 1)]
    labels.write_text(",".join(ends) + "\n")

    options = [] if found else ["--labels", str(labels)]
    out = tmp_path / "figures.json"
    recording = folder if found else file
    assert main(["evaluate", str(small_bundle.folder), str(recording), "--json", str(out), *options]) == 0

    offbeat = json.loads(out.read_text())["detectors"]["offbeat"]
    assert (offbeat["anomalous_rows"], offbeat["events"], offbeat["events_found"]) == (40, 1, 1)
