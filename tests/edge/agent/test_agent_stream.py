"""One stream's clock and rows: whose time counts, what is overdue, what is silent."""

import doctest
from dataclasses import replace
from pathlib import Path

import pytest

from edge.agent import stream as clocks
from edge.agent.stream import EARLIEST_CLOCK, LATEST_SENSIBLE, Stream
from edge.config.settings import StreamConfig
from edge.detector.bundle.files import Bundle
from edge.sources.intake import Arrival
from edge.wire.readings import Readings
from tests.helpers.tiny_bundle import write_tiny_bundle

NOW = EARLIEST_CLOCK + 1e6


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Bundle:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


def stream(bundle: Bundle, live: bool = True, **settings) -> Stream:
    return Stream(StreamConfig(id="p1", source="rig", board="p1", bundle=Path("tiny"), **settings), bundle, live)


def arrival(time: float | None, monotonic: float, wall: float = NOW, **values: float) -> Arrival:
    return Arrival("rig", "p1", Readings(values or {"flow": 1.0, "pressure": 2.0}, time), monotonic, wall)


def row_times(stream: Stream) -> list[float]:
    return [row.time for row in stream.rows]


def test_the_examples_of_the_clocks_hold():
    assert doctest.testmod(clocks).failed == 0


def test_rows_carry_the_boards_time_or_that_of_arrival_as_configured(bundle):
    by_board, by_arrival = stream(bundle), stream(bundle, time_from="arrival")
    for second in range(3):
        item = arrival(NOW - 50 + second, second, wall=NOW + second)
        by_board.take(item)
        by_arrival.take(item)

    assert row_times(by_board)[0] == NOW - 50
    assert row_times(by_arrival)[0] == NOW


def test_readings_without_a_time_take_that_of_arrival_and_are_counted(bundle):
    one = stream(bundle)
    one.take(arrival(None, 0.0))
    one.take(arrival(None, 1.0, wall=NOW + 1))

    assert row_times(one)[0] == NOW
    assert one.health()["untimed"] == 2


@pytest.mark.parametrize(("ahead_s", "refused"), [(59, 0), (61, 1)])
def test_a_reading_from_the_future_is_refused_by_the_gateways_clock(bundle, ahead_s, refused):
    one = stream(bundle)
    one.take(arrival(NOW + ahead_s, 0.0))

    assert one.health()["future"] == refused
    assert one.time(0.0) == (NOW + ahead_s if not refused else -float("inf"))


def test_a_gateway_whose_clock_was_never_set_refuses_no_sensible_time(bundle):
    one = stream(bundle)
    one.take(arrival(NOW, 0.0, wall=1000.0))
    one.take(arrival(LATEST_SENSIBLE * 1000, 0.0, wall=1000.0))

    assert one.health()["future"] == 1


def test_a_recording_is_not_judged_by_the_gateways_clock(bundle):
    one = stream(bundle, live=False)
    one.take(arrival(NOW + 1e6, 0.0))

    assert one.health()["future"] == 0


def test_a_simulator_in_a_hurry_is_not_judged_where_the_config_says_so(bundle):
    one = stream(bundle, max_future_s=float("inf"))
    one.take(arrival(NOW + 1e6, 0.0))

    assert one.health()["future"] == 0


def test_counters_and_codes_of_the_bundle_are_converted(bundle):
    one = stream(replace(bundle, rates=("flow",), missing={"pressure": (-999.0,)}))
    one.take(arrival(NOW, 0.0, flow=5.0, pressure=2.0))
    one.take(arrival(NOW + 1, 1.0, flow=7.0, pressure=-999.0))
    one.flush()

    assert one.rows[-1].values.tolist() == [2.0, 2.0]
    assert one.rows[-1].held == (1,)


def test_an_overdue_row_closes_when_monotonic_time_has_passed(bundle):
    one = stream(bundle)
    one.take(arrival(NOW, 100.0, flow=1.0))

    one.advance(100.9)
    assert row_times(one) == []
    one.advance(101.1)
    assert row_times(one) == [NOW]


def test_a_recording_knows_no_overdue_rows_and_no_silence(bundle):
    one = stream(bundle, live=False)
    one.take(arrival(NOW, 100.0, flow=1.0))
    one.advance(1e6)

    assert row_times(one) == []
    assert not one.silent(1e6)
    assert not one.idle(1e6)
    one.flush()
    assert row_times(one) == [NOW]


def test_silence_is_offline_before_the_first_reading_and_after_the_configured_time(bundle):
    one = stream(bundle, offline_after_s=10.0)
    assert one.silent(0.0)

    one.take(arrival(NOW, 100.0))

    assert not one.silent(109.9)
    assert one.silent(110.1)


def test_a_board_that_says_that_it_is_offline_is_so_at_once_and_until_it_is_heard_again(bundle):
    one = stream(bundle, offline_after_s=10.0)
    one.take(arrival(NOW, 100.0))

    one.take(Arrival("rig", "p1", Readings({}, offline=True), 101.0, NOW + 1))
    assert one.silent(101.0)
    one.take(arrival(NOW + 2, 102.0))

    assert not one.silent(102.0)
    assert one.readings == 2


@pytest.mark.parametrize("jump_s", [7200, -300])
def test_a_jump_of_the_gateways_wall_clock_changes_no_row_of_a_timed_board(bundle, jump_s):
    calm, jumpy = stream(bundle), stream(bundle)
    for second in range(40):
        item = arrival(NOW + second, second, wall=NOW + second)
        calm.take(item)
        jumpy.take(replace(item, wall=item.wall + (jump_s if second >= 10 else 0)))
        for one in (calm, jumpy):
            one.advance(second + 0.5)

    # Five minutes back, the first readings look as if they came from the future, until there are ten of them.
    lost = 9 if jump_s < 0 else 0
    assert jumpy.health()["future"] == lost
    assert row_times(jumpy) == [time for time in row_times(calm) if not NOW + 10 <= time < NOW + 10 + lost]


def test_the_first_reading_after_a_silence_says_that_the_board_is_back(bundle):
    one = stream(bundle, offline_after_s=10.0)
    one.take(arrival(NOW, 0.0))
    one.take(arrival(NOW + 100, 100.0, wall=NOW + 100))

    assert not one.silent(100.1)


@pytest.mark.parametrize("time_from", ["reading", "arrival"])
@pytest.mark.parametrize("jump_s", [7200, -300, 3 * 365 * 86400])
def test_rows_dated_by_arrival_go_on_without_a_gap_when_the_clock_is_set(bundle, time_from, jump_s):
    one = stream(bundle, time_from=time_from)
    for second in range(20):
        jumped = jump_s if second >= 10 else 0
        one.take(arrival(None, second, wall=NOW + second + jumped))
        one.advance(second + 0.5)
    one.advance(21.5)

    before, after = row_times(one)[:10], row_times(one)[10:]
    assert before == [NOW + second for second in range(10)]
    assert after == [NOW + second + jump_s for second in range(10, 20)]
    assert [row.restart for row in one.rows] == [True] + 19 * [False]
    assert one.health()["clock_reset"] == 1


def test_a_clock_set_back_waits_for_the_end_of_an_episode(bundle):
    one = stream(bundle, time_from="arrival")
    for second in range(30):
        one.in_episode = second < 20
        one.take(arrival(None, second, wall=NOW + second - (300 if second >= 10 else 0)))

    assert row_times(one) == [
        *(NOW + second for second in range(20)),
        *(NOW + second - 300 for second in range(20, 30)),
    ]


def test_jitter_between_the_clocks_dates_no_row_otherwise(bundle):
    one = stream(bundle, time_from="arrival")
    for second in range(20):
        one.take(arrival(None, second, wall=NOW + second + (0.4 if second % 2 else -0.4)))

    assert row_times(one) == [NOW + second for second in range(19)]
    assert one.health()["clock_reset"] == 0


def test_a_reading_from_the_past_or_the_far_future_does_not_move_the_streams_time(bundle):
    one = stream(bundle)
    for second in range(5):
        one.take(arrival(NOW + second, second))
    one.take(arrival(NOW + 50, 5.0))
    one.take(arrival(NOW + 5, 5.0))
    one.take(arrival(NOW - 1000, 5.5))

    assert one.time(5.0) == NOW + 5
    assert one.health()["stray"] == 1


def test_a_board_ahead_of_a_gateway_that_is_behind_is_believed_after_ten_readings(bundle):
    one = stream(bundle)
    for second in range(20):
        one.take(arrival(NOW + 7200 + second, second, wall=NOW + second))

    assert one.health()["future"] == 9
    assert row_times(one) == [NOW + 7200 + second for second in range(9, 20)]


def test_stamps_that_are_ahead_and_do_not_go_on_like_a_clock_are_never_believed(bundle):
    one = stream(bundle)
    for second in range(20):
        one.take(arrival(NOW + 7200 * (2 + second % 3), second, wall=NOW + second))

    assert one.health()["future"] == 20


def test_sparse_readings_keep_the_streams_time_although_each_comes_after_a_gap(bundle):
    one = stream(bundle)
    for tick in range(400):
        if tick % 40 == 0:
            one.take(arrival(NOW + tick / 4, tick / 4, wall=NOW + tick / 4))
        one.advance(tick / 4)
        assert one.time(tick / 4) == pytest.approx(NOW + tick / 4, abs=0.3)


def test_a_board_whose_clock_was_set_back_is_followed(bundle):
    one = stream(bundle)
    for second in range(5):
        one.take(arrival(NOW + second, second))
    for second in range(20):
        one.take(arrival(NOW - 3600 + second, 5 + second))

    assert one.health()["clock_reset"] == 1
    assert one.time(24.0) == NOW - 3600 + 19


def test_a_missing_channel_is_named_once_with_what_came_instead(bundle, caplog):
    one = stream(bundle)
    for second in range(200):
        one.take(arrival(NOW + second, second, wall=NOW + second, flow=1.0, presure=2.0))

    assert [record.getMessage() for record in caplog.records] == [
        "stream p1: board p1 sent no channel 'pressure' in 50 readings; did you mean 'presure'?"
    ]
