"""Once, in order, and nothing lost, whatever order and however often messages come."""

from hypothesis import given
from hypothesis import strategies as st

from edge.watch.sequencer import Received, Sequencer
from edge.wire.events import EventMessage
from tests.helpers.alerts import alert


def received(seq: int, log: str = "log", device: str = "gw-1") -> Received:
    return Received(EventMessage(alert(seq), device, log, seq))


def seqs(released: list[Received]) -> list[int]:
    return [each.message.seq for each in released]


def feed(sequencer: Sequencer, *numbers: int, now: float = 0.0) -> list[int]:
    return [seq for number in numbers for seq in seqs(sequencer.add(received(number), now))]


def test_messages_in_order_pass_at_once() -> None:
    assert feed(Sequencer(), 1, 2, 3) == [1, 2, 3]


def test_the_first_message_of_a_log_waits_for_nothing() -> None:
    assert feed(Sequencer(), 1841) == [1841]


def test_second_copies_are_dropped() -> None:
    sequencer = Sequencer()

    assert feed(sequencer, 1, 2, 1, 2, 2, 3) == [1, 2, 3]
    assert sequencer.counts["duplicates"] == 3


def test_messages_that_overtook_each_other_come_out_in_order() -> None:
    sequencer = Sequencer()

    assert feed(sequencer, 1, 4, 3, 2, 5) == [1, 2, 3, 4, 5]
    assert sequencer.counts["reordered"] == 2


def test_a_missing_message_is_waited_for_and_no_longer_than_told() -> None:
    sequencer = Sequencer(hold_s=1.0)
    feed(sequencer, 1, 3, now=10.0)

    assert seqs(sequencer.advance(10.99)) == []
    assert seqs(sequencer.advance(11.0)) == [3]
    assert sequencer.counts["missing"] == 1


def test_all_that_follows_a_gap_comes_with_its_first() -> None:
    sequencer = Sequencer(hold_s=1.0)
    feed(sequencer, 1, 3, now=10.0)
    feed(sequencer, 4, 7, now=10.5)

    assert seqs(sequencer.advance(11.0)) == [3, 4]
    assert seqs(sequencer.advance(11.5)) == [7]


def test_what_comes_after_its_successors_is_given_out_late_not_lost() -> None:
    sequencer = Sequencer(hold_s=1.0)
    feed(sequencer, 1, 3, now=0.0)
    sequencer.advance(1.0)

    assert feed(sequencer, 2, 2) == [2]
    assert sequencer.counts["late"] == 1


def test_logs_and_devices_are_separate() -> None:
    sequencer = Sequencer()
    both = [sequencer.add(received(1, "a"), 0.0), sequencer.add(received(1, "b"), 0.0)]
    other = sequencer.add(received(1, "a", "gw-2"), 0.0)

    assert [seqs(each) for each in (*both, other)] == [[1], [1], [1]]


def test_flush_gives_out_what_is_held() -> None:
    sequencer = Sequencer()
    feed(sequencer, 1, 5, 3)

    assert seqs(sequencer.flush()) == [3, 5]


def test_numbers_and_logs_are_remembered_within_bounds_and_old_copies_stay_out() -> None:
    sequencer = Sequencer(remember=10, max_logs=5)

    assert feed(sequencer, *range(1, 1001)) == list(range(1, 1001))
    assert feed(sequencer, 5, 500, 990, 1000) == []
    for number in range(100):
        sequencer.add(received(1, f"log-{number}"), 0.0)
    assert seqs(sequencer.add(received(1, "log-99"), 0.0)) == []


def test_a_flood_of_gaps_is_not_held_without_bound() -> None:
    sequencer = Sequencer(hold_s=1e9, remember=10)

    given_out = feed(sequencer, *range(1, 4001, 2))

    assert len(given_out) >= 1900


@given(st.permutations(range(1, 13)), st.lists(st.integers(1, 12), max_size=12), st.integers(0, 12))
def test_every_message_comes_out_exactly_once_in_any_order_of_arrival(
    arrival: list[int], copies: list[int], ticks: int
) -> None:
    sequencer = Sequencer(hold_s=1.0)
    out: list[int] = []
    for step, seq in enumerate(arrival + copies):
        out += seqs(sequencer.add(received(seq), float(step)))
        if step % 13 < ticks:
            out += seqs(sequencer.advance(float(step)))
    out += seqs(sequencer.flush())

    assert sorted(out) == list(range(1, 13))
    assert len(out) == 12


@given(st.permutations(range(2, 12)))
def test_what_comes_within_the_time_it_is_held_comes_out_in_order(arrival: list[int]) -> None:
    assert feed(Sequencer(hold_s=1.0), 1, *arrival) == list(range(1, 12))


def test_the_same_number_with_another_alert_is_no_second_copy() -> None:
    """A device whose state was put back to an older copy counts on from there."""
    sequencer = Sequencer()
    first = [Received(EventMessage(alert(number), "gw-1", "log", number)) for number in (1, 2, 3)]
    again = [Received(EventMessage(alert(number + 100), "gw-1", "log", number)) for number in (2, 3)]

    given = [one for each in (*first, *again, *again) for one in sequencer.add(each, 0.0)]

    assert given == [*first, *again]
    assert sequencer.counts["duplicates"] == 2
