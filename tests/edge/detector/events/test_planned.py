import datetime
import zoneinfo

import numpy as np
import pytest

from edge.detector.events.planned import PlannedException
from edge.detector.group import StreamSettings
from tests.helpers.rig import START, WINDOW, events_of, group_of, normal, play, rows_of, with_fault, write_rig_bundle

UTC = datetime.UTC
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def at(text: str, zone: datetime.tzinfo = UTC) -> float:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def plan(start: str, end: str, repeat="no") -> PlannedException:
    return PlannedException(
        "works", datetime.datetime.fromisoformat(start), datetime.datetime.fromisoformat(end), repeat
    )


@pytest.mark.parametrize(
    ("repeat", "inside", "outside"),
    [
        ("no", ["2026-03-02T22:00", "2026-03-03T05:59"], ["2026-03-02T21:59", "2026-03-03T06:00", "2026-03-09T23:00"]),
        ("daily", ["2026-03-20T01:00", "2026-03-20T22:00"], ["2026-03-01T23:00", "2026-03-20T12:00"]),
        ("weekly", ["2026-03-09T23:00", "2026-03-17T05:00"], ["2026-03-10T23:00", "2026-02-23T23:00"]),
        ("yearly", ["2027-03-02T23:00", "2028-03-03T05:00"], ["2027-03-04T23:00", "2025-03-02T23:00"]),
    ],
)
def test_a_span_comes_round_as_it_says(repeat, inside, outside):
    planned = plan("2026-03-02T22:00", "2026-03-03T06:00", repeat)

    assert all(planned.covers(at(text), UTC) for text in inside)
    assert not any(planned.covers(at(text), UTC) for text in outside)


def test_a_nightly_span_keeps_to_the_clock_on_the_wall():
    nightly = plan("2026-01-01T02:30", "2026-01-01T04:30", "daily")

    assert nightly.covers(at("2026-07-01T03:00", BERLIN), BERLIN)
    assert not nightly.covers(at("2026-07-01T05:00", BERLIN), BERLIN)


def test_the_29th_of_february_comes_every_year():
    planned = plan("2024-02-29T00:00", "2024-03-01T00:00", "yearly")

    assert planned.covers(at("2028-02-29T12:00"), UTC)
    assert planned.covers(at("2026-03-01T12:00"), UTC)


@pytest.mark.parametrize(
    ("start", "end", "repeat", "message"),
    [
        ("2026-01-02T00:00", "2026-01-01T00:00", "no", "wanted later"),
        ("2026-01-01T00:00", "2026-01-03T00:00", "daily", "never end"),
        ("2026-01-01T00:00+01:00", "2026-01-02T00:00", "no", "offset"),
    ],
)
def test_a_span_that_makes_no_sense_is_refused(start, end, repeat, message):
    with pytest.raises(ValueError, match=message):
        plan(start, end, repeat)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_rig_bundle(tmp_path_factory.mktemp("rig"))


def told(bundle, rows: tuple[int, int], fault: tuple[int, int], update_every_s: float = 5.0):
    """Event types of 300 rows with a fault, while `rows` are planned."""
    start, end = (datetime.datetime.fromtimestamp(START + row, UTC) for row in rows)
    planned = (PlannedException("works", start, end),)
    group = group_of(bundle, StreamSettings("pump1", planned=planned, update_every_s=update_every_s))
    values = with_fault(normal(300, 8), *fault)
    return [event.event_type for event in events_of(play(group, rows_of(values)))]


def test_an_episode_within_a_planned_span_is_not_told(bundle):
    assert told(bundle, (50, 300), (100, 40)) == []


def test_an_episode_that_outlasts_it_is_told_as_new_afterwards(bundle):
    types = told(bundle, (50, 130), (100, 80))

    assert types[0] == "new"
    assert types[-1] == "end"
    assert types.count("new") == types.count("end") == 1


def test_an_episode_that_began_before_it_gets_its_end(bundle):
    types = told(bundle, (120, 300), (100, 60))

    assert (types[0], types[-1]) == ("new", "end")


def test_what_was_kept_back_stays_so_over_a_restart(bundle):
    start, end = (datetime.datetime.fromtimestamp(START + row, UTC) for row in (50, 300))
    settings = StreamSettings("pump1", planned=(PlannedException("works", start, end),))
    group = group_of(bundle, settings)
    values = with_fault(normal(300, 8), 100, 60)
    play(group, rows_of(values[:120]))
    again = group_of(bundle, settings)
    again.restore(0, group.snapshot(0))

    events = events_of(play(again, rows_of(values[120:], START + 120)))

    assert events == []


def test_the_state_stays_off_while_an_episode_is_kept_back(bundle):
    start, end = (datetime.datetime.fromtimestamp(START + row, UTC) for row in (50, 300))
    group = group_of(bundle, StreamSettings("pump1", planned=(PlannedException("works", start, end),)))

    outcomes = play(group, rows_of(with_fault(normal(200, 8), 100, 40)))

    assert {outcome.anomaly for outcome in outcomes} == {"OFF"}
    assert max(np.nan_to_num([outcome.score for outcome in outcomes[WINDOW:]])) > 1
