import numpy as np
import pytest

from train.console.errors import DatasetError
from train.console.times import format_time, parse_instant, parse_stretch, parse_times

NEW_YORK = "America/New_York"


def seconds(*texts: str, timezone: str = "UTC") -> list[float]:
    return parse_times(np.array(texts, object), timezone).tolist()


@pytest.mark.parametrize(
    "text",
    ["1414886400", "1414886400.0", "1414886400000", "1414886400000000", "1414886400000000000", "1414886400,0"],
)
def test_unix_times_are_read_in_seconds_or_smaller_units(text):
    assert seconds(text) == [1414886400.0]


@pytest.mark.parametrize(
    "text",
    [
        "2014-11-02T00:00:00Z",
        "2014-11-02 00:00:00",
        "2014-11-02 00:00:00.000",
        "2014-11-02T01:00:00+01:00",
        "2014-11-02T01:00+0100",
        "2014-11-01 19:00:00-05",
        "2014/11/02 00:00:00",
        "02.11.2014 00:00",
        "2014-11-02",
    ],
)
def test_text_times_are_read_with_and_without_a_zone(text):
    assert seconds(text) == [1414886400.0]


def test_text_without_a_zone_is_local_time():
    assert seconds("2014-07-01 00:00:00", timezone=NEW_YORK) == seconds("2014-07-01T04:00:00Z")


def test_rows_with_and_without_a_zone_may_be_mixed():
    assert seconds("2014-07-01T04:00:00Z", "2014-07-01 00:00", timezone=NEW_YORK) == [1404187200.0] * 2


def test_the_hour_that_a_clock_change_repeats_is_told_apart_by_the_order_of_rows():
    local = ["2014-11-02 00:30", "2014-11-02 01:00", "2014-11-02 01:30", "2014-11-02 01:00", "2014-11-02 01:30"]

    found = seconds(*local, "2014-11-02 02:00", timezone=NEW_YORK)

    assert np.diff(found).tolist() == [1800.0] * 5


def test_a_clock_change_whose_hour_came_once_takes_the_first_pass():
    found = seconds("2014-11-02 00:30", "2014-11-02 01:30", "2014-11-02 02:00", timezone=NEW_YORK)

    assert np.diff(found).tolist() == [3600.0, 5400.0]


def test_cells_that_are_no_times_are_nan():
    found = seconds("2014-11-02 00:00", "", "soon", "2014-13-41")

    assert np.isnan(found).tolist() == [False, True, True, True]


def test_fractions_of_a_second_survive():
    assert seconds("2014-11-02T00:00:00.250Z", "1414886400.25")[0] == pytest.approx(1414886400.25, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "2014-11-02 10:00:2014-11-03",
        "2014-11-02 10:00:00:2014-11-03 00:00:00",
        "2014-11-02 10:2014-11-03 00:00",
        "2014-11-02T10:00..2014-11-03",
        "2014-11-02T10:00/2014-11-03",
        "1414922400:1414972800",
        "2014-11-02T10:00Z:2014-11-03T00:00Z",
        "2014-11-02T10:00+00:00..2014-11-03T00:00+00:00",
    ],
)
def test_a_stretch_may_be_cut_by_any_of_the_separators(text):
    assert parse_stretch(text, "UTC") == (1414922400.0, 1414972800.0)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("2014-11-02", "FROM..TO"),
        ("yesterday..today", "is no time"),
        ("2014-11-03..2014-11-02", "ends before"),
        ("2014-11-02 10:30", "FROM..TO"),
    ],
)
def test_a_stretch_that_cannot_be_read_says_what_is_wanted(text, what):
    with pytest.raises(DatasetError, match=what):
        parse_stretch(text, "UTC")


def test_an_unknown_zone_is_named():
    with pytest.raises(DatasetError, match="Mars/Olympus"):
        parse_instant("2014-11-02", "Mars/Olympus")


def test_times_are_shown_in_local_time():
    assert format_time(parse_instant("2014-07-01 12:30", NEW_YORK), NEW_YORK) == "2014-07-01 12:30:00"
