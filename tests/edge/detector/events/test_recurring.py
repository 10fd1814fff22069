"""What comes and goes: when it is the same again, how long it is waited for, and what is told of it."""

import json

import pytest

from edge.detector.events.episode import Look
from edge.detector.events.recurring import EACH_S, LONGEST_S, REMEMBERED_S, Recurring, recurring_from_dict
from edge.detector.events.settings import StreamSettings
from edge.detector.events.stream import StreamEvents
from edge.wire.events import Contributor, Event, ModelRef

FLOW = (Contributor("flow", 0.8, None, None), Contributor("pressure", 0.2, None, None))
HEAT = (Contributor("heat", 0.9, None, None),)


def came(times: int, pause_s: float, on_s: float = 100.0) -> tuple[Recurring, float]:
    """After so many alarms, and when the last one fell quiet."""
    one, time = Recurring(), 0.0
    for _ in range(times):
        one.begin(time, FLOW)
        one.quiet(time + on_s)
        time += on_s + pause_s
    return one, time - pause_s


def stream() -> StreamEvents:
    ids = iter(map(str, range(1000)))
    return StreamEvents(StreamSettings("p"), [], 30, ModelRef("m", "0"), lambda _: next(ids), quiet_s=60.0)


def alarms(one: StreamEvents, start: float, told: tuple[Contributor, ...], on_s: int = 300, off_s: int = 240):
    """The events of an alarm and the quiet after it."""
    found: list[Event] = []
    for second in range(on_s + off_s):
        one.last_time = start + second
        found += one._quiet(one.last_time)
        look = Look(one.last_time, 1.5 if second < on_s else 0.3, 60.0, told)
        if second == 0:
            found += one.open_anomaly(look, look.time)
        elif second <= on_s:
            found += one.follow_anomaly(look, closed=second == on_s)
    return found


def test_what_came_once_is_over_as_soon_as_its_rows_say_so():
    assert came(1, 10.0)[0].wait_s == 0


@pytest.mark.parametrize(("times", "pause_s", "wait_s"), [(2, 10.0, 40.0), (2, 500.0, EACH_S), (3, 500.0, 2 * EACH_S)])
def test_it_is_waited_for_by_its_longest_pause_and_how_often_it_came(times, pause_s, wait_s):
    assert came(times, pause_s)[0].wait_s == wait_s


def test_it_is_never_waited_for_longer_than_the_longest():
    assert came(100, 599.0)[0].wait_s == min(4 * 599.0, LONGEST_S)


@pytest.mark.parametrize(("after_s", "again"), [(REMEMBERED_S, True), (REMEMBERED_S + 1, False)])
def test_it_is_the_same_again_within_ten_minutes(after_s, again):
    one, quiet_at = came(1, 10.0)

    assert one.is_again(quiet_at + after_s, FLOW) is again


def test_what_other_channels_show_is_another():
    one, quiet_at = came(3, 10.0)

    assert not one.is_again(quiet_at + 10.0, HEAT)
    assert one.begin(quiet_at + 10.0, HEAT) == 1


def test_it_survives_a_restart_and_what_is_malformed_is_refused():
    one, quiet_at = came(3, 200.0)
    body = json.loads(json.dumps(one.to_dict()))

    again = recurring_from_dict(body)
    assert (again.to_dict(), again.wait_s, again.is_again(quiet_at + 5, HEAT)) == (one.to_dict(), one.wait_s, False)
    with pytest.raises(ValueError, match="finite"):
        recurring_from_dict({**body, "longest_s": float("inf")})


def test_eight_hours_of_coming_and_going_are_two_episodes_and_at_most_fifteen_messages():
    one = stream()

    found = [event for start in range(0, 28_800, 540) for event in alarms(one, start, FLOW)]
    found += alarms(one, 28_800 + 7200, HEAT)[:1]

    assert [event.event_type for event in found if event.event_type != "update"] == ["new", "end", "new", "end"]
    assert len(found) <= 15
    assert found[-1].occurrences > 50


def test_another_fault_while_it_is_waited_for_is_told_at_once_as_its_own():
    one = stream()
    for start in (0, 540, 1080):
        alarms(one, start, FLOW)

    end, new, *_ = alarms(one, 1620, HEAT)

    assert (end.event_type, end.end_time) == ("end", 1380)
    assert (new.event_type, new.start_time, new.occurrences) == ("new", 1620, 1)


def test_the_same_fault_after_eighteen_minutes_is_told_at_once_with_its_start():
    one = stream()
    alarms(one, 0, FLOW, off_s=1080)

    new, *_ = alarms(one, 1380, FLOW)

    assert (new.event_type, new.start_time) == ("new", 1380)


def test_between_two_alarms_it_is_open_and_calm():
    one = stream()
    for start in (0, 540):
        alarms(one, start, FLOW)

    (now,) = one.open_now.values()
    assert (now.calming, now.occurrences) == (True, 2)


def test_a_restart_while_it_is_waited_for_goes_on_under_its_id():
    before, after = stream(), stream()
    for start in (0, 540):
        alarms(before, start, FLOW)
    after.restore(json.loads(json.dumps(before.snapshot())))

    assert alarms(after, 1080, FLOW, off_s=100) == []
    assert {id_: now.occurrences for id_, now in after.open_now.items()} == {before.anomaly_id: 3}
