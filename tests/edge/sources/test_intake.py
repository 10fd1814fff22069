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


@pytest.mark.parametrize("every_s", [0.5, 20.0, 70.0, 90.0, 130.0, 600.0, 1800.0])
def test_a_flapping_link_is_logged_ever_less_often_with_a_count_and_once_more_when_it_holds(caplog, every_s):
    """However often or rarely it flaps: the first changes at once, then lines further and further apart."""
    now, hours = 0.0, 24
    intake = Intake("rig", lambda *_: None, {}, monotonic=lambda: now)

    def passes(seconds):
        nonlocal now
        until = now + seconds
        while now < until:
            now += 0.5
            intake.settle()

    with caplog.at_level(logging.INFO):
        for change in range(changes := int(hours * 3600 / every_s) // 2 * 2):
            intake.connected() if change % 2 else intake.lost(f"reason {change % 3}")
            passes(every_s)
        passes(3 * 3600)

    told = [record.getMessage() for record in caplog.records]
    assert len(told) <= 4 + 6 + hours + 1
    said = sum(int(line.rsplit("(", 1)[1].split()[0]) if "since it was last logged" in line else 1 for line in told)
    assert said == changes
    assert told[-1].startswith("source rig: up")


@pytest.mark.parametrize("up", [True, False])
def test_a_link_that_holds_after_it_flapped_is_logged_within_two_minutes(caplog, up):
    now = 0.0
    intake = Intake("rig", lambda *_: None, {}, monotonic=lambda: now)

    with caplog.at_level(logging.INFO):
        for change in range(21 + up):
            now += 10.0
            intake.connected() if change % 2 else intake.lost("gone")
        for _ in range(240):
            now += 0.5
            intake.settle()

    assert caplog.records[-1].getMessage().startswith("source rig: up" if up else "source rig: down: gone")
    assert "changes since it was last logged" in caplog.records[-1].getMessage()


def test_a_source_that_has_finished_is_not_told_to_be_down(caplog):
    now = 0.0
    intake = Intake("rig", lambda *_: None, {}, monotonic=lambda: now)

    with caplog.at_level(logging.INFO):
        for change in range(10):
            intake.connected() if change % 2 else intake.lost("gone")
        intake.finished()
        now += 600.0
        intake.settle()

    assert "finished" in caplog.records[-1].getMessage()


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
