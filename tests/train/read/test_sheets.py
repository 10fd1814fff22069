"""Workbooks and Parquet files mean what the same table as CSV means."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from train.console.errors import DatasetError
from train.read.tables import ReadOptions, read_table

AT = [datetime(2024, 3, 4, 8) + timedelta(minutes=row) for row in range(50)]
FRAME = pd.DataFrame({"Time": AT, "a": np.arange(50) / 7, "b; c": ["on", "off"] * 25})


def assert_read(path):
    table = read_table(path, ReadOptions())

    assert table.channels == ("a", "b; c")
    np.testing.assert_allclose(table.values, np.column_stack([FRAME["a"], [1.0, 0.0] * 25]), rtol=1e-14)
    assert np.diff(table.times).tolist() == [60.0] * 49
    assert table.times[0] == 1709539200.0


def test_a_workbooks_first_sheet_is_a_table(tmp_path):
    pytest.importorskip("openpyxl")
    FRAME.to_excel(tmp_path / "x.xlsx", index=False)

    assert_read(tmp_path / "x.xlsx")


def test_a_parquet_file_is_a_table_with_or_without_an_index_of_times(tmp_path):
    pytest.importorskip("pyarrow")
    FRAME.to_parquet(tmp_path / "1.parquet")
    FRAME.set_index("Time").to_parquet(tmp_path / "2.parquet")

    assert_read(tmp_path / "1.parquet")
    assert_read(tmp_path / "2.parquet")


def test_what_is_no_workbook_says_so(tmp_path):
    (tmp_path / "x.xlsx").write_bytes(b"time,a\n1,2\n")

    with pytest.raises(DatasetError, match=r"x\.xlsx"):
        read_table(tmp_path / "x.xlsx", ReadOptions())


@pytest.mark.parametrize("step", [timedelta(minutes=1), timedelta(hours=1)], ids=["within a day", "over days"])
def test_a_workbooks_date_and_time_of_day_are_the_time_together(tmp_path, step):
    pytest.importorskip("openpyxl")
    at = [datetime(2024, 3, 4, 8) + step * row for row in range(50)]
    frame = pd.DataFrame({"Date": [t.date() for t in at], "Time": [t.time() for t in at], "a": FRAME["a"]})
    frame.to_excel(tmp_path / "x.xlsx", index=False)

    table = read_table(tmp_path / "x.xlsx", ReadOptions())

    assert np.diff(table.times).tolist() == [step.total_seconds()] * 49
    assert table.times[0] == 1709539200.0
