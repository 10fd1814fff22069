"""The inbox: bounded, fair between boards, the newest win, and those who can wait do."""

import threading
from types import SimpleNamespace

from edge.agent.inbox import Inbox
from edge.agent.loading import load_streams
from edge.agent.loop import Served
from edge.agent.parts import lanes_of
from edge.config.settings import StreamConfig
from edge.sources.intake import Arrival
from edge.wire.readings import Readings
from tests.helpers.tiny_bundle import WINDOW, write_tiny_bundle


def arrival(board: str, number: float) -> Arrival:
    return Arrival("rig", board, Readings({"n": number}), 0.0, 0.0)


def numbers(arrivals: list[Arrival], board: str) -> list[float]:
    return [item.readings.values["n"] for item in arrivals if item.board == board]


def test_what_is_put_is_taken_in_order():
    inbox = Inbox(dict.fromkeys([("rig", "a")], 10))
    for number in range(5):
        inbox.put(arrival("a", number))

    assert numbers(inbox.take(3, 0), "a") == [0, 1, 2]
    assert numbers(inbox.take(9, 0), "a") == [3, 4]
    assert inbox.take(9, 0) == []


def test_boards_whose_readings_wait_are_known():
    inbox = Inbox(dict.fromkeys([("rig", "a"), ("rig", "b")], 10))
    inbox.put(arrival("a", 1))

    assert inbox.behind() == {("rig", "a")}
    inbox.take(1, 0)
    assert inbox.behind() == set()


def test_a_full_lane_loses_its_oldest_and_counts_them():
    inbox = Inbox(dict.fromkeys([("rig", "a")], 3))
    for number in range(5):
        inbox.put(arrival("a", number))

    assert numbers(inbox.take(9, 0), "a") == [2, 3, 4]
    assert inbox.overrun(("rig", "a")) == 2


def test_a_flooding_board_costs_another_nothing_and_is_served_in_turn():
    inbox = Inbox(dict.fromkeys([("rig", "quiet"), ("rig", "loud")], 10))
    inbox.put(arrival("quiet", 0))
    for number in range(1000):
        inbox.put(arrival("loud", number))
    inbox.put(arrival("quiet", 1))

    taken = inbox.take(4, 0)

    assert numbers(taken, "quiet") == [0, 1]
    assert inbox.overrun(("rig", "quiet")) == 0
    assert inbox.overrun(("rig", "loud")) == 990


def test_a_board_that_no_stream_wants_is_counted_and_kept_nowhere():
    inbox = Inbox(dict.fromkeys([("rig", "a")], 3))
    for number in range(100):
        inbox.put(arrival(f"stranger{number}", number))

    assert inbox.strangers == 100
    assert inbox.take(9, 0) == []


def test_a_reader_that_can_wait_loses_nothing():
    inbox = Inbox(dict.fromkeys([("rig", "a")], 2))
    reader = threading.Thread(target=lambda: [inbox.put(arrival("a", number), wait=True) for number in range(50)])
    reader.start()
    got: list[float] = []
    while len(got) < 50:
        got += numbers(inbox.take(3, 5.0), "a")
    reader.join(5)

    assert got == list(range(50))
    assert inbox.overrun(("rig", "a")) == 0


def test_closing_frees_a_reader_that_waits():
    inbox = Inbox(dict.fromkeys([("rig", "a")], 1))
    reader = threading.Thread(target=lambda: [inbox.put(arrival("a", number), wait=True) for number in range(9)])
    reader.start()

    inbox.close()

    reader.join(5)
    assert not reader.is_alive()


def test_waiting_tells_whether_a_source_still_has_readings_to_take():
    inbox = Inbox(dict.fromkeys([("rig", "a")], 3))
    inbox.put(arrival("a", 1))

    assert inbox.waiting("rig")
    inbox.take(1, 0)
    assert not inbox.waiting("rig")


def test_a_held_lane_keeps_its_readings_and_the_others_are_served():
    inbox = Inbox(dict.fromkeys([("rig", "a"), ("rig", "b")], 10))
    for number in range(3):
        inbox.put(arrival("a", number))
        inbox.put(arrival("b", number))

    taken = inbox.take(9, 0, held={("rig", "a")})

    assert [item.board for item in taken] == ["b", "b", "b"]
    assert numbers(inbox.take(9, 0), "a") == [0, 1, 2]


def test_a_lane_holds_a_whole_window_of_readings_that_come_channel_by_channel(tmp_path):
    config = StreamConfig(id="p1", source="rig", board="p1", bundle=write_tiny_bundle(tmp_path / "tiny").folder)
    loaded = load_streams([config], "auto", live=())
    stream = Served("p1", ("rig", "p1"), SimpleNamespace(loaded=loaded), 0)
    wider = Served("p2", ("rig", "p2"), SimpleNamespace(loaded=None), 0)

    lanes = lanes_of([stream, wider], readings=10)

    assert lanes == {("rig", "p1"): 3 * WINDOW, ("rig", "p2"): 10}
