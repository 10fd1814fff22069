"""The rolling archive: training reads it as it is, also after a power cut."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from edge.detector.rows.row import Row
from edge.history.archive import Archive
from edge.history.day_files import DayFiles
from train.read.tables import ReadOptions, read_table

CHANNELS = (("flow, main", "l/min"), ("pressure", "bar"))
START = 1_767_225_600.0


def archived(folder: Path, count: int, archive: Archive | None = None, since: int = 0) -> Archive:
    archive = archive or Archive(folder, 10**8, wall=lambda: START)
    for second in range(since, since + count):
        values = np.array([second / 7, np.nan if second % 5 else second])
        archive.row("pump1", CHANNELS, Row(START + second, values, held=(0,) if second == 3 else ()))
        if second % 10 == 9:
            archive.flush()
    return archive


def test_training_reads_what_was_archived_as_it_is_and_holds_values_by_itself(tmp_path):
    archived(tmp_path, 200).close()

    (file,) = tmp_path.rglob("*.csv.gz")
    table = read_table(file, ReadOptions())

    assert file.relative_to(tmp_path).as_posix() == "pump1/2026-01-01T000000.csv.gz"
    assert table.channels == ("flow, main", "pressure")
    assert table.times[:3].tolist() == [START, START + 1, START + 2]
    expected = np.arange(200) / 7
    expected[3] = np.nan
    np.testing.assert_array_equal(table.values[:, 0], expected)


@pytest.mark.parametrize("lost", [0, 1, 300])
def test_a_power_cut_costs_what_was_not_flushed(tmp_path, lost):
    archived(tmp_path, 500)  # never closed
    (file,) = tmp_path.rglob("*.csv.gz")
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(file.read_bytes()[: file.stat().st_size - lost])

    table = read_table(cut, ReadOptions())

    assert table.times[0] == START
    assert len(table.times) >= (500 if not lost else 350)


def test_after_a_start_a_new_file_is_begun_and_the_old_one_left_whole(tmp_path):
    archived(tmp_path, 100)
    archived(tmp_path, 100, since=100).close()

    assert sorted(file.name for file in tmp_path.rglob("*.csv.gz")) == [
        "2026-01-01T000000-2.csv.gz",
        "2026-01-01T000000.csv.gz",
    ]


def test_a_bundle_with_other_channels_begins_another_file_and_loses_no_row(tmp_path):
    archive = archived(tmp_path, 5)
    archive.row("pump1", (("flow", ""),), Row(START + 5, np.array([1.0])))
    archive.flush()
    archive.close()

    lines = [gzip.decompress(file.read_bytes()).decode().splitlines() for file in sorted(tmp_path.rglob("*.gz"))]

    assert sorted(len(each) for each in lines) == [2, 6]


def test_the_oldest_files_go_where_there_are_too_many_bytes_and_days_begin_new_ones(tmp_path):
    day = [START]
    files = DayFiles(tmp_path, 4000, lambda: day[0], lambda name, stamp: f"{name}/{stamp}.csv.gz")
    for number in range(10):
        day[0] = START + 86400 * number
        files.write("p", "time,a", "".join(f"{number}{second},{second * 1.1}\n" for second in range(200)))
        files.flush()
    files.close()

    kept = sorted(file.name for file in (tmp_path / "p").iterdir())
    assert kept[-1] == "2026-01-10T000000.csv.gz"
    assert "2026-01-01T000000.csv.gz" not in kept
    assert sum(file.stat().st_size for file in (tmp_path / "p").iterdir()) <= 5000


def test_nothing_is_written_unless_it_is_asked_for(tmp_path):
    archived(tmp_path, 20, Archive(tmp_path, 0)).close()

    assert list(tmp_path.iterdir()) == []
