"""Who notifies: once a group, at once, and no more often than people can bear."""

import datetime
from dataclasses import replace

import pytest

from edge.watch.notify import Notification, NotificationPolicy, NotifySettings
from edge.wire.events import Event, EventMessage, RuleHit
from tests.helpers.plant import BEGIN, PLAN_AT, PLAN_S, Plant

NOON = 1_767_225_600.0 + 12 * 3600


def utc(time: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(time, datetime.UTC)


def policy(**settings) -> NotificationPolicy:
    return NotificationPolicy(NotifySettings(local=utc, **settings))


def message(
    id_: str = "e1", event_type="new", stream: str = "p1", severity="warning", group: str | None = None, **fields
) -> EventMessage:
    end = NOON + 60 if event_type == "end" else None
    event = Event(event_type, id_, stream, "anomaly", NOON, end, NOON, 1.5, 1.5, severity, None)
    return EventMessage(replace(event, group=group or id_, **fields), "gw-1", "log", 1)


def whys(*told: list[Notification]) -> list[str]:
    return [one.why for part in told for one in part]


def test_twenty_streams_that_fail_within_ten_seconds_are_one_notification_and_no_event_is_lost(tmp_path):
    streams = [f"s{number:02}" for number in range(20)]
    plant, one = Plant(tmp_path, streams), policy()
    plant.clock = BEGIN + PLAN_AT + PLAN_S
    told = []
    for number, stream in enumerate(streams):
        plant.row(stream, 1.0, 9.0)
        plant.clock -= 0.5  # a row every half second
        events = plant.told()
        assert len(events) == number + 1, "every event goes on at once"
        told.append(one.alert(EventMessage(events[-1], "gw-1", "log", number + 1), plant.clock))
    plant.outbox.close()

    assert whys(*told) == ["new"]
    assert told[0], "at once"
    (update,) = one.tick(plant.clock + 60)
    assert (update.why, len(update.members), update.aloud, update.key) == ("more", 20, False, told[0][0].key)


def test_one_that_fails_alone_is_told_at_once_and_when_it_is_over():
    one = policy()

    assert whys(one.alert(message(), NOON)) == ["new"]
    assert whys(one.alert(message(event_type="update"), NOON + 30)) == []
    (over,) = one.alert(message(event_type="end"), NOON + 60)
    assert (over.why, over.aloud, over.event_id) == ("over", False, "e1")
    assert whys(one.tick(NOON + 3600)) == []


def test_what_becomes_worse_sounds_once():
    one = policy()
    one.alert(message(), NOON)

    told = [one.alert(message(event_type="update", severity="critical"), NOON + second) for second in range(10)]

    assert whys(*told) == ["worse"]


def test_nothing_repeats_unless_it_is_asked_for_and_what_is_acknowledged_does_not():
    quiet, loud = policy(), policy(repeat_s=600.0)
    for one in (quiet, loud):
        one.alert(message(), NOON)

    assert whys(*(quiet.tick(NOON + 60 * minute) for minute in range(120))) == []
    assert whys(*(loud.tick(NOON + 60 * minute) for minute in range(31))) == ["repeat"] * 3
    loud.state("gw-1", "p1", {"time": NOON, "open": [{"id": "e1", "acknowledged": True}]}, NOON + 1900)
    assert whys(*(loud.tick(NOON + 60 * minute) for minute in range(31, 120))) == []


def test_without_a_broker_nothing_repeats():
    one = policy(repeat_s=600.0)
    one.alert(message(), NOON)
    one.link(False)

    assert whys(one.tick(NOON + 3600)) == []


def test_a_state_that_lists_it_no_more_is_its_end_but_an_older_one_is_not():
    one = policy()
    one.alert(message(), NOON)

    assert whys(one.state("gw-1", "p1", {"time": NOON - 1, "open": []}, NOON)) == []
    assert whys(one.state("gw-1", "p1", {"time": NOON, "open": [], "more": 3}, NOON)) == []
    assert whys(one.state("gw-1", "p1", {"anomaly": "OFF", "time": NOON}, NOON)) == [], "of an older device"
    assert whys(one.state("gw-1", "p1", {"time": NOON + 1, "open": []}, NOON)) == ["over"]


def test_a_device_that_is_offline_suppresses_its_streams_alarms():
    one = policy()
    one.status("gw-1", False)

    assert whys(one.alert(message(), NOON)) == []
    one.status("gw-1", True)
    assert whys(one.alert(message(event_type="update"), NOON)) == ["new"]
    assert one.suppressed["offline"] == 1


def test_what_the_broker_kept_while_the_link_was_lost_is_told_before_the_word_that_its_device_is_back():
    one = policy()
    one.status("gw-1", False)
    one.availability("gw-1", "p1", False)
    one.link(False)
    one.link(True)

    assert whys(one.alert(message(severity="critical"), NOON)) == ["new"]
    one.status("gw-1", True)


def test_what_a_device_that_is_offline_said_last_does_not_repeat():
    one = policy(repeat_s=600.0)
    one.alert(message(), NOON)
    one.status("gw-1", False)
    assert whys(one.tick(NOON + 3600)) == []

    one.status("gw-1", True)
    assert whys(one.tick(NOON + 3605)) == ["repeat"]


def test_a_sensor_that_is_offline_suppresses_its_silence_alone():
    one, silent = policy(), RuleHit("silent", "flow", 30.0, 31.0)
    one.availability("gw-1", "p1", False)

    assert whys(one.alert(message("e1", rule=silent), NOON)) == []
    assert whys(one.alert(message("e2"), NOON)) == ["new"]


QUIET = {"quiet_from": datetime.time(22), "quiet_until": datetime.time(7)}
MIDNIGHT, MORNING = NOON + 12 * 3600, NOON + 19 * 3600


def test_quiet_hours_let_only_what_is_critical_through_and_end_in_one_summary():
    one = policy(**QUIET)
    one.tick(NOON)
    nightly = [one.alert(message(f"e{n}", stream=f"p{n}"), MIDNIGHT + 60 * n) for n in range(5)]
    critical = one.alert(message("c", stream="p9", severity="critical"), MIDNIGHT)

    assert (whys(*nightly), whys(critical)) == ([], ["new"])
    assert whys(one.tick(MORNING - 60)) == []
    (summary,) = one.tick(MORNING)
    assert (summary.why, len(summary.members)) == ("summary", 5)
    assert whys(one.tick(MORNING + 60)) == []


def test_a_summary_counts_every_stream_of_what_failed_together_in_quiet_hours():
    one = policy(**QUIET)
    one.tick(NOON)
    for number in range(20):
        one.alert(message(f"e{number}", stream=f"p{number}", group="g"), MIDNIGHT + number)

    (summary,) = one.tick(MORNING)
    assert len(summary.members) == 20
    assert summary.text.startswith("20 not notified of at the time, in 20 streams")
    assert one.suppressed["quiet"] == 1, "one notification"


def test_in_quiet_hours_nobody_is_told_that_something_grows_or_is_over_until_they_end():
    one, loud = policy(**QUIET), policy(**QUIET)
    evening = MIDNIGHT - 3 * 3600
    for each, severity in ((one, "warning"), (loud, "critical")):
        each.alert(message(severity=severity, group="g"), evening)
        assert whys(each.tick(MIDNIGHT)) == []

    more = message("e2", stream="p2", severity="warning", group="g")
    assert (whys(one.alert(more, MIDNIGHT)), whys(loud.alert(more, MIDNIGHT))) == ([], ["more"])
    for each in (one, loud):
        each.alert(message(event_type="end", group="g"), MIDNIGHT + 60)
    over = replace(more, event=replace(more.event, event_type="end", end_time=NOON + 60))
    assert (whys(one.alert(over, MIDNIGHT + 120)), whys(loud.alert(over, MIDNIGHT + 120))) == ([], ["over"])
    assert whys(one.tick(MORNING - 60)) == []
    assert whys(one.tick(MORNING)) == ["over"]


def test_what_becomes_critical_in_quiet_hours_is_told():
    one = policy(**QUIET)
    one.alert(message(), MIDNIGHT)

    assert whys(one.alert(message(event_type="update", severity="critical"), MIDNIGHT + 60)) == ["new"]


@pytest.mark.parametrize(("hour", "quiet"), [(21, False), (22, True), (3, True), (6, True), (7, False)])
def test_quiet_hours_go_over_midnight(hour, quiet):
    assert NotifySettings(local=utc, **QUIET).is_quiet(NOON + (hour - 12) * 3600) == quiet


def test_a_budget_a_day_leaves_out_the_rest_but_for_what_is_critical_and_begins_anew():
    one = policy(a_day=3)
    told = [one.alert(message(f"e{n}", stream=f"p{n}"), NOON + n) for n in range(10)]

    assert whys(*told) == ["new"] * 3
    assert whys(one.alert(message("c", severity="critical"), NOON + 20)) == ["new"]
    assert one.suppressed["budget"] == 7
    assert "summary" in whys(*(one.tick(NOON + 3600 * hour) for hour in range(30)))
    assert whys(one.alert(message("tomorrow"), NOON + 86_400)) == ["new"]


def test_a_daily_summary_comes_every_day_where_it_is_asked_for():
    one = policy(summary_at=datetime.time(8))

    told = [one.tick(NOON + 600 * step) for step in range(6 * 24 * 3)]

    assert whys(*told) == ["summary"] * 3


@pytest.mark.parametrize(("begun", "told"), [(7.0, ["summary"]), (8.5, [])])
def test_the_first_summary_comes_on_the_first_day_where_its_time_is_still_to_come(begun, told):
    one = policy(summary_at=datetime.time(8))
    midnight = NOON - 12 * 3600

    assert whys(*(one.tick(midnight + 3600 * begun + 600 * step) for step in range(12))) == told


def test_what_is_less_than_asked_for_is_not_notified_of():
    one = policy(least_severity="critical")

    assert whys(one.alert(message(), NOON)) == []
    assert whys(one.alert(message(event_type="update", severity="critical"), NOON)) == ["new"]
