"""Which events an open episode makes: not too many, and each with what is known by then."""

import dataclasses
import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detector.events.episode import (
    CRITICAL,
    CRITICAL_PERIOD_S,
    LEAST_UPDATE_S,
    Episode,
    Look,
    episode_from_dict,
    new_event,
    severity_of,
)
from edge.wire.events import Contributor, Event, Peak, RuleHit, WindowSpan

BEGIN = 1000.0


def look(time: float, score: float = 1.2, rare_s: float | None = None, **shares: float) -> Look:
    parts = tuple(Contributor(name, share, 1.0, 0.0, "V") for name, share in shares.items())
    return Look(time, score, rare_s, parts, WindowSpan(time - 7, time, 8))


def episode(update_every_s: float = 60.0, score: float = 1.2, rare_s: float | None = None, **shares: float) -> Episode:
    first = look(BEGIN, score, rare_s, **shares)
    return Episode(new_event(first, "id-1", "pump1", "anomaly", BEGIN - 3), update_every_s)


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


JUST_UNDER, MONTH = math.nextafter(CRITICAL, 0), CRITICAL_PERIOD_S
RULE = [
    ("anomaly", CRITICAL, None, "critical"),
    ("anomaly", CRITICAL, MONTH, "critical"),
    ("anomaly", CRITICAL, math.nextafter(MONTH, 0), "warning"),
    ("anomaly", JUST_UNDER, None, "warning"),
    ("anomaly", JUST_UNDER, 100 * MONTH, "warning"),
    ("anomaly", 0.0, 60.0, "warning"),
    ("drift", CRITICAL, None, "warning"),
    ("rule", None, None, "warning"),
    ("sensor", None, None, "warning"),
]


@pytest.mark.parametrize(("kind", "score", "rare_s", "severity"), RULE)
def test_an_anomaly_is_critical_where_it_is_loud_and_rare_enough_on_normal_rows(kind, score, rare_s, severity):
    assert severity_of(kind, score, rare_s) == severity


@given(st.floats(0, 10), st.floats(0, 1e12))
def test_no_period_at_all_is_as_severe_as_any_period(score, rare_s):
    assert severity_of("anomaly", score, rare_s) in ("warning", severity_of("anomaly", score, None))


@pytest.mark.parametrize(("score", "severity"), [(JUST_UNDER, "warning"), (CRITICAL, "critical")])
def test_severity_goes_by_the_loudest_row_so_far(score, severity):
    one = episode(score=1.2, rare_s=60.0)
    one.update(look(BEGIN + 1, score, MONTH))

    assert one.end(look(BEGIN + 50, 0.1, 60.0)).severity == severity


def test_what_normal_rows_reach_within_a_month_makes_no_episode_critical():
    one = episode(score=3.0, rare_s=MONTH - 1)

    assert one.end(look(BEGIN + 50, 0.1, 60.0)).severity == "warning"


@given(st.lists(st.tuples(st.floats(0, 5), st.none() | st.floats(0, 3 * MONTH)), max_size=40))
def test_severity_never_falls(rows):
    one = episode(5.0)
    said = [*told(one, [look(BEGIN + 5 * n, *row) for n, row in enumerate(rows, 1)]), one.end(look(BEGIN + 900, 0.1))]

    known = [event.severity for event in said]
    assert known == sorted(known, reverse=True), "warning comes after critical in the alphabet"


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
    end = episode(rare_s=60.0, a=0.9).cut(BEGIN + 30)

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


def test_the_peak_of_a_new_episode_is_its_row():
    event = episode(score=1.5, rare_s=60.0, a=0.9).last

    assert event.peak == Peak(BEGIN, 1.5, 60.0, event.contributors)


def test_the_peak_is_the_loudest_row_also_of_those_between_two_updates():
    one = episode(60.0, a=0.9)
    loudest = look(BEGIN + 7, 1.9, 600.0, b=0.55, a=0.45)
    assert told(one, [look(BEGIN + 6, 1.5, a=0.9), loudest, look(BEGIN + 8, 1.6, a=0.9)]) == []

    (update,) = one.update(look(BEGIN + 60, 1.1, 30.0, a=0.8))
    end = one.end(look(BEGIN + 90, 0.2))

    assert (update.score, update.return_period_s, update.contributors[0].channel) == (1.1, 30.0, "a")
    assert update.peak == end.peak == Peak(BEGIN + 7, 1.9, 600.0, loudest.contributors)
    assert end.contributors == update.contributors


@given(st.lists(st.tuples(st.floats(0.1, 30), st.floats(0, 5)), max_size=40))
def test_every_event_has_the_loudest_row_up_to_it_as_its_peak(steps):
    one, time, scores = episode(20.0), BEGIN, {BEGIN: 1.2}
    for step, score in steps:
        time += step
        scores[time] = score
        for event in one.update(look(time, score)):
            assert event.peak == Peak(max(scores, key=scores.get), max(scores.values()), None)
            assert event.top_score == event.peak.score

    assert one.cut(time).peak.score == max(scores.values())


def test_an_episode_without_a_score_has_no_peak():
    first = Look(BEGIN, None, rule=RuleHit("max", "a", 1.0, 2.0))
    one = Episode(new_event(first, "id-1", "pump1", "rule", BEGIN), 60.0)
    (update,) = one.update(Look(BEGIN + 60, None, rule=RuleHit("max", "a", 1.0, 3.0)))

    assert [event.peak for event in (one.last, update, one.end(Look(BEGIN + 70, None)))] == [None] * 3


def of_an_older_version(one: Episode) -> Episode:
    body = json.loads(json.dumps(one.to_dict()))
    for name in ("peak", "calming"):
        del body["event"][name]
    for part in body["event"]["contributors"]:
        for name in ("tolerance", "direction", "reason"):
            del part[name]
    return episode_from_dict(body, 60.0)


def test_the_peak_survives_a_state_file():
    one = episode(a=0.9)
    one.update(look(BEGIN + 1, 1.9, 600.0, b=1.0))
    again = episode_from_dict(json.loads(json.dumps(one.to_dict())), 60.0)

    assert again.cut(BEGIN + 2).peak == Peak(BEGIN + 1, 1.9, 600.0, look(0, b=1.0).contributors)


def test_the_row_that_an_older_version_told_last_is_the_peak_where_it_was_the_loudest():
    one = episode(score=1.5, rare_s=60.0, a=0.9)

    assert of_an_older_version(one).cut(BEGIN + 2) == one.cut(BEGIN + 2)


def test_a_loudest_row_that_an_older_version_did_not_tell_is_no_peak_until_one_is_louder():
    one = episode(a=0.9)
    one.update(look(BEGIN + 1, 1.9, a=0.9))
    again = of_an_older_version(one)

    (update,) = again.update(look(BEGIN + 60, 1.8, a=0.9))
    assert (update.top_score, update.peak) == (1.9, None)
    (update,) = again.update(look(BEGIN + 120, 2.0, a=0.9))
    assert (update.top_score, update.peak.time) == (2.0, BEGIN + 120)


def test_only_the_update_that_says_so_is_calming():
    one = episode()
    one.last = dataclasses.replace(one.last, calming=True)

    assert not one.update(look(BEGIN + 60))[0].calming
    assert not one.end(look(BEGIN + 70)).calming


EIGHT_HOURS = 8 * 3600


def rows_of_a_shift(seed: int, channels: int = 3) -> list[Look]:
    """A row a second: a score that wanders above the level and dips under it, with leaders that change by chance."""
    chance = np.random.default_rng(seed)
    scores = np.exp(chance.normal(0.4, 0.35, EIGHT_HOURS))
    scores[:30] = np.linspace(1.2, 2.5, 30)
    shares = chance.dirichlet(np.ones(channels), EIGHT_HOURS // 60)
    named = [{f"c{at}": float(part) for at, part in enumerate(parts)} for parts in shares]
    return [look(BEGIN + n, float(score), None, **named[n // 60 % len(named)]) for n, score in enumerate(scores, 1)]


@pytest.mark.parametrize("seed", range(3))
def test_eight_hours_of_a_fault_are_few_messages_and_none_reads_as_if_all_were_well(seed):
    one = episode(3600.0, c0=0.6, c1=0.4)

    said = told(one, rows_of_a_shift(seed))

    end = BEGIN + EIGHT_HOURS
    said += one.calm(look(end + 5, 0.2))
    said.append(one.end(look(end + 60, 0.1)))
    assert len(said) + 1 <= 15
    assert all(event.score >= 1 for event in said if event.event_type == "update" and not event.calming)


def test_an_episode_that_only_goes_on_is_told_ever_more_rarely():
    said = told(episode(3600.0, a=1.0), [look(BEGIN + n, 1.5, a=1.0) for n in range(1, EIGHT_HOURS)])

    steps = [round(after - before) for before, after in itertools.pairwise([BEGIN, *(event.time for event in said)])]
    assert steps == [60, 120, 240, 480, 960, 1920, *[3600] * 6]
    assert len(said) + 3 <= 15, "with its new, the one that it calms, and its end"


def test_a_row_under_the_level_is_not_told():
    one = episode(60.0)

    assert told(one, [look(BEGIN + n, 0.9) for n in range(1, 1000)]) == []
    assert len(one.update(look(BEGIN + 1000, 1.0))) == 1


def test_what_became_worse_too_soon_to_be_told_is_told_as_it_was_at_its_worst():
    one = episode(a=0.9)
    one.update(look(BEGIN + 2, 3.0, a=0.8))

    (event,) = one.update(look(BEGIN + 6, 0.5, b=0.8))
    assert (event.severity, event.score, event.contributors[0].channel) == ("critical", 3.0, "a")


def test_a_channel_that_was_told_as_leading_is_no_news_again():
    one = episode(3600.0, a=1.0)

    said = told(one, [look(BEGIN + n, **{"ab"[n % 2]: 1.0}) for n in range(1, 59)])

    assert [event.contributors[0].channel for event in said] == ["b"]


def test_calming_is_told_at_once_the_first_time_and_then_as_rarely_as_anything_else():
    one, said = episode(3600.0), []
    for cycle in range(1, 100):
        time = BEGIN + 300 * cycle
        said += one.calm(look(time, 0.2)) + one.calm(look(time + 10, 0.2)) + one.update(look(time + 150, 1.5))

    assert (said[0].calming, said[0].time) == (True, BEGIN + 300)
    assert len(said) + 2 <= 15
    assert all(event.calming or event.score >= 1 for event in said)


def test_what_an_episode_has_told_survives_a_state_file():
    one = episode(3600.0, a=1.0)
    told(one, [look(BEGIN + 10, b=1.0), look(BEGIN + 130, b=1.0)])
    again = episode_from_dict(json.loads(json.dumps(one.to_dict())), 3600.0)

    rows = [look(BEGIN + n, **{"abc"[n % 3]: 1.0}) for n in range(131, 2000)]
    assert told(again, rows) == told(one, rows) != []
