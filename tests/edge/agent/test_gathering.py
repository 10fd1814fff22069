import pytest

from edge.agent.inbox import LONGEST_S, Gathering


def test_the_first_reading_is_taken_at_once():
    assert Gathering(0.05).wait_s([1.0], monotonic=7.0) == 0.0


def test_readings_that_follow_closely_wait_for_a_part_of_the_shortest_period():
    gathering = Gathering(0.05)
    gathering.taken(more=False, monotonic=10.0)

    assert gathering.wait_s([2.0, 1.0], monotonic=10.02) == pytest.approx(0.03)
    assert gathering.wait_s([2.0, 1.0], monotonic=10.05) == pytest.approx(0.0, abs=1e-9)
    assert gathering.wait_s([2.0, 1.0], monotonic=11.0) == 0.0


def test_a_long_period_lets_nobody_wait_for_long():
    gathering = Gathering(0.05)
    gathering.taken(more=False, monotonic=10.0)

    assert gathering.wait_s([1800.0], monotonic=10.0) == pytest.approx(LONGEST_S)


def test_who_is_behind_does_not_gather():
    gathering = Gathering(0.05)
    gathering.taken(more=True, monotonic=10.0)

    assert gathering.wait_s([1.0], monotonic=10.0) == 0.0


def test_nothing_is_gathered_where_that_is_off_or_no_bundle_is_loaded():
    for gathering, periods in ((Gathering(0.0), [1.0]), (Gathering(0.05), [])):
        gathering.taken(more=False, monotonic=10.0)

        assert gathering.wait_s(periods, monotonic=10.0) == 0.0


def test_a_turn_that_others_waited_for_too_long_makes_the_next_shorter_and_short_ones_longer_again():
    gathering = Gathering()

    for seconds in (4 * LONGEST_S, 40 * LONGEST_S, 1000 * LONGEST_S):
        gathering.worked(gathering.most, seconds)
    fewest = gathering.most
    gathering.worked(fewest, 0.7 * LONGEST_S)
    unchanged = gathering.most
    for _ in range(10):
        gathering.worked(gathering.most, 0.1 * LONGEST_S)

    assert fewest == unchanged == 16
    assert gathering.most == Gathering().most


def test_a_turn_that_took_all_there_was_says_nothing_of_the_next():
    gathering = Gathering()

    gathering.worked(gathering.most - 1, 100 * LONGEST_S)

    assert gathering.most == Gathering().most
