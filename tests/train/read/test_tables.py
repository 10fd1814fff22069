import numpy as np
import pytest

from tests.helpers.files import write_lines
from train.console.errors import DatasetError
from train.read.tables import ReadOptions, read_table, read_tables


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(tmp_path, separator):
    lines = [separator.join(row) for row in (["time", "a", "b c"], ["1700000000", "1.5", "2"], ["1700000001", "", "4"])]

    table = read_table(write_lines(tmp_path / "a.csv", *lines), ReadOptions())

    assert table.channels == ("a", "b c")
    np.testing.assert_array_equal(table.values, [[1.5, 2.0], [np.nan, 4.0]])


def test_a_decimal_comma_is_understood(tmp_path):
    file = write_lines(
        tmp_path / "a.csv", "Zeit;druck;n", "2020-03-09 10:00:00;1,5;1.200,5", "2020-03-09 10:00:01;-2,25;7"
    )

    assert read_table(file, ReadOptions()).values.tolist() == [[1.5, 1200.5], [-2.25, 7.0]]


def test_text_and_missing_cells_become_nan_and_text_is_counted(tmp_path):
    rows = ["1700000000,1,n/a", "1700000001,sensor error,2", "1700000002,inf,", "1700000003,4,NaN"]

    table = read_table(write_lines(tmp_path / "a.csv", "time,a,b", *rows), ReadOptions())

    assert np.isnan(table.values).tolist() == [[False, True], [True, False], [True, True], [False, True]]
    assert table.text_cells == 2


def test_every_row_of_the_file_is_kept_in_its_order(tmp_path):
    rows = ["1700000005,1", "soon,2", "1700000003,3", "1700000003,4"]

    table = read_table(write_lines(tmp_path / "a.csv", "time,a", *rows), ReadOptions())

    assert table.values[:, 0].tolist() == [1, 2, 3, 4]
    assert table.time_text.tolist() == ["1700000005", "soon", "1700000003", "1700000003"]
    assert np.isnan(table.times).tolist() == [False, True, False, False]


def test_short_and_long_lines_are_kept_and_counted(tmp_path):
    rows = [f"17000000{10 + row},5,6" for row in range(4)]

    table = read_table(
        write_lines(tmp_path / "a.csv", "time,a,b", *rows, "1700000020,1", "1700000021,2,3,4"), ReadOptions()
    )

    assert table.ragged == 2
    np.testing.assert_array_equal(table.values[4:], [[1, np.nan], [np.nan, np.nan]])  # nobody knows which is whose


@pytest.mark.parametrize(
    ("header", "row", "time"),
    [
        ("value,Timestamp", "1,2020-03-09 10:00:00", 1583748000.0),
        ("value,when", "1,2020-03-09 10:00:00", 1583748000.0),
        ("value,logged_at", "1,1583748000", 1583748000.0),
        ("t (s),value", "0.5,1", 0.5),
        ("date,time,value", "2020-03-09,10:00:00,1", 1583748000.0),
    ],
)
def test_the_time_column_is_found_by_name_or_content(tmp_path, header, row, time):
    table = read_table(write_lines(tmp_path / "a.csv", header, row, row), ReadOptions())

    assert table.times[0] == time
    assert table.channels == ("value",)


def test_a_label_column_is_no_channel_and_marks_rows(tmp_path):
    file = write_lines(tmp_path / "a.csv", "time,a,fault", "1700000000,1,0.0", "1700000001,2,1.0", "1700000002,2,")

    table = read_table(file, ReadOptions(label_column="fault"))

    assert table.channels == ("a",)
    assert table.labels is not None
    assert table.labels.tolist() == [False, True, False]


def test_what_looks_like_labels_is_left_out_and_said(tmp_path):
    file = write_lines(tmp_path / "a.csv", "time,a,anomaly", "1700000000,1,0", "1700000001,2,1")

    table = read_table(file, ReadOptions())

    assert table.channels == ("a",)
    assert [(one.name, one.option) for one in table.left_out] == [
        ("anomaly", "--label-column anomaly, or --keep anomaly")
    ]
    assert "1 of 2 rows are marked" in table.left_out[0].found
    assert read_table(file, ReadOptions(keep=("anomaly",))).channels == ("a", "anomaly")
    assert read_table(file, ReadOptions(channels=("a", "anomaly"))).channels == ("a", "anomaly")


def test_each_column_of_labels_is_counted_by_its_own_cells_or_not_at_all(tmp_path):
    lines = [f"2024-03-04 08:{row:02d},{row % 7},{int(row > 50)},{int(row == 51)}" for row in range(60)]
    (tmp_path / "x.csv").write_text("\n".join(["time,a,anomaly,changepoint", *lines]))

    found = {one.name: one.found for one in read_table(tmp_path / "x.csv").left_out}

    assert "9 of 60 rows are marked" in found["anomaly"]
    assert "marked" not in found["changepoint"]


def test_columns_without_a_number_are_left_out_and_said(tmp_path):
    file = write_lines(tmp_path / "a.csv", ",time,site,a", "0,1700000000,north,1", "1,1700000001,north,2")

    table = read_table(file, ReadOptions())

    assert table.channels == ("a",)
    assert [(one.name, one.found, one.option) for one in table.left_out] == [
        ("column 1", "has no name and counts the rows", "--keep 'column 1'"),
        ("site", "holds no number", ""),
    ]


def test_columns_that_are_dropped_are_no_channels_however_they_were_named(tmp_path):
    file = write_lines(tmp_path / "a.csv", "time,a,b,c", "1700000000,1,2,3", "1700000001,2,2,2")

    table = read_table(file, ReadOptions(drop=("b",)))

    assert table.channels == ("a", "c")
    assert [(one.name, one.found) for one in table.left_out] == [("b", "as told")]
    assert read_table(file, ReadOptions(channels=("b", "a"), drop=("b",))).channels == ("a",)


def test_columns_that_are_kept_join_those_that_are_named(tmp_path):
    file = write_lines(tmp_path / "a.csv", "time,a,b,fault", "1700000000,1,2,0")

    assert read_table(file, ReadOptions(channels=("b",), keep=("fault", "b"))).channels == ("b", "fault")


def test_windows_encodings_are_read(tmp_path):
    (tmp_path / "latin.csv").write_bytes("time;temp °C\r\n1700000000;1\r\n".encode("latin-1"))
    (tmp_path / "utf16.csv").write_bytes("time;temp °C\r\n1700000000;1\r\n".encode("utf-16"))
    (tmp_path / "bom.csv").write_bytes("time;temp °C\r\n1700000000;1\r\n".encode("utf-8-sig"))

    for name in ("latin", "utf16", "bom"):
        assert read_table(tmp_path / f"{name}.csv", ReadOptions()).channels == ("temp °C",)


@pytest.mark.parametrize(
    ("lines", "options", "what"),
    [
        ([], ReadOptions(), "no usable rows"),
        (["time,a"], ReadOptions(), "no usable rows"),
        (["time,a", "x,1"], ReadOptions(time_column="time"), r"'x' \(line 2\) .* --time-format"),
        (["time,a", "1700000000,x"], ReadOptions(channels=("a",)), "no usable rows"),
        (["x,y", "1,2"], ReadOptions(), "--time-column"),
        (["time,a", "1700000000,x"], ReadOptions(), "no channel with numbers"),
        (["t,value", "0.5,1"], ReadOptions(), r"lie in 1970 \(line 2: '0.5'\).* --time-format s"),
        (["readings", "1"], ReadOptions(), "--period"),
        (["time,pressure", "1700000000,1"], ReadOptions(channels=("presure",)), "nearest: pressure"),
        (["time,a", "1700000000,1"], ReadOptions(label_column="fault"), "label column 'fault'"),
        (["time,a", "1700000000,1"], ReadOptions(keep=("b",)), "column 'b' is not in the file"),
        (["time,a", "1700000000,1"], ReadOptions(drop=("b",)), "column 'b' is not in the file"),
        (["time,fault", "1700000000,1"], ReadOptions(), "--label-column fault, or --keep fault"),
        (["time,a", "1700000000,1"], ReadOptions(time_column="date"), "time column 'date'"),
    ],
)
def test_a_file_that_cannot_be_used_says_why_in_one_line(tmp_path, lines, options, what):
    with pytest.raises(DatasetError, match=what) as caught:
        read_table(write_lines(tmp_path / "a.csv", *lines), options)

    assert "\n" not in str(caught.value)
    assert "a.csv" in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"nowhere\.csv"):
        read_table(tmp_path / "nowhere.csv", ReadOptions())


def test_later_files_need_the_channels_of_the_first(tmp_path):
    first = write_lines(tmp_path / "1.csv", "time,a,b", "1700000000,1,2")
    more = write_lines(tmp_path / "2.csv", "time,b,c,a", "1700000000,3,4,5")
    fewer = write_lines(tmp_path / "3.csv", "time,a", "1700000000,1")

    assert read_tables([first, more], ReadOptions())[1].values.tolist() == [[5.0, 3.0]]
    with pytest.raises(DatasetError, match="'b' is not in the file"):
        read_tables([first, fewer], ReadOptions())


def test_files_of_the_same_name_are_told_apart(tmp_path):
    for folder in ("monday", "tuesday"):
        (tmp_path / folder).mkdir()
        write_lines(tmp_path / folder / "pump.csv", "time,a", "1700000000,1")

    tables = read_tables([tmp_path / "monday" / "pump.csv", tmp_path / "tuesday" / "pump.csv"], ReadOptions())

    assert [table.name for table in tables] == ["pump", "pump (2)"]
