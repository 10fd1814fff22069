"""Which events an open episode makes: not too many, and each with what is known by then."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detector.announcer import (
    CRITICAL,
    LEAST_UPDATE_S,
    Episode,
    Look,
    contributors_of,
    episode_from_dict,
    new_event,
)
from edge.wire.events import Contributor, Event, WindowSpan

BEGIN = 1000.0


def look(time: float, score: float = 1.2, **shares: float) -> Look:
    parts = tuple(Contributor(name, share, 1.0, 0.0, "V") for name, share in shares.items())
    return Look(time, score, 60.0, parts, WindowSpan(time - 7, time, 8))


def episode(update_every_s: float = 60.0, score: float = 1.2, **shares: float) -> Episode:
    return Episode(new_event(look(BEGIN, score, **shares), "id-1", "pump1", "anomaly", BEGIN - 3), update_every_s)


def told(one: Episode, looks: list[Look]) -> list[Event]:
    return [event for each in looks for event in one.update(each)]


def test_an_update_is_due_when_the_time_has_come_and_not_before():
    one = episode(60.0)

    assert one.update(look(BEGIN + 59.9)) == []
    assert [event.event_type for event in one.update(look(BEGIN + 60.0))] == ["update"]
    assert one.update(look(BEGIN + 119.9)) == []


@given(st.lists(st.tuples(st.floats(0.1, 20), st.floats(0, 5), st.floats(0, 1)), max_size=60), st.floats(0, 100))
def test_updates_are_never_closer_than_five_seconds(rows, update_every_s):
    one, time, said = episode(update_every_s, a=0.5, b=0.5), BEGIN, [BEGIN]
    for step, score, share in rows:
        time += step
        said += [event.time for event in one.update(look(time, score, a=share, b=1 - share))]

    assert all(after - before >= LEAST_UPDATE_S - 1e-6 for before, after in itertools.pairwise(said))


def test_a_rise_in_severity_is_told_at_once_when_the_last_word_is_old_enough():
    one = episode()

    assert one.update(look(BEGIN + 4.9, CRITICAL)) == []
    (event,) = one.update(look(BEGIN + 5.0, 1.0))
    assert (event.severity, event.top_score, event.score) == ("critical", CRITICAL, 1.0)


@pytest.mark.parametrize(("score", "severity"), [(math.nextafter(CRITICAL, 0), "warning"), (CRITICAL, "critical")])
def test_severity_goes_by_the_highest_score_so_far(score, severity):
    one = episode()
    one.update(look(BEGIN + 1, score))

    assert one.end(look(BEGIN + 50, 0.1)).severity == severity


def test_another_top_channel_is_told_when_it_leads_clearly():
    one = episode(a=0.6, b=0.4)

    assert one.update(look(BEGIN + 10, a=0.46, b=0.54)) == []
    (event,) = one.update(look(BEGIN + 11, b=0.7, a=0.3))
    assert event.contributors[0].channel == "b"


def test_two_channels_that_lead_in_turns_make_no_flood():
    looks = [look(BEGIN + n, **({"a": 0.52, "b": 0.48} if n % 2 else {"b": 0.52, "a": 0.48})) for n in range(1, 60)]

    assert told(episode(a=0.5, b=0.5), looks) == []


def test_the_end_says_what_was_last_known_of_the_channels():
    end = episode(a=0.9).end(look(BEGIN + 30, 0.4, b=0.8))

    assert (end.event_type, end.end_time, end.time, end.score) == ("end", BEGIN + 30, BEGIN + 30, 0.4)
    assert [part.channel for part in end.contributors] == ["a"]
    assert end.id == "id-1"


def test_an_episode_that_is_cut_ends_as_it_was_said_last():
    end = episode(a=0.9).cut(BEGIN + 30)

    assert (end.end_time, end.score, end.top_score, end.return_period_s) == (BEGIN + 30, 1.2, 1.2, 60.0)


@given(st.floats(-1e6, 1e6))
def test_no_episode_ends_before_it_began(time):
    end = episode().cut(time)

    assert end.start_time <= end.end_time <= end.time


def test_the_start_is_the_onset_in_every_event():
    one = episode()

    events = [*told(one, [look(BEGIN + 60), look(BEGIN + 120)]), one.end(look(BEGIN + 130))]
    assert {event.start_time for event in events} == {BEGIN - 3}
    assert [event.end_time for event in events] == [None, None, BEGIN + 130]


def test_an_episode_is_the_same_after_a_state_file():
    one = episode(a=0.9)
    one.update(look(BEGIN + 70, 3.0, a=0.8))
    again = episode_from_dict(json.loads(json.dumps(one.to_dict())), 60.0)

    assert again.last == one.last
    assert again.update(look(BEGIN + 129, 3.0, a=0.8)) == []
    assert len(again.update(look(BEGIN + 130, 3.0, a=0.8))) == 1


CHANNELS = [("a", "V"), ("b", "A"), ("c", ""), ("d", "bar")]


def test_the_largest_shares_are_named_with_value_expected_value_and_unit():
    found = contributors_of(
        CHANNELS, np.array([0.1, 0.5, 0.15, 0.25]), np.array([1, 2, 3, math.nan]), np.array([9, 8.1234567, 7, 6])
    )

    assert found == (
        Contributor("b", 0.5, 2.0, 8.12346, "A"),
        Contributor("d", 0.25, None, 6.0, "bar"),
        Contributor("c", 0.15, 3.0, 7.0, ""),
    )


def test_channels_without_a_share_are_not_named():
    assert contributors_of(CHANNELS, np.array([0.0, 1.0, 0.0, 0.0]), np.zeros(4), np.zeros(4))[1:] == ()
