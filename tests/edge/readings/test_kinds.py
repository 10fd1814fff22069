"""Files as loggers, historians and programs export them: each is read rightly, or refused with what settles it."""

import contextlib
import gzip
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from edge.readings.options import FileError, FileOptions
from tests.edge.readings.reading import column, read

START = datetime(2024, 3, 4, 8, tzinfo=UTC)
AT = [START + timedelta(minutes=row) for row in range(60)]
TEMP = [round(24 + np.sin(row / 9) + row % 7 / 50, 2) for row in range(60)]
FLOW = [round(4 + np.cos(row / 5) / 2, 3) for row in range(60)]


def rows(form: str, at=AT) -> str:
    """A line for each minute; {t} is its time, {n} its number, {a} and {b} its values, {ac} and {bc} with a comma."""
    lines = []
    for n, (t, a, b) in enumerate(zip(at, TEMP, FLOW, strict=False)):
        ac, bc = f"{a:.2f}".replace(".", ","), f"{b:.3f}".replace(".", ",")
        lines.append(form.format(t=t, n=n, a=a, b=b, ac=ac, bc=bc, s=int(t.timestamp())))
    return "\n".join(lines) + "\n"


RENAME = (("column 2", "a"), ("column 3", "b"))
CASES = {
    "row names of R": ('"date","a","b"\n' + rows('"{n}","{t:%Y-%m-%d %H:%M:%S}",{a},{b}'), {}),
    "Campbell TOA5": (
        '"TOA5","site","CR1000","1","Std.32","CPU:p.CR1","9","T1"\n"TIMESTAMP","RECORD","a","b"\n"TS",'
        '"RN","Deg C","mbar"\n'
        '"","","Avg","Avg"\n' + rows('"{t:%Y-%m-%d %H:%M:%S}",{n},{a},{b}'),
        {},
    ),
    "HOBO": (
        '\ufeff"Plot Title: x"\n"#","Date Time, GMT+00:00","a (LGR S/N: 1, SEN S/N: 1)","b (LGR S/N: 1, SEN S/N: 1)",'
        '"End Of File (LGR S/N: 1)"\n' + rows("{n},{t:%m/%d/%y %I:%M:%S %p},{a},{b},"),
        {"day_first": False},
    ),
    "SMA with sep=": (
        "sep=;\nVersion CSV1|Tool|Delimiter semicolon\n\n;INV;INV\n;Serial 1;Serial 1\nTimestamp;a;b\n"
        "dd.MM.yyyy HH:mm;kW;°C\n" + rows("{t:%d.%m.%Y %H:%M};{ac};{bc}"),
        {},
    ),
    "LabVIEW": (
        "LabVIEW Measurement\t\nSeparator\tTab\n***End_of_Header***\t\n\t\nChannels\t2\t\t\nSamples\t60\t60\t\n"
        "Date\t2024/03/04\t2024/03/04\t\nX0\t0.0E+0\t0.0E+0\t\nDelta_X\t60.0\t60.0\t\n***End_of_Header***\t\t\t\n"
        "X_Value\ta\tb\tComment\n" + rows("{n}0.000\t{a}\t{b}\t"),
        {},
    ),
    "units in cells": ("Time,a,b\n" + rows("{t:%Y-%m-%d %H:%M:%S},{a} °C,{b} kW"), {}),
    "the zone behind": ("created_at,entry_id,a,b\n" + rows("{t:%Y-%m-%d %H:%M:%S} UTC,{n},{a},{b}"), {}),
    "quoted decimal commas": ("time,a,b\n" + rows('"{t:%Y-%m-%d %H:%M}","{ac}","{bc}"'), {}),
    "unquoted decimal commas": ("time,a,b\n" + rows("{t:%Y-%m-%d %H:%M},{ac},{bc}"), {"decimal": ","}),
    "a point in the time alone": ("time;a;b\n" + rows("{s}.000;{ac};{bc}"), {}),
    "date and time of day": ("Datum;Uhrzeit;a;b\n" + rows("{t:%d.%m.%Y};{t:%H:%M:%S};{ac};{bc}"), {}),
    "a temperature called T": ("Datum;Uhrzeit;T;a;b\n" + rows("{t:%d.%m.%Y};{t:%H:%M:%S};{ac};{ac};{bc}"), {}),
    "date and number of the hour": ("Date,Hour,Min,a,b\n" + rows("{t:%Y-%m-%d},{t.hour},{t.minute},{a},{b}"), {}),
    "year, month, day": (
        "No,year,month,day,hour,minute,a,b\n" + rows("{n},{t.year},{t.month},{t.day},{t.hour},{t.minute},{a},{b}"),
        {},
    ),
    "day of the year": ("year,doy,hhmm,a,b\n" + rows("2024,{t:%j},{t:%H%M},{a},{b}"), {}),
    "a count beside the date": ("time_since_start,created,a,b\n" + rows("{n},{t:%Y-%m-%d %H:%M},{a},{b}"), {}),
    "constant times": (
        ",result,table,_start,_time,a,b\n" + rows(",,0,2024-03-04T00:00:00Z,{t:%Y-%m-%dT%H:%M:%SZ},{a},{b}"),
        {},
    ),
    "digits without marks": ("time;a;b\n" + rows("{t:%Y%m%d%H%M%S};{a};{b}"), {}),
    "a name for date and time with a blank": ("time a b\n" + rows("{t:%Y-%m-%d %H:%M:%S} {a} {b}"), {}),
    "no time": ("a,b\n" + rows("{a},{b}"), {"period_s": 60.0}),
    "blanks and no header": (
        rows(" {n}  {a}   {b}"),
        {"period_s": 60.0, "rename": RENAME},
    ),
    "JSON lines": (rows('{{"time":{s},"values":{{"a":{a},"b":{b}}}}}'), {}),
    "other JSON": (rows('{{"ts":"{t:%Y-%m-%dT%H:%M:%SZ}","a":{a},"b":"{b}"}}'), {}),
    "long, of a historian": (
        "timestamp,tag,value,quality\n" + rows("{t:%Y-%m-%d %H:%M:%S},a,{a},192\n{t:%Y-%m-%d %H:%M:%S},b,{b},192"),
        {},
    ),
    "long, of InfluxDB": (
        "#datatype,string,long,dateTime:RFC3339,double,string\n,result,table,_time,_value,_field\n"
        + rows(",,0,{t:%Y-%m-%dT%H:%M:%SZ},{a},a")
        + "\n,result,table,_time,_value,_field\n"
        + rows(",,1,{t:%Y-%m-%dT%H:%M:%SZ},{b},b"),
        {},
    ),
    "long, one sensor after the other": (
        "time,sensor,reading\n" + rows("{t:%Y-%m-%d %H:%M:%S},a,{a}") + rows("{t:%Y-%m-%d %H:%M:%S},b,{b}"),
        {},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_file_as_it_is_exported_gives_its_times_and_channels(tmp_path, name):
    text, options = CASES[name]
    (tmp_path / "x.csv").write_text(text, "utf-8")

    layout, found = read(tmp_path / "x.csv", FileOptions(**options))

    counted = layout.time.relative
    assert [row.time for row in found] == [0.0 + 60 * n if counted else t.timestamp() for n, t in enumerate(AT)][
        : len(found)
    ] or name == "LabVIEW"
    assert column(found, "a") == TEMP
    assert column(found, "b") == FLOW
    extra = {one.channel for one in layout.channels} - {"a", "b"}
    assert extra <= {"T", "time_since_start"}


@pytest.mark.parametrize(
    ("text", "remedy", "options"),
    [
        ("Date,Time,a\n" + rows("{t:%d/%m/%Y},{t:%H:%M},{a}"), "'04/03/2024 08:00' .line 2.*--day-first",
         {"day_first": True}),
        ("time,a\n" + rows("{n},{a}"), "lie in 1970 .line 2: '0'.*--time-format s", {"time_format": "min"}),
        ("time,a\n" + rows("{n}5,{a}"), "--time-format s", {"time_format": "s"}),
        ("a,b\n" + rows("{a},{b}"), "no time column among a, b; .*--period", {"period_s": 60.0}),
        ("Time,b\n" + rows("{a},{b}"), "go up and down: a measurement", {"time_column": "none", "period_s": 1.0}),
        ("time;a\n" + rows("{t:%Y-%m-%d %H:%M};{bc}"), "'4,500' .line 2. may be decimal or thousands.*--decimal",
         {"decimal": ","}),
        ("time,a,b\n" + rows("{t:%Y-%m-%d %H:%M},{a},{b},1,2"), "3 names .*5 cells.*--header-row", {"header_row": 0}),
        ("time,a\n" + rows("{t:%Y-%m-%d %H:%M} CST,{a}"), "zone 'CST' .*--time-format",
         {"time_format": "%Y-%m-%d %H:%M CST", "timezone": "America/Chicago"}),
        ("time,a\n" + rows("{t:%Y-%m-%d},{a}"), "59 of 60 rows repeat the time.*--period",
         {"time_column": "none", "period_s": 60.0}),
        ("when,a\n" + rows("at {t:%H} past {n},{a}"), "--period", {"period_s": 60.0}),
    ],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_is_refused_with_a_remedy_that_works(tmp_path, text, remedy, options):
    (tmp_path / "x.csv").write_text(text, "utf-8")

    with pytest.raises(FileError, match=remedy):
        read(tmp_path / "x.csv")
    assert len(read(tmp_path / "x.csv", FileOptions(**options))[1]) == 60


def test_unix_times_are_read_in_the_unit_of_their_size(tmp_path):
    for digits in ("", "000", "000000", "000000000"):
        (tmp_path / "x.csv").write_text("time,a\n" + rows("{s}" + digits + ",{a}"))

        assert [row.time for row in read(tmp_path / "x.csv")[1]] == [t.timestamp() for t in AT]


def test_commas_and_points_in_turn_are_both_decimal_and_are_counted(tmp_path):
    text = "time;a;b\n" + rows("{t:%Y-%m-%d %H:%M};{ac};{bc}") + rows("{t:%Y-%m-%d 9:%M};{a:.2f};{b:.3f}")
    (tmp_path / "x.csv").write_text(text)

    layout, found = read(tmp_path / "x.csv")

    assert column(found, "a") == TEMP + TEMP
    assert column(found, "b") == FLOW + FLOW
    assert any("60 cells with a decimal comma, 60 with a point" in note for note in layout.notes)


def test_states_are_one_and_zero_and_other_words_are_left_out(tmp_path):
    states = "".join(
        f"{t:%Y-%m-%d %H:%M},{'TRUE' if n % 3 else 'FALSE'},{'on' if n % 5 else 'off'},heat\n" for n, t in enumerate(AT)
    )
    (tmp_path / "x.csv").write_text("time,valve,burner,mode\n" + states)

    layout, found = read(tmp_path / "x.csv")

    assert [one.channel for one in layout.channels] == ["valve", "burner"]
    assert column(found, "valve") == [float(n % 3 > 0) for n in range(60)]
    assert column(found, "burner") == [float(n % 5 > 0) for n in range(60)]


def test_times_rounded_so_far_that_rows_repeat_them_are_spread_evenly(tmp_path):
    lines = "".join(f"{n / 12000:.4f},{TEMP[n % 60]}\n" for n in range(600))
    (tmp_path / "x.csv").write_text("Time (s),a\n" + lines)

    layout, found = read(tmp_path / "x.csv")

    assert layout.time.even_s == 1 / 12000
    assert len(found) == 600
    assert np.diff([row.time for row in found]) == pytest.approx(1 / 12000)


def test_a_clock_change_is_named_with_the_zone_that_has_it(tmp_path):
    at = [datetime(2023, 10, 28, 22, tzinfo=UTC) + timedelta(minutes=15 * n) for n in range(60)]
    local = [moment + timedelta(hours=2 if moment < datetime(2023, 10, 29, 1, tzinfo=UTC) else 1) for moment in at]
    (tmp_path / "x.csv").write_text("time,a\n" + rows("{t:%Y-%m-%d %H:%M},{a}", local))

    with pytest.raises(FileError, match=r"'2023-10-29 02:00'.* a clock change.*--timezone Europe/Berlin"):
        read(tmp_path / "x.csv")
    _, found = read(tmp_path / "x.csv", FileOptions(timezone="Europe/Berlin"))
    assert [row.time for row in found] == [moment.timestamp() for moment in at]


def test_packed_files_are_read_and_others_are_named(tmp_path):
    text = "time,a\n" + rows("{t:%Y-%m-%d %H:%M},{a}")
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "x.parquet").write_bytes(b"PAR1" + bytes(100))

    assert column(read(tmp_path / "x.csv.gz")[1], "a") == TEMP
    with pytest.raises(FileError, match="it is a Parquet file; save it as CSV"):
        read(tmp_path / "x.parquet")


def test_the_newest_first_is_turned_round(tmp_path):
    lines = rows("{t:%Y-%m-%d %H:%M},{a}").splitlines()
    (tmp_path / "x.csv").write_text("\n".join(["time,a", *reversed(lines)]))

    assert column(read(tmp_path / "x.csv")[1], "a") == TEMP


def test_units_are_kept_from_wherever_they_stand(tmp_path):
    (tmp_path / "1.csv").write_text("time,a [bar],b\n" + rows("{t:%Y-%m-%d %H:%M},{a},{b} kW"))
    (tmp_path / "2.csv").write_text("time,a,b\n,bar,kW\n" + rows("{t:%Y-%m-%d %H:%M},{a},{b}"))

    for name in ("1.csv", "2.csv"):
        assert [one.unit for one in read(tmp_path / name)[0].channels] == ["bar", "kW"]


def test_kilowatts_and_watts_in_one_column_become_one_unit(tmp_path):
    lines = "".join(f"{t:%Y-%m-%d %H:%M},{'950 W' if n % 3 else '1.2 kW'}\n" for n, t in enumerate(AT))
    (tmp_path / "x.csv").write_text("time,a\n" + lines)

    layout, found = read(tmp_path / "x.csv")

    assert layout.channels[0].unit == "W"
    assert set(column(found, "a")) == {950.0, 1200.0}


def test_another_header_within_a_file_is_refused(tmp_path):
    same, wider = (
        "time,b,a\n" + rows("{t:%Y-%m-%d %H:%M},{b},{a}"),
        "time,a,b,c\n" + rows("{t:%Y-%m-%d %H:%M},{a},{b},1"),
    )
    for more in (same, wider):
        (tmp_path / "x.csv").write_text("time,a,b\n" + rows("{t:%Y-%m-%d %H:%M},{a},{b}") + more)

        with pytest.raises(FileError, match=r"header.* [Cc]ut (it|the file)|more cells"):
            read(tmp_path / "x.csv")


def test_a_year_of_two_digits_in_front_is_asked_for_where_it_may_be_a_day(tmp_path):
    (tmp_path / "x.csv").write_text("time,a\n" + rows("{t:%y-%m-%d %H:%M},{a}"))

    with pytest.raises(FileError, match=r"24 March 2004 or 4 March 2024.*--no-day-first"):
        read(tmp_path / "x.csv")
    assert read(tmp_path / "x.csv", FileOptions(day_first=False))[1][0].time == AT[0].timestamp()


def test_a_packed_file_that_was_cut_off_gives_what_is_in_it(tmp_path):
    text = "time,a\n" + rows("{t:%Y-%m-%d %H:%M},{a}")
    whole = gzip.compress(text.encode())
    (tmp_path / "x.csv.gz").write_bytes(whole[:-20])

    _, found = read(tmp_path / "x.csv.gz")

    assert 10 < len(found) < 60
    assert column(found, "a") == TEMP[: len(found)] or column(found[:-1], "a") == TEMP[: len(found) - 1]


@pytest.mark.parametrize("cell", ["9" * 5000, "²", "٣²"])
def test_cells_that_only_look_like_digits_raise_nothing_but_a_file_error(tmp_path, cell):
    (tmp_path / "file.csv").write_text("flow,pressure\n" + f"{cell},1.5,2.5\n" * 5, "utf-8")

    with contextlib.suppress(FileError):
        read(tmp_path / "file.csv")


@pytest.mark.parametrize("newest_first", [False, True])
def test_the_hour_that_a_clock_change_repeats_is_told_in_either_order_of_rows(tmp_path, newest_first):
    start = 1698530400  # 2023-10-29 00:00 in Berlin, where 02:00 to 03:00 comes twice
    zone = ZoneInfo("Europe/Berlin")
    times = [start + 600 * row for row in range(36)]
    lines = [f"{datetime.fromtimestamp(time, zone):%Y-%m-%d %H:%M:%S},{row % 7}" for row, time in enumerate(times)]
    file = tmp_path / "autumn.csv"
    file.write_text("time,a\n" + "\n".join(lines[::-1] if newest_first else lines) + "\n")

    _, found = read(file, FileOptions(timezone="Europe/Berlin"))

    assert [row.time for row in found] == times
