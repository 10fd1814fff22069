"""Slots of daily and weekly seasons are local time."""

import datetime
import zoneinfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detector.rows.aligner import EARLIEST, LATEST
from edge.detector.rows.season import SEASONS, Calendar


def at(text: str, zone: str) -> float:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("day", "first"), [("2026-11-16", 0), ("2026-11-20", 0), ("2026-11-21", 24), ("2026-11-22", 48)]
)
@pytest.mark.parametrize("hour", [0, 9, 23])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"])
def test_weekdays_saturdays_and_sundays_have_their_own_hours(day, first, hour, zone):
    time = at(f"{day}T{hour:02d}:30", zone)

    assert Calendar("weekly", zone).slot(time) == first + hour
    assert Calendar("daily", zone).slot(time) == hour


def test_the_same_hour_of_the_clock_is_the_same_slot_in_summer_and_in_winter():
    calendar = Calendar("daily", "Europe/Berlin")

    assert calendar.slot(at("2026-07-01T08:00", "Europe/Berlin")) == calendar.slot(
        at("2026-12-01T08:00", "Europe/Berlin")
    )


def test_without_a_season_there_is_one_slot_and_no_zone_is_needed():
    calendar = Calendar(None, "Mars/Olympus")

    assert calendar.slots == 1
    assert calendar.slots_of(np.array([0.0, 1e9])).tolist() == [0, 0]


@given(st.sampled_from(["daily", "weekly"]), st.floats(EARLIEST, LATEST))
def test_every_time_that_the_aligner_lets_through_has_a_slot(season, time):
    calendar = Calendar(season, "Europe/Berlin")

    assert 0 <= calendar.slot(time) < calendar.slots == SEASONS[season]


def test_an_unknown_season_or_zone_is_told():
    with pytest.raises(ValueError, match="daily, weekly"):
        Calendar("monthly", "UTC")
    for zone in ("Mars/Olympus", "../etc/passwd", ""):
        with pytest.raises(ValueError, match="time zone"):
            Calendar("daily", zone)
