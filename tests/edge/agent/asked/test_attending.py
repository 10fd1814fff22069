"""Acknowledge, snooze, unsnooze: what is told of a condition meanwhile, and what survives a restart."""

import json

import pytest

from edge.delivery.requests import RequestError
from edge.detector.events.recurring import REMEMBERED_S, TOLD
from edge.wire.state import state_from_dict
from tests.helpers.plant import BEGIN, LONGEST_S, PLAN_AT, PLAN_S, Plant

LOUD, CALM, WORSE = 1.4, 0.3, 3.0


@pytest.fixture
def plant(tmp_path):
    plant = Plant(tmp_path, ["a", "b"])
    plant.clock = BEGIN + PLAN_AT + PLAN_S
    yield plant
    plant.outbox.close()


def rows(plant: Plant, score: float, number: int = 1, flow: float = 1.0) -> None:
    for _ in range(number):
        plant.row("a", score, flow)


def flap(plant: Plant, score: float = LOUD) -> None:
    """An episode that begins and ends, so long after the last one that it is another."""
    plant.clock += REMEMBERED_S
    rows(plant, score, 8)
    rows(plant, CALM, 12)


def told(plant: Plant) -> list[str]:
    return [event.event_type for event in plant.told()]


def ask(plant: Plant, command: str, event_id: str, **fields):
    return getattr(plant.attending, command)({"event_id": event_id, **fields}, list(plant.machines.values()))


def state(plant: Plant):
    plant.tick()
    plant.deliver()
    return state_from_dict(json.loads(plant.retained["offbeat/gw-1/a/state"]))


def opened(plant: Plant) -> str:
    rows(plant, LOUD, 8)
    return plant.told()[-1].id


@pytest.mark.parametrize(("command", "more"), [("acknowledge", {}), ("snooze", {"for_s": 60.0})])
def test_a_button_that_knows_no_episode_means_the_worst_of_its_stream(plant, command, more):
    event_id = opened(plant)

    answer = getattr(plant.attending, command)({"stream": "a", **more}, list(plant.machines.values()))

    assert answer["event_id"] == event_id
    with pytest.raises(RequestError, match="stream b"):
        getattr(plant.attending, command)({"stream": "b", **more}, list(plant.machines.values()))


def test_an_episode_is_acknowledged_until_it_is_over(plant):
    event_id = opened(plant)

    answer = ask(plant, "acknowledge", event_id, by="ann")

    (one,) = state(plant).open
    assert answer == {"stream": "a", "event_id": event_id, "at": plant.clock, "by": "ann"}
    assert (one.acknowledged, one.acknowledged_by, one.acknowledged_at) == (True, "ann", plant.clock)
    rows(plant, CALM, 12)
    opened(plant)
    assert [one.acknowledged for one in state(plant).open] == [False]


def test_what_becomes_worse_is_to_be_acknowledged_anew(plant):
    ask(plant, "acknowledge", opened(plant))

    rows(plant, WORSE)

    assert [(one.severity, one.acknowledged) for one in state(plant).open] == [("critical", False)]


def test_a_hundred_flaps_while_snoozed_are_not_told_and_one_summary_is_where_it_is_open_at_the_end(plant):
    event_id = opened(plant)
    before = told(plant)
    until = ask(plant, "snooze", event_id, for_s=80_000.0)["until"]

    rows(plant, CALM, 12)
    for _ in range(100):
        flap(plant)
    plant.clock += REMEMBERED_S
    rows(plant, LOUD, 5)
    assert told(plant) == before, "0 messages"
    assert (state(plant).anomaly, [one.snoozed_until for one in state(plant).open]) == ("ON", [until])
    assert state(plant).snoozed[0].flaps == 101

    plant.clock = until
    plant.tick()
    end, new = plant.told()[len(before) :]
    assert (end.event_type, end.id) == ("end", event_id)
    assert (new.event_type, new.suppressed) == ("new", 100)
    assert state(plant).snoozed == ()


def test_a_hundred_quick_flaps_are_one_episode_and_not_told_while_it_is_snoozed(plant):
    for _ in range(TOLD - 1):
        rows(plant, LOUD, 8)
        rows(plant, CALM, 12)
    event_id = opened(plant)
    before = told(plant)
    ask(plant, "snooze", event_id, for_s=7200.0)

    for _ in range(100):
        rows(plant, CALM, 12)
        rows(plant, LOUD, 8)

    assert told(plant) == before
    assert [kind for kind in before if kind != "update"] == ["new", "end"] * (TOLD - 1) + ["new"]
    assert [(one.id, one.occurrences, one.calming) for one in state(plant).open] == [(event_id, TOLD + 100, False)]


def test_a_snooze_that_ends_in_calm_tells_no_more_than_the_end_of_what_was_told(plant):
    event_id = opened(plant)
    until = ask(plant, "snooze", event_id, for_s=7200.0)["until"]
    rows(plant, CALM, 12)
    flap(plant)

    plant.clock = until
    plant.tick()

    assert told(plant) == ["new", "end"]


def test_a_worse_severity_breaks_through_once(plant):
    ask(plant, "snooze", opened(plant), for_s=7200.0)
    before = len(plant.told())

    rows(plant, WORSE, 20)
    rows(plant, CALM, 12)
    for _ in range(5):
        flap(plant, WORSE)

    (event,) = plant.told()[before:]
    assert (event.event_type, event.severity) == ("update", "critical")


def test_what_breaks_through_as_another_episode_is_told_as_new(plant):
    ask(plant, "snooze", opened(plant), for_s=7200.0)
    before = len(plant.told())
    rows(plant, CALM, 12)
    flap(plant)
    plant.clock += REMEMBERED_S

    rows(plant, WORSE, 8)

    (event,) = plant.told()[before:]
    assert (event.event_type, event.severity, event.suppressed) == ("new", "critical", 1)


def test_other_conditions_of_the_stream_are_told_meanwhile(plant):
    ask(plant, "snooze", opened(plant), for_s=600.0)

    rows(plant, LOUD, 1, flow=9.0)

    assert plant.told()[-1].kind == "rule"


def test_what_is_over_may_still_be_snoozed(plant):
    event_id = opened(plant)
    rows(plant, CALM, 12)
    before = len(plant.told())

    ask(plant, "snooze", event_id, for_s=600.0)
    flap(plant)

    assert len(plant.told()) == before


def test_all_of_it_survives_a_restart(plant):
    event_id = opened(plant)
    ask(plant, "acknowledge", event_id, by="ann")
    ask(plant, "snooze", event_id, for_s=600.0, by="bob")
    before = state(plant)
    rows(plant, CALM, 12)
    rows(plant, LOUD, 8)

    plant.outbox.close()
    plant.start(["a", "b"])

    after = state(plant)
    assert (after.snoozed[0].until, after.snoozed[0].by, after.snoozed[0].flaps) == (before.snoozed[0].until, "bob", 1)
    rows(plant, LOUD, 3)
    assert told(plant) == ["new"]
    answer = ask(plant, "unsnooze", event_id)
    assert answer["events"] == 2
    assert told(plant) == ["new", "end", "new"]
    rows(plant, LOUD, 3)
    assert told(plant) == ["new", "end", "new"], "told once"


def test_a_clock_that_is_set_back_makes_no_snooze_longer_than_allowed(plant):
    ask(plant, "snooze", opened(plant), for_s=600.0)

    plant.clock -= 2 * LONGEST_S
    plant.tick()

    assert state(plant).snoozed == ()


@pytest.mark.parametrize("for_s", [0, -1, LONGEST_S + 1, float("nan"), float("inf"), None, True, "1h"])
def test_a_time_that_is_none_or_too_long_is_refused(plant, for_s):
    with pytest.raises(RequestError, match="for_s"):
        ask(plant, "snooze", opened(plant), for_s=for_s)


@pytest.mark.parametrize("command", ["acknowledge", "snooze", "unsnooze"])
@pytest.mark.parametrize("event_id", ["nobody's", "", 7, None, "x" * 300])
def test_an_unknown_episode_is_refused_and_what_there_is_is_named(plant, command, event_id):
    known = opened(plant)
    with pytest.raises(RequestError, match=f"{known}|none|wants"):
        ask(plant, command, event_id, for_s=60.0)


def test_streams_that_fail_together_have_one_group_and_its_topic_names_them(plant):
    plant.row("a", 1.0, 9.0)
    plant.row("b", 1.0, 9.0)

    groups = {event.group for event in plant.told()}
    plant.tick()
    plant.deliver()
    body = json.loads(plant.retained["offbeat/gw-1/group"])
    assert groups == {plant.told()[0].id} == {body["id"]}
    assert body["members"] == ["a", "b"]
