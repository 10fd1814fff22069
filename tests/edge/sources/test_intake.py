"""The agent's side of a source: names, counters, and a log that a broken board cannot flood."""

import logging

from edge.sources.intake import REPORT_EVERY_S, Intake, in_seconds
from edge.wire.readings import Readings


def test_bad_frames_are_all_counted_and_logged_once_a_minute(caplog):
    now = 1000.0
    intake = Intake("rig", lambda *_: None, {}, monotonic=lambda: now)

    with caplog.at_level(logging.WARNING):
        for _ in range(50):
            intake.bad("no frame")
        now += REPORT_EVERY_S
        intake.bad("no frame")

    assert [record.getMessage() for record in caplog.records] == [
        "source rig: 1 bad frames so far, the last: no frame",
        "source rig: 51 bad frames so far, the last: no frame",
    ]


def test_a_lost_source_is_logged_when_that_changes_and_not_at_each_retry(caplog):
    intake = Intake("rig", lambda *_: None, {})

    with caplog.at_level(logging.INFO):
        for event in (intake.connected, intake.connected):
            event()
        for _ in range(20):
            intake.lost("no such\n device")
        intake.connected()

    assert [record.getMessage() for record in caplog.records] == [
        "source rig: up",
        "source rig: down: no such device",
        "source rig: up",
    ]


def test_an_arrival_carries_both_clocks():
    arrivals = []
    intake = Intake("rig", lambda arrival, _wait: arrivals.append(arrival), {}, monotonic=lambda: 5.0, wall=lambda: 9.0)

    intake.take("p1", Readings({"a": 1.0}))

    assert (arrivals[0].monotonic, arrivals[0].wall) == (5.0, 9.0)


def test_times_in_milliseconds_become_seconds_and_absent_ones_stay_absent():
    assert in_seconds(Readings({}, 1500.0), 0.001).time == 1.5
    assert in_seconds(Readings({}), 0.001).time is None
