"""Times as people write them: read rightly, or refused; rows that stand twice are no even steps."""

import datetime as dt

import pytest

from edge.readings.options import FileError, FileOptions
from tests.edge.readings.reading import column, read_text
from tests.edge.readings.test_kinds import AT, FLOW, START, TEMP, rows

MINUTES = [moment.timestamp() for moment in AT]


@pytest.mark.parametrize(
    "form",
    [
        "{t:%G-W%V-%uT%H:%M},{a}",
        "{t:%GW%V%uT%H%M},{a}",
        "{t:%Y-%jT%H:%M:%SZ},{a}",
        "{t:%d.%m.%Y %H:%M} - {t:%d.%m.%Y %H:%M},{a}",
        "{t:%Y-%m-%dT%H:%MZ}/{t:%Y-%m-%dT%H:%MZ},{a}",
    ],
)
def test_week_dates_days_of_the_year_and_the_beginning_of_intervals(tmp_path, form):
    _, found = read_text(tmp_path, "period,a\n" + rows(form))

    assert [row.time for row in found] == MINUTES
    assert column(found, "a") == TEMP


def test_a_row_a_week_stands_on_its_monday(tmp_path):
    days = [dt.date(2019, 12, 2) + dt.timedelta(weeks=week) for week in range(12)]

    _, found = read_text(tmp_path, "week,a\n" + "".join(f"{day:%G-W%V},{day.day}\n" for day in days))

    assert [dt.datetime.fromtimestamp(row.time, dt.UTC).date() for row in found] == days


@pytest.mark.parametrize("form", ["{t:%Y-%m-%d},{t:%H:%M}-{t:%H:%M},{a}", "{t:%Y-%m-%d},{t:%H:%M}-{t:%M:00},{a}"])
def test_intervals_whose_end_looks_like_an_offset_are_refused(tmp_path, form):
    with pytest.raises(
        FileError, match=r"'08:00-.*' \(line 2\) of time column 'interval' is an interval, or its offset"
    ):
        read_text(tmp_path, "date,interval,a\n" + rows(form))


def test_a_pattern_is_tried_on_the_column_that_sounds_like_a_time(tmp_path):
    text = "a,time\n" + rows("{a},{t:%H_%M/%d/%m/%Y}")

    with pytest.raises(FileError, match="--time-format"):
        read_text(tmp_path, text)
    _, found = read_text(tmp_path, text, FileOptions(time_format="%H_%M/%d/%m/%Y"))
    assert [row.time for row in found] == MINUTES


@pytest.mark.parametrize("name", ["Hour Ending", "hour_ending", "HE"])
def test_the_hour_that_ends_makes_the_time_with_its_date(tmp_path, name):
    lines = [f"2024-03-{4 + row // 24:02d},{row % 24 + 1},{row}" for row in range(96)]

    _, found = read_text(tmp_path, "\n".join([f"Date,{name},a", *lines]))

    assert [row.time for row in found] == [START.timestamp() + 3600 * (row - 7) for row in range(96)]


def test_dates_that_repeat_are_no_rounded_times(tmp_path):
    lines = [f"2024-03-{4 + row // 24:02d},H{row % 24 + 1:02d},{row}" for row in range(96)]

    with pytest.raises(FileError, match=r"92 of 96 rows repeat .* --time-column A,B joins them"):
        read_text(tmp_path, "\n".join(["Date,Hour,a", *lines]))


def test_rows_that_are_written_twice_keep_their_time(tmp_path):
    once = rows("{t:%Y-%m-%d %H:%M},{a},{b}").splitlines()
    twice = [line for number, line in enumerate(once) for line in [line] * (1 + (number % 10 == 0))]

    layout, found = read_text(tmp_path, "\n".join(["time,a,b", *twice]))

    assert layout.time.even_s == 0
    assert sorted({row.time for row in found}) == MINUTES


def test_rounded_times_of_values_that_hardly_change_are_spread_evenly(tmp_path):
    lines = [f"2024-03-04 08:{row // 3:02d},{row // 50}" for row in range(150)]

    layout, _ = read_text(tmp_path, "\n".join(["time,a", *lines]))

    assert layout.time.even_s == 20.0


def test_utc_is_taken_where_it_stands_beside_local_time(tmp_path):
    layout, found = read_text(
        tmp_path, "local_time,utc_time,a\n" + rows("{t:%Y-%m-%d 2%H:%M},{t:%Y-%m-%d %H:%M},{a}").replace(" 20", " 1")
    )

    assert layout.time_names == "utc_time"
    assert found[0].time == MINUTES[0]


@pytest.mark.parametrize("form", ["{n},{a},{b}", "{t:%Y-%m-%d %H:%M},{a},{b}"], ids=["counted", "dated"])
def test_recordings_one_after_another_over_the_same_times_are_refused(tmp_path, form):
    with pytest.raises(
        FileError, match=r"line 62: the time in seconds begins anew \('(0|2024-03-04 08:00)'\), 60 of 12"
    ):
        read_text(tmp_path, "seconds,a,b\n" + rows(form) * 2)


def test_tables_one_below_the_other_that_fill_each_its_own_columns_are_one(tmp_path):
    text = "time,a,b\n" + rows("{t:%Y-%m-%d %H:%M},{a},") + rows("{t:%Y-%m-%d %H:%M},,{b}")

    _, found = read_text(tmp_path, text)

    assert {row.time: row.values["a"] for row in found if "a" in row.values} == dict(zip(MINUTES, TEMP, strict=True))
    assert {row.time: row.values["b"] for row in found if "b" in row.values} == dict(zip(MINUTES, FLOW, strict=True))


def test_a_number_that_a_spreadsheet_made_a_day_of_is_no_number(tmp_path):
    lines = rows("{t:%d.%m.%Y %H:%M};{ac}").splitlines()
    lines[7] = "04.03.2024 08:07;24. Jan"

    layout, found = read_text(tmp_path, "\n".join(["Datum;a", *lines]))

    assert found[7].rejected == ["a"]
    assert layout.channels[0].unit == ""
