"""CSV files: format, labels, several boards, repeatability, speed."""

import csv
import io
import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from edge.sources.lines import read_lines
from firmware_sim.__main__ import main
from firmware_sim.board.board import Firmware
from firmware_sim.board.fleet import BoardRun
from firmware_sim.board.simulation import SimulationSettings
from firmware_sim.links.csvfile import write_csv
from firmware_sim.machine.channels import NAMES

START = 1_767_571_200.0


def write(path: Path, *options: str) -> list[dict[str, str]]:
    assert main(["csv", "--out", str(path), "--quiet", *options]) == 0
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_a_second_with_all_channels_and_iso_time(tmp_path):
    rows = write(tmp_path / "a.csv", "--duration", "2m")

    assert list(rows[0]) == ["time", *NAMES]
    assert [row["time"] for row in rows[:2]] == ["2026-01-05T00:00:00Z", "2026-01-05T00:00:01Z"]
    assert len(rows) == 120


def test_unix_times_and_another_period(tmp_path):
    rows = write(tmp_path / "a.csv", "--duration", "10", "--period", "0.5", "--time", "unix", "--start", "2026-01-05")

    assert [float(row["time"]) for row in rows] == [START + 0.5 * step for step in range(20)]


def test_the_label_column_agrees_with_the_truth_file(tmp_path):
    rows = write(
        tmp_path / "a.csv",
        *("--hours", "4", "--random-faults", "5", "--labels", "--time", "unix", "--truth", str(tmp_path / "t.json")),
    )
    faults = json.loads((tmp_path / "t.json").read_text())["faults"]
    labelled = [float(row["time"]) for row in rows if row["anomaly"] == "1"]

    assert len(faults) == 5
    assert labelled == [
        time for fault in faults for time in np.arange(fault["start"], fault["end"]) if time < START + 4 * 3600
    ]


def test_the_truth_file_names_board_kind_span_channels_and_severity(tmp_path):
    truth_file = tmp_path / "t.json"
    write(tmp_path / "a.csv", "--fault", "leak@10m+5m:0.9", "--truth", str(truth_file))

    content = json.loads(truth_file.read_text())

    assert content["faults"] == [
        {
            "board": "pump1",
            "kind": "leak",
            "start": START + 600.0,
            "end": START + 900.0,
            "severity": 0.9,
            "channels": ["pressure", "motor_current", "flow"],
        }
    ]
    assert [channel["name"] for channel in content["channels"]] == list(NAMES)
    assert (content["start"], content["end"]) == (START, START + 3600.0)


def test_the_agents_file_source_reads_what_the_simulator_writes(tmp_path):
    write(tmp_path / "a.csv", "--duration", "1m", "--missing", "0.1")

    with (tmp_path / "a.csv").open() as file:
        lines = list(read_lines(file))

    assert [readings.time for _, readings in lines] == [START + step for step in range(60)]
    assert all(set(readings.values) <= set(NAMES) for _, readings in lines)
    assert 0 < sum(len(NAMES) - len(readings.values) for _, readings in lines) < 100


def test_several_boards_get_a_file_each_and_pumps_of_their_own(tmp_path):
    assert main(["csv", "--boards", "2", "--out", str(tmp_path / "{board}.csv"), "--quiet"]) == 0

    first, second = ((tmp_path / f"pump{number}.csv").read_text() for number in (1, 2))

    assert first.count("\n") == second.count("\n") == 3601
    assert first != second


def test_equal_options_give_equal_bytes_and_another_seed_gives_others(tmp_path):
    options = ["csv", "--quiet", "--hours", "3", "--random-faults", "3", "--labels"]
    board = ["--jitter-ms", "3", "--clock-drift", "20", "--link-loss-every", "30m", "--missing", "0.01"]
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert main([*options, *board, "--seed", seed, "--out", str(tmp_path / name)]) == 0

    contents = [(tmp_path / name).read_bytes() for name in "abc"]

    assert contents[0] == contents[1] != contents[2]


def test_a_longer_run_begins_as_a_shorter_one(tmp_path):
    short, long = (write(tmp_path / hours, "--hours", hours) for hours in ("1", "2"))

    assert long[: len(short)] == short


def test_a_run_that_is_stopped_ends_with_a_whole_row():
    stop, out = threading.Event(), io.StringIO()
    stop.set()

    rows = write_csv(BoardRun(SimulationSettings(0.0, 1e6), ("pump1",), Firmware()), 1, out, "unix", False, stop)

    assert 0 < rows < 1e6
    assert out.getvalue().endswith("\n")
    assert len({line.count(",") for line in out.getvalue().splitlines()}) == 1


def test_at_least_fifty_thousand_rows_a_second(capsys: pytest.CaptureFixture):
    """CPU time, so that a busy machine does not count against it."""
    began = time.process_time()

    rows = write_csv(
        BoardRun(SimulationSettings(START, 86400.0), ("pump1",), Firmware()),
        1,
        io.StringIO(),
        "iso",
        True,
        threading.Event(),
    )

    per_s = rows / (time.process_time() - began)
    with capsys.disabled():
        print(f"\n  {per_s:,.0f} rows of CSV a CPU second")
    assert per_s > 50_000
