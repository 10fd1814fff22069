"""The agent's side of a source: names, counters, and a log that a broken board cannot flood."""

import logging

import pytest

from edge.sources.intake import REPORT_EVERY_S, Intake, in_seconds
from edge.sources.messages import Messages
from edge.sources.settings import MqttSource
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


def test_an_error_of_our_own_is_no_bad_frame_and_costs_the_source_nothing(caplog):
    def fail(*_):
        raise MemoryError("no room")

    intake = Intake("rig", fail, {})

    for _ in range(50):
        intake.take("p1", Readings({"a": 1.0}))

    assert (intake.frames, intake.bad_frames, intake.health()["errors"]) == (50, 0, 50)
    assert [record.getMessage() for record in caplog.records] == [
        "source rig: 1 errors of our own so far, the last at board p1: MemoryError: no room"
    ]
    with pytest.raises(MemoryError):
        intake.take("p1", Readings({"a": 1.0}), wait=True)


def test_a_message_that_we_fail_on_is_not_the_boards_fault():
    def fail(*_):
        raise ValueError("ours")

    intake = Intake("rig", fail, {})
    messages = Messages(MqttSource(name="rig", type="mqtt"), intake)

    messages.take("sensors/p1/readings", b'{"values":{"a":1}}', False)
    messages.take("sensors/p1/readings", b"{", False)

    assert (intake.errors, intake.bad_frames) == (1, 1)


@pytest.mark.parametrize("every_s", [0.5, 20.0, 70.0])
def test_a_flapping_link_gives_one_line_a_minute_however_often_it_flaps(caplog, every_s):
    """The first changes are told at once; each line says how many came before it."""
    now, changes, hours = 0.0, 0, 2
    intake = Intake("rig", lambda *_: None, {}, monotonic=lambda: now)

    with caplog.at_level(logging.INFO):
        while now < hours * 3600:
            now += every_s
            intake.connected() if changes % 2 else intake.lost(f"reason {changes % 3}")
            changes += 1

    told = [record.getMessage() for record in caplog.records]
    assert len(told) <= 4 + hours * 60
    said = sum(int(line.rsplit("(", 1)[1].split()[0]) if "since it was last logged" in line else 1 for line in told)
    assert changes - said <= 60 / every_s + 1


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
