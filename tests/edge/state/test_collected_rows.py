"""Rows collected for commissioning: each is written once, and what a power cut leaves is read as far as it goes."""

import math
from pathlib import Path

import numpy as np
import pytest

from edge.detector.rows.row import Row
from edge.state.collected_rows import CollectedRows


def rows(count: int, first: float = 1000.0) -> list[Row]:
    return [
        Row(first + n, np.array([float(n), math.nan if n % 2 else 0.5]), n == 0, (1,) * (n % 2)) for n in range(count)
    ]


def same(found: list[Row], wanted: list[Row]) -> bool:
    return len(found) == len(wanted) and all(
        (one.time, one.restart, one.held) == (other.time, other.restart, other.held)
        and np.array_equal(one.values, other.values, equal_nan=True)
        for one, other in zip(found, wanted, strict=True)
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "streams" / "p1.rows"


def test_rows_come_back_as_they_were(path):
    CollectedRows(path).save(rows(5))

    assert same(CollectedRows(path).load(2), rows(5))
    assert CollectedRows(path.with_name("other")).load(2) == []


def test_only_what_is_new_is_written(path):
    kept = CollectedRows(path)
    kept.save(rows(3))
    kept.save(rows(3))
    before = path.read_bytes()
    path.write_bytes(b"")

    kept.save(rows(5))
    assert path.read_bytes().count(b"\n") == 2
    path.write_bytes(before + path.read_bytes())
    again = CollectedRows(path)
    again.load(2)
    again.save(rows(6))

    assert same(CollectedRows(path).load(2), rows(6))


def test_a_line_cut_off_by_a_power_cut_costs_that_line_and_is_written_over(path):
    CollectedRows(path).save(rows(5))
    path.write_bytes(path.read_bytes()[:-7])
    again = CollectedRows(path)

    assert same(again.load(2), rows(4))
    again.save(rows(6))

    assert same(CollectedRows(path).load(2), rows(6))


@pytest.mark.parametrize(
    "line", [b"{}", b"[1]", b"\xff", b"[[]", b'["x",false,[],[1,2]]', b"[1,false,[],[1]]", b"[1e999,false,[],[1,2]]"]
)
def test_lines_that_are_no_rows_end_what_is_read(path, line):
    CollectedRows(path).save(rows(2))
    path.write_bytes(path.read_bytes() + line + b"\n" + path.read_bytes())

    assert same(CollectedRows(path).load(2), rows(2))


def test_other_rows_replace_the_file_and_none_remove_it(path):
    kept = CollectedRows(path)
    kept.save(rows(5))
    kept.save(rows(3, first=2000.0))
    assert same(CollectedRows(path).load(2), rows(3, first=2000.0))

    kept.save([])
    kept.save([])

    assert not path.exists()
