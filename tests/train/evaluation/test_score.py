"""offbeat-train score: a line for each row, as the device would have it."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from edge.detector.bundle.files import Bundle
from edge.detector.group import StreamGroup, StreamSettings
from edge.detector.replay import Recording, grid_rows
from edge.detector.rows.aligner import AlignerSettings
from edge.detector.score.runtime import load_model
from tests.helpers.recordings import recordings
from tests.helpers.small_bundle import START, WINDOW, normal_rows, shake, write_csv
from train.__main__ import main
from train.console.errors import DatasetError
from train.evaluation.playback import grid_rows_before, play, read_for
from train.evaluation.scores import episodes_of
from train.read.tables import RawTable, ReadOptions, read_tables

ROWS = 500
FAULT = slice(460, 500)


def faulty_rows(rows: int = ROWS) -> np.ndarray:
    """Normal rows, but for a pressure that shakes at their end."""
    return shake(normal_rows(rows, seed=7), FAULT)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A file with a fault at its end."""
    return write_csv(tmp_path / "run.csv", faulty_rows())


def score(bundle: Bundle, file: Path, *options: str) -> list[dict[str, str]]:
    """The lines that the command wrote."""
    out = file.with_name("scores.csv")
    assert main(["score", str(bundle.folder), str(file), "--out", str(out), *options]) == 0
    with open(out, newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_input_row_has_one_line_in_its_order(small_bundle: Bundle, recording: Path) -> None:
    lines = score(small_bundle, recording)

    assert list(lines[0]) == ["time", "score", "alarm", "episode", "top_channel"]
    assert [line["time"] for line in lines] == [str(START + row) for row in range(ROWS)]


def test_scores_are_empty_until_a_window_is_full(small_bundle: Bundle, recording: Path) -> None:
    lines = score(small_bundle, recording)

    assert [line["score"] == "" for line in lines[: WINDOW + 1]] == [True] * (WINDOW - 1) + [False] * 2
    assert all(line["alarm"] == "0" and line["top_channel"] == "" for line in lines[: WINDOW - 1])


def test_a_fault_gives_one_episode_that_blames_its_channel(small_bundle: Bundle, recording: Path) -> None:
    lines = score(small_bundle, recording)

    alarm = np.array([line["alarm"] == "1" for line in lines])
    assert not alarm[: FAULT.start].any()
    assert alarm[FAULT.start + 8 :].all()
    assert len({line["episode"] for line in lines[FAULT.start + 8 :]}) == 1
    assert lines[FAULT.start + 10]["top_channel"] == "pressure"
    assert all((line["episode"] != "") == (line["alarm"] == "1") for line in lines)


def test_scores_are_those_of_the_streaming_pipeline(small_bundle: Bundle, recording: Path) -> None:
    variant, model = load_model(small_bundle)
    group = StreamGroup(small_bundle, variant, model, [StreamSettings("live")])
    readings = Recording(START + np.arange(ROWS, dtype=float), np.round(faulty_rows(), 4))
    rows, _ = grid_rows(readings, small_bundle.channel_names, AlignerSettings(1.0))
    live = [group.process([(0, row)])[0] for row in rows]

    lines = score(small_bundle, recording)

    found = [float(line["score"] or "nan") for line in lines]
    np.testing.assert_allclose(found, [outcome.score for outcome in live], rtol=1e-5)
    assert [line["alarm"] == "1" for line in lines] == [outcome.anomaly == "ON" for outcome in live]


def test_chosen_rows_are_scored_as_if_the_file_held_no_others(small_bundle: Bundle, tmp_path: Path) -> None:
    whole = write_csv(tmp_path / "whole.csv", faulty_rows())
    part = write_csv(tmp_path / "part.csv", faulty_rows()[100:480], start=START + 100)

    lines = score(small_bundle, whole, "--rows", "100:480", "--calibrate-rows", "200")

    assert len(lines) == 380
    assert lines == score(small_bundle, part, "--calibrate-rows", "200")


def test_rows_beyond_the_file_end_with_one_line_and_status_2(
    small_bundle: Bundle, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", str(small_bundle.folder), str(recording), "--rows", "900:"]) == 2

    assert f"it has {ROWS} rows, none of --rows 900:" in capsys.readouterr().err


def test_two_runs_write_the_same_file(small_bundle: Bundle, recording: Path) -> None:
    assert score(small_bundle, recording) == score(small_bundle, recording)


def test_times_stay_as_written_and_bad_rows_keep_their_line(small_bundle: Bundle, tmp_path: Path) -> None:
    file = tmp_path / "odd.csv"
    values = normal_rows(60)
    lines = [
        f"2024-05-01 10:{row // 60:02}:{row % 60:02};{a:.4f};{b:.4f};{c:.4f}" for row, (a, b, c) in enumerate(values)
    ]
    lines[20] = "no time;1;2;3"
    lines[21] = lines[19]  # a time again
    lines[30] = lines[30].split(";")[0] + ";;;"
    file.write_text("\n".join(["when;flow;pressure;current", *lines]) + "\n")

    scored = score(small_bundle, file, "--time-column", "when")

    assert len(scored) == 60
    assert scored[20]["time"] == "no time"
    assert scored[20]["score"] == ""
    assert scored[0]["time"] == "2024-05-01 10:00:00"
    assert scored[59]["score"] != ""


def test_a_gap_empties_scores_until_the_window_is_full_again(small_bundle: Bundle, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "gap.csv", normal_rows(80))
    head, *lines = file.read_text().splitlines()
    later = [f"{int(line.split(',')[0]) + 60},{line.split(',', 1)[1]}" for line in lines[40:]]
    file.write_text("\n".join([head, *lines[:40], *later]) + "\n")

    empty = [row for row, line in enumerate(score(small_bundle, file)) if line["score"] == ""]

    assert empty == [*range(WINDOW - 1), *range(40, 40 + WINDOW - 1)]


def test_extra_columns_are_passed_over_and_order_does_not_matter(small_bundle: Bundle, tmp_path: Path) -> None:
    values = faulty_rows()
    plain = write_csv(tmp_path / "plain.csv", values)
    mixed = tmp_path / "mixed.csv"
    rows = [f"{START + n},{c:.4f},x,{b:.4f},{a:.4f}" for n, (a, b, c) in enumerate(values)]
    mixed.write_text("\n".join(["time,current,note,pressure,flow", *rows]) + "\n")

    assert score(small_bundle, plain) == score(small_bundle, mixed)


def test_commissioning_rows_have_no_score_and_the_next_one_has(small_bundle: Bundle, recording: Path) -> None:
    lines = score(small_bundle, recording, "--calibrate-rows", "200")

    assert all(line["score"] == "" and line["alarm"] == "0" for line in lines[:200])
    assert lines[200]["score"] != ""


def test_commissioning_takes_file_rows_where_the_clock_skips(small_bundle: Bundle, tmp_path: Path) -> None:
    values = normal_rows(400)
    file = write_csv(tmp_path / "skips.csv", np.delete(values, slice(50, 250, 4), axis=0))
    head, *lines = file.read_text().splitlines()
    kept = np.delete(np.arange(400), slice(50, 250, 4))
    lines = [f"{START + at},{line.split(',', 1)[1]}" for at, line in zip(kept, lines, strict=True)]
    file.write_text("\n".join([head, *lines]) + "\n")

    scored = score(small_bundle, file, "--calibrate-rows", "200")

    assert scored[199]["score"] == ""
    assert scored[200]["score"] != ""


def test_commissioning_takes_no_later_reading_where_rows_share_a_grid_row(small_bundle: Bundle) -> None:
    variant, model = load_model(small_bundle)
    values = np.repeat(normal_rows(300), 2, axis=0)
    values[400:, 1] += 100.0  # were one of these commissioned on, the scale would be another
    times = START + 0.5 * np.arange(1, 601)
    table = RawTable("twice", times.astype(str), times, small_bundle.channel_names, values, None, 0, 0)

    (played,) = play(small_bundle, variant, model, [table], calibrate_rows=400)

    assert played.calibration.rows == 200
    assert np.isfinite(played.replay.score[400])
    assert np.nanmax(played.replay.score[405:450]) > 5


def test_events_are_written_a_json_object_a_line(small_bundle: Bundle, recording: Path, tmp_path: Path) -> None:
    lines = score(small_bundle, recording, "--events", str(tmp_path / "events.jsonl"))

    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [events[0]["event_type"], events[-1]["event_type"]] == ["new", "end"]
    assert {event["id"] for event in events} == {line["episode"] for line in lines} - {""}
    assert events[0]["contributors"][0]["channel"] == "pressure"


def test_the_summary_names_rows_and_episodes(
    small_bundle: Bundle, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score(small_bundle, recording)

    said = capsys.readouterr().out
    assert f"{ROWS} rows, {ROWS - WINDOW + 1} scored" in said
    assert "1 episode\n" in said
    assert "pressure" in said


def test_rows_without_a_score_are_explained(
    small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_csv(tmp_path / "odd.csv", normal_rows(60))
    head, *lines = file.read_text().splitlines()
    lines[10] = "never,1,2,3"
    lines[20] = lines[20].split(",")[0] + ",many,2,3"
    file.write_text("\n".join([head, *lines, *lines[30:33]]) + "\n")

    score(small_bundle, file)

    said = capsys.readouterr().out
    assert "1 rows without a readable time" in said
    assert "3 rows lie before a row above them" in said
    assert "1 cells hold text" in said


def test_an_episode_is_summed_up_with_its_loudest_channel(small_bundle: Bundle, recording: Path) -> None:
    variant, model = load_model(small_bundle)

    (played,) = play(small_bundle, variant, model, read_for(small_bundle, [recording], ReadOptions()))
    (episode,) = episodes_of(played)

    assert 0 <= episode.start - (START + FAULT.start) <= WINDOW
    assert episode.onset <= episode.start < episode.end
    assert episode.top_channel == "pressure"
    assert episode.top_score == pytest.approx(played.replay.score[played.replay.alarm].max(), rel=1e-3)


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What the command says of input that it cannot use: one line."""
    assert main(["score", *map(str, arguments)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "Traceback" not in said
    return said


def test_a_missing_channel_is_one_line_with_the_nearest_name(
    small_bundle: Bundle, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording.write_text(recording.read_text().replace("pressure", "presure"))

    assert "'pressure' is not in the file; nearest: presure" in refused(capsys, small_bundle.folder, recording)


def test_a_folder_without_manifest_is_one_line(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is this a bundle's folder?" in refused(capsys, recording.parent, recording)


def test_an_unknown_variant_is_one_line(
    small_bundle: Bundle, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no variant 'int8'" in refused(capsys, small_bundle.folder, recording, "--variant", "int8")


def test_an_unknown_time_zone_is_one_line(
    small_bundle: Bundle, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "Mars/Base" in refused(capsys, small_bundle.folder, recording, "--timezone", "Mars/Base")


@pytest.mark.parametrize(("rows", "reason"), [(15, "cannot commission on its first 15 rows"), (ROWS, "smaller --cal")])
def test_rows_that_cannot_commission_are_refused(
    small_bundle: Bundle, recording: Path, capsys: pytest.CaptureFixture[str], rows: int, reason: str
) -> None:
    assert reason in refused(capsys, small_bundle.folder, recording, "--calibrate-rows", rows)


def test_a_channel_without_values_while_commissioning_is_named(small_bundle: Bundle, tmp_path: Path) -> None:
    values = faulty_rows()
    values[:250, 2] = np.nan
    variant, model = load_model(small_bundle)
    tables = read_for(small_bundle, [write_csv(tmp_path / "run.csv", values)], ReadOptions())

    with pytest.raises(DatasetError, match=r"run: .* first 200 rows: channel current"):
        play(small_bundle, variant, model, tables, calibrate_rows=200)


def test_files_of_one_name_are_told_apart(small_bundle: Bundle, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    files = [write_csv(tmp_path / folder / "run.csv", normal_rows(30)) for folder in ("a", "b")]

    names = [table.name for table in read_for(small_bundle, files, ReadOptions())]

    assert names == ["run", "run (2)"]


@pytest.mark.data
def test_commissioning_on_valve1_ends_at_file_row_400() -> None:
    tables = read_tables(recordings("skab/valve1/*.csv"), ReadOptions(label_column="anomaly"))
    settings = AlignerSettings(1.0)

    for table in tables:
        _, place = grid_rows(Recording(table.times, table.values), table.channels, settings)
        assert grid_rows_before(table, 400, settings) == place[400]
