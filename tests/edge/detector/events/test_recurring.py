"""What comes and goes: when it is the same again, how long it is waited for, and what is told of it."""

import json

import pytest

from edge.detector.events.episode import Look
from edge.detector.events.recurring import KEPT_S, KNOWN_S, PAUSES, REMEMBERED_S, Recurring, recurring_from_dict
from edge.detector.events.settings import StreamSettings
from edge.detector.events.stream import StreamEvents
from edge.wire.events import Contributor, Event, ModelRef

FLOW = (Contributor("flow", 0.8, None, None), Contributor("pressure", 0.2, None, None))
HEAT = (Contributor("heat", 0.9, None, None),)
QUIET_S = 60.0


def came(times: int, on_s: float, pause_s: float = 100.0) -> tuple[Recurring, float]:
    """After so many alarms, and when the last one fell quiet."""
    one, time = Recurring(), 0.0
    for _ in range(times):
        one.begin(time, FLOW)
        one.quiet(time + on_s)
        time += on_s + pause_s
    return one, time - pause_s


def stream() -> StreamEvents:
    ids = iter(map(str, range(1000)))
    return StreamEvents(StreamSettings("p"), [], 30, ModelRef("m", "0"), lambda _: next(ids), quiet_s=QUIET_S)


def alarms(
    one: StreamEvents, start: float, told: tuple[Contributor, ...] = FLOW, on_s: int = 300, off_s: int = 240,
    score: float = 1.5,
) -> list[Event]:  # fmt: skip
    """The events of an alarm and the quiet after it."""
    found: list[Event] = []
    for second in range(on_s + off_s):
        one.last_time = start + second
        found += one._quiet(one.last_time)
        look = Look(one.last_time, score if second < on_s else 0.3, 60.0, told)
        if second == 0:
            found += one.open_anomaly(look, look.time)
        elif second <= on_s:
            found += one.follow_anomaly(look, closed=second == on_s)
    return found


def kinds(events: list[Event]) -> list[str]:
    """Types of what is not a mere reminder."""
    return [event.event_type for event in events if event.event_type != "update"]


@pytest.mark.parametrize(
    ("times", "on_s", "wait_s"),
    [(1, 9000.0, 0.0), (3, 10.0, 0.0), (4, 10.0, REMEMBERED_S), (2, KNOWN_S / 2 - 1, 0.0),
     (2, KNOWN_S / 2, REMEMBERED_S), (3, KNOWN_S / 2, REMEMBERED_S)],
)  # fmt: skip
def test_it_is_waited_for_once_it_came_four_times_or_came_back_after_ten_minutes_of_alarm(times, on_s, wait_s):
    assert came(times, on_s)[0].wait_s == wait_s


@pytest.mark.parametrize(
    ("times", "after_s", "again"),
    [(1, REMEMBERED_S, True), (1, REMEMBERED_S + 1, False), (4, KEPT_S, True), (4, KEPT_S + 1, False)],
)
def test_it_is_the_same_again_within_ten_minutes_and_within_an_hour_where_it_is_known(times, after_s, again):
    one, quiet_at = came(times, 10.0)

    assert one.is_again(quiet_at + after_s, FLOW) is again


@pytest.mark.parametrize(
    ("pause_s", "wait_s"),
    [(100.0, REMEMBERED_S), (REMEMBERED_S / PAUSES, REMEMBERED_S), (500.0, 500.0 * PAUSES),
     (REMEMBERED_S, REMEMBERED_S * PAUSES), (REMEMBERED_S + 1, REMEMBERED_S)],
)  # fmt: skip
def test_it_is_waited_for_twice_as_long_as_it_paused_unless_that_was_no_pause_but_an_end(pause_s, wait_s):
    one, quiet_at = came(4, 200.0)

    one.begin(quiet_at + pause_s, FLOW)

    assert one.wait_s == wait_s
    one.begin(quiet_at + pause_s + 10, HEAT)
    assert one.wait_s == 0.0, "of another nothing is known"


def test_what_other_channels_show_is_another():
    one, quiet_at = came(4, 10.0)

    assert not one.is_again(quiet_at + 10.0, HEAT)
    assert one.begin(quiet_at + 10.0, HEAT) == 1


def test_it_survives_a_restart_and_what_is_malformed_is_refused():
    one, quiet_at = came(4, 200.0, pause_s=400.0)
    body = json.loads(json.dumps(one.to_dict()))

    again = recurring_from_dict(body)
    assert (again.to_dict(), again.wait_s, again.is_again(quiet_at + 5, HEAT)) == (one.to_dict(), one.wait_s, False)
    with pytest.raises(ValueError, match="finite"):
        recurring_from_dict({**body, "alarm_s": float("inf")})
    del body["pause_s"]  # as an older version wrote it
    assert recurring_from_dict(body).wait_s == REMEMBERED_S


@pytest.mark.parametrize(("on_s", "off_s"), [(900, 240), (700, 590), (300, 250)])
def test_eight_hours_of_coming_and_going_are_fifteen_messages_at_most(on_s, off_s):
    one = stream()

    found = [event for start in range(0, 28_800, on_s + off_s) for event in alarms(one, start, on_s=on_s, off_s=off_s)]
    found += alarms(one, found[-1].time + 7200, HEAT)[:2]

    *told, another = found
    assert kinds(told)[-1] == "end"
    assert len(told) <= 15
    assert (told[-1].occurrences, another.occurrences) == (-(-28_800 // (on_s + off_s)), 1)


def test_a_pause_that_is_longer_than_ten_minutes_now_and_then_ends_nothing():
    one, start, found = stream(), 0.0, []
    for off_s in [300, 590, 200, 900, 400, 650, 300, 1100] * 3:
        found += alarms(one, start, on_s=700, off_s=off_s)
        start += 700 + off_s

    assert kinds(found) == ["new", "end", "new"], "the second time it is known"
    assert len(found) <= 15


@pytest.mark.parametrize("after_s", [601, 1000, 1170])
def test_while_a_pause_is_waited_for_another_fault_and_a_worse_one_are_told_at_once(after_s):
    worse, other = stream(), stream()
    for one in (worse, other):
        start = 0.0
        for off_s in (590, 590, after_s):
            alarms(one, start, on_s=900, off_s=off_s)
            start += 900 + off_s

    assert alarms(worse, start, on_s=10, off_s=0) == [], "it is known to come and go"
    (update,) = worse.follow_anomaly(Look(start + 10, 9.0, None, FLOW), closed=False)
    end, new = alarms(other, start, HEAT, on_s=10, off_s=0)

    assert (update.event_type, update.severity) == ("update", "critical")
    assert (end.event_type, new.event_type, new.time) == ("end", "new", start)


def test_eight_steady_hours_are_fifteen_messages_at_most():
    found = alarms(stream(), 0.0, on_s=8 * 3600, off_s=120)

    assert kinds(found) == ["new", "end"]
    assert len(found) <= 15


@pytest.mark.parametrize("score", [1.1, 5.0])
def test_a_fault_that_comes_back_quickly_is_told_at_once_four_times_and_then_in_the_state(score):
    one = stream()

    each = [alarms(one, start, on_s=30, off_s=70, score=score) for start in range(0, 2000, 100)]

    assert [kinds(found) for found in each[:4]] == [["new", "end"]] * 3 + [["new"]]
    assert [event for found in each[4:] for event in found if event.event_type == "new"] == []
    (now,) = one.open_now.values()
    assert (now.occurrences, now.calming) == (20, True)


def test_whatever_comes_after_an_honest_calm_is_told_at_once():
    one, start = stream(), 0.0
    for _ in range(20):
        new, *rest = alarms(one, start, on_s=900, off_s=int(REMEMBERED_S) + 1)
        assert (new.event_type, new.time) == ("new", start)
        assert kinds(rest) == ["end"]
        start += 900 + REMEMBERED_S + 1


@pytest.mark.parametrize("on_s", [30, 200, 900, 5000])
def test_what_does_not_come_back_is_off_after_two_windows(on_s):
    one = stream()

    *_, end = alarms(one, 0.0, on_s=on_s, off_s=200)

    assert (end.event_type, end.end_time, end.time) == ("end", on_s, on_s + QUIET_S)


def test_another_fault_while_it_is_waited_for_is_told_at_once_as_its_own():
    one = stream()
    for start in (0, 1140, 2280):
        alarms(one, start, on_s=900)

    end, new, *_ = alarms(one, 3420, HEAT)

    assert (end.event_type, end.end_time) == ("end", 3180)
    assert (new.event_type, new.start_time, new.occurrences) == ("new", 3420, 1)


def test_what_is_worse_while_it_comes_and_goes_is_told_at_once():
    one = stream()
    for start in (0, 1140, 2280):
        alarms(one, start, on_s=900)
    loud = Look(3425.0, 9.0, None, FLOW)

    alarms(one, 3420, on_s=2, off_s=0)
    (worse,) = one.follow_anomaly(loud, closed=False)

    assert (worse.event_type, worse.severity, worse.occurrences) == ("update", "critical", 4)


def test_between_two_alarms_it_is_open_and_calm_and_at_once_in_alarm_again():
    one = stream()
    for start in (0, 1140):
        alarms(one, start, on_s=900)

    (now,) = one.open_now.values()
    assert (now.calming, now.occurrences) == (True, 2)
    alarms(one, 2280, on_s=1, off_s=0)
    (now,) = one.open_now.values()
    assert (now.calming, now.occurrences) == (False, 3)


def test_a_restart_while_it_is_waited_for_goes_on_under_its_id():
    before, after = stream(), stream()
    for start in (0, 1140):
        alarms(before, start, on_s=900)
    after.restore(json.loads(json.dumps(before.snapshot())))

    assert alarms(after, 2280, on_s=100, off_s=100) == []
    assert {id_: now.occurrences for id_, now in after.open_now.items()} == {before.anomaly_id: 3}
