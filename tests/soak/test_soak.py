"""A short soak, and the arithmetic of its table."""

from dataclasses import replace
from pathlib import Path

from tests.helpers.mosquitto import executable, missing
from tests.soak.samples import Sample, change, stretches
from tests.soak.soak import run

SAMPLE = Sample(rows=0, resident_mb=50.0, handles=10, inference_ms=0.2, commit_ms=1.0, written_mb=0.0, files_mb=0.1)


def test_every_row_is_scored_and_every_episode_received(tmp_path: Path) -> None:
    if executable() is None:
        missing("mosquitto (Debian: apt-get install mosquitto)")

    done = run(tmp_path, seed=1, rows=4000, every_s=0.2)

    assert done.complete
    assert done.faults >= 1
    assert done.samples[-1].rows > 0


def test_start_and_end_are_stretches_of_the_run_without_its_warm_up() -> None:
    start, end = stretches([replace(SAMPLE, rows=rows) for rows in range(0, 1001, 10)])

    assert [sample.rows for sample in start] == [20, 30, 40, 50, 60, 70]
    assert [sample.rows for sample in end] == [950, 960, 970, 980, 990, 1000]


def test_a_change_is_that_of_the_medians() -> None:
    start, end = ([replace(SAMPLE, resident_mb=mb) for mb in part] for part in ((1.0, 2.0, 30.0), (4.0, 5.0, 6.0)))

    assert change(start, end, "resident_mb") == (2.0, 5.0)
