"""Which line holds the names, and which cell is whose: told rightly, or refused; no reading is taken for a name."""

import pytest

from edge.readings.options import FileError
from tests.edge.readings.reading import column, read_text
from tests.edge.readings.test_kinds import AT, FLOW, TEMP, rows

LINES = rows("{t:%Y-%m-%d %H:%M:%S},{a},{b}").splitlines()


@pytest.mark.parametrize("count", [1, 14])
@pytest.mark.parametrize(
    "first",
    [
        "2024-03-04 07:{n:02d}:00,init,init",
        "2024-03-04 07:{n:02d}:00,<0.5,4.1",
        "unsynced,24.1,4.1",
        "{n},24.1,4.1",
        "1709535{n:02d}0.5,24.1,4.1",
    ],
)
def test_first_rows_that_are_written_otherwise_are_readings_and_the_names_stay(tmp_path, first, count):
    above = [first.format(n=number) for number in range(count)]

    layout, found = read_text(tmp_path, "\n".join(["time,a,b", *above, *LINES]))

    assert [one.name for one in layout.channels] == ["a", "b"]
    assert layout.rows == count + len(LINES)
    assert column(found, "a")[-len(TEMP) :] == TEMP


def test_names_that_are_numbers_stay_names(tmp_path):
    _, found = read_text(tmp_path, "\n".join(["time,0.5,1.0", *LINES]))

    assert column(found, "0.5") == TEMP
    assert column(found, "1.0") == FLOW


def test_a_file_that_changes_the_way_of_writing_times_midway_is_refused(tmp_path):
    epoch = [f"{int(time.timestamp())},{a},{b}" for time, a, b in zip(AT[:40], TEMP, FLOW, strict=False)]

    with pytest.raises(FileError, match=r"20 of 60 rows have no readable time in time, the first is '2024-03-04 08:40"):
        read_text(tmp_path, "\n".join(["time,a,b", *epoch, *LINES[40:]]))


@pytest.mark.parametrize(
    "names", ["station,time,a,b", "DATE TIME A B".replace(" ", ","), "No.,t,a,b", "x,a,b,c"], ids=lambda name: name[:7]
)
def test_more_names_than_cells_are_refused_where_they_may_be_shifted(tmp_path, names):
    with pytest.raises(FileError, match=r"4 names .* 3 cells .* which is whose cannot be told"):
        read_text(tmp_path, "\n".join([names, *LINES]))


def test_names_of_columns_that_are_empty_to_the_end_are_no_reason_to_refuse(tmp_path):
    layout, found = read_text(tmp_path, "\n".join(["time,a,b,remark", *LINES]))

    assert column(found, "a") == TEMP
    assert [one.name for one in layout.channels] == ["a", "b"]


def test_a_mark_of_comments_before_the_names_is_none_of_them(tmp_path):
    _, found = read_text(tmp_path, "% time a b\n" + rows("{s} {a} {b}"))

    assert column(found, "a") == TEMP


def test_a_short_line_between_blanks_gives_no_value(tmp_path):
    lines = rows("{s} {a} {b}").splitlines()
    lines[5] = lines[5].replace(f" {TEMP[5]} ", " ")

    layout, found = read_text(tmp_path, "\n".join(["time a b", *lines]))

    assert not found.pop(5).values
    assert column(found, "a") == [*TEMP[:5], *TEMP[6:]]
    assert column(found, "b") == [*FLOW[:5], *FLOW[6:]]
    assert "1 lines with more or fewer cells than the header; of these no value is used" in layout.notes


def test_names_in_levels_as_pandas_writes_them(tmp_path):
    above = "plant,pump,pump,tank\nquantity,a,b,a\ntime,,,\n"

    layout, found = read_text(tmp_path, above + rows("{t:%Y-%m-%d %H:%M:%S},{a},{b},{n}"))

    assert [one.name for one in layout.channels] == ["pump a", "b", "tank a"]
    assert column(found, "pump a") == TEMP
