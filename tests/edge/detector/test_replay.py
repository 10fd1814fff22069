"""Files as streams: one entry for each row of the file, wherever it fell on the grid."""

import math

import numpy as np
import pytest

from edge.detector.bundle.files import Bundle
from edge.detector.group import StreamSettings
from edge.detector.replay import Recording, Replay, grid_rows, replay
from edge.detector.rows.aligner import AlignerSettings
from tests.helpers.rig import CHANNELS, START, WINDOW, group_of, normal, rows_of, with_fault, write_rig_bundle

pytestmark = pytest.mark.arm

GRID = AlignerSettings(1.0)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Bundle:
    return write_rig_bundle(tmp_path_factory.mktemp("bundles") / "rig")


def placed(*times: float, values: np.ndarray | None = None) -> tuple[list[float], list[int]]:
    """Grid times (from START on), and the grid row of each file row."""
    readings = np.ones((len(times), len(CHANNELS))) if values is None else values
    rows, place = grid_rows(Recording(START + np.array(times, float), readings), CHANNELS, GRID)
    return [row.time - START for row in rows], place.tolist()


def played(bundle: Bundle, recording: Recording, **settings: object) -> Replay:
    return replay(group_of(bundle, StreamSettings("pump1", **settings)), [recording], GRID)[0]


# File rows and grid rows


def test_rows_on_the_grid_are_their_own_grid_rows():
    assert placed(0, 1, 2, 3) == ([0, 1, 2, 3], [0, 1, 2, 3])


def test_rows_between_instants_belong_to_the_next_one():
    assert placed(0.0, 0.7, 1.6, 2.4, 3.0) == ([0, 1, 2, 3], [0, 1, 2, 3, 3])


def test_several_rows_of_one_period_share_a_grid_row():
    assert placed(0.1, 0.2, 0.9, 1.5, 1.6) == ([1, 2], [0, 0, 0, 1, 1])


def test_a_repeated_row_has_the_grid_row_of_the_first_one():
    assert placed(0, 1, 1, 2, 2, 2, 3) == ([0, 1, 2, 3], [0, 1, 1, 2, 2, 2, 3])


def test_rows_out_of_order_are_placed_while_their_grid_row_is_open_and_have_none_after():
    assert placed(0.5, 0.2, 1.5, 1.2, 2.5, 0.4) == ([1, 2, 3], [0, 0, 1, 1, 2, -1])


def test_silences_move_the_grid_rows_on_and_gaps_do_not():
    assert placed(0, 3, 100, 101) == ([0, 1, 2, 3, 100, 101], [0, 3, 4, 5])


def test_rows_without_a_time_or_far_ahead_of_the_others_have_no_grid_row():
    assert placed(0, math.nan, 1, 1e8, 2) == ([0, 1, 2], [0, -1, 1, -1, 2])


def test_after_a_clock_was_set_back_rows_are_placed_in_the_new_run():
    times = [*range(1000, 1003), *range(900, 920), *range(1000, 1003)]

    grid, place = placed(*times)

    assert grid == [*range(1000, 1003), *range(909, 920), *range(1000, 1003)]
    assert place == [0, 1, 2, *[-1] * 9, *range(3, 17)]


def test_a_row_without_values_has_its_grid_row_too():
    values = np.ones((4, len(CHANNELS)))
    values[2] = np.nan

    assert placed(0, 1, 2, 3, values=values)[1] == [0, 1, 2, 3]


def test_an_empty_recording_has_no_rows():
    assert placed() == ([], [])


# What is said of them


def test_every_file_row_has_its_grid_rows_score_and_state(bundle):
    values = with_fault(normal(200, 3), 60, 60)
    one = played(bundle, Recording(START + np.arange(200.0), values))
    group = group_of(bundle)
    outcomes = [group.process([(0, row)])[0] for row in rows_of(values)]

    assert one.score == pytest.approx([outcome.score for outcome in outcomes], nan_ok=True)
    assert one.alarm.tolist() == [outcome.alarm for outcome in outcomes]
    assert list(one.episode) == [outcome.event_id if outcome.alarm else None for outcome in outcomes]
    assert list(one.top_channel) == [outcome.top_channel for outcome in outcomes]


def test_rows_that_share_a_grid_row_share_its_score(bundle):
    values = np.repeat(normal(50), 2, axis=0)
    one = played(bundle, Recording(START + np.arange(100) / 2 + 0.5, values))

    assert one.score[20::2] == pytest.approx(one.score[21::2])


def test_a_late_row_has_no_score_and_the_state_of_the_rows_before_it(bundle):
    times, values = START + np.arange(200.0), with_fault(normal(200, 3), 60, 140)
    times[150] = START
    one = played(bundle, Recording(times, values))

    assert one.aligned[150] == -1
    assert math.isnan(one.score[150])
    assert one.alarm[150]
    assert one.episode[150] == one.episode[149]


def test_rows_before_the_first_grid_row_are_in_no_alarm(bundle):
    one = played(bundle, Recording(np.array([math.nan, START, START + 1]), normal(3)))

    assert one.aligned.tolist() == [-1, 0, 1]
    assert not one.alarm.any()
    assert one.episode == (None, None, None)


def test_an_episode_open_at_the_end_of_the_file_is_ended(bundle):
    one = played(bundle, Recording(START + np.arange(100.0), with_fault(normal(100, 3), 60, 40)))

    assert [event.event_type for event in one.events if event.event_type != "update"] == ["new", "end"]
    assert one.events[-1].end_time == START + 99
    assert one.alarm[-1]


def test_an_empty_recording_gives_an_empty_replay(bundle):
    one = played(bundle, Recording(np.zeros(0), np.zeros((0, len(CHANNELS)))))

    assert [len(part) for part in (one.score, one.alarm, one.episode, one.top_channel, one.events)] == [0] * 5


def test_no_recordings_give_no_replays(bundle):
    assert replay(group_of(bundle), [], GRID) == []


def test_recordings_of_different_length_give_what_each_gives_alone(bundle):
    values = [with_fault(normal(count, count), 40, 30) for count in (120, 0, WINDOW - 1, 80)]
    recordings = [Recording(START + np.arange(float(len(one))), one) for one in values]
    group = group_of(bundle, *(StreamSettings(f"s{number}") for number in range(4)))
    seen: list[tuple[int, int]] = []

    together = replay(group, recordings, GRID, lambda done, total: seen.append((done, total)))

    for one, recording in zip(together, recordings, strict=True):
        alone = played(bundle, recording)
        assert one.score == pytest.approx(alone.score, nan_ok=True)
        assert one.alarm.tolist() == alone.alarm.tolist()
        assert [event.event_type for event in one.events] == [event.event_type for event in alone.events]
    assert seen == [(step, 120) for step in range(1, 121)]


def test_the_first_rows_can_commission_the_stream(bundle):
    one = played(bundle, Recording(START + np.arange(300.0), normal(300, 3)), calibrate_rows=200)

    assert np.isnan(one.score[:200]).all()
    assert np.isfinite(one.score[200:]).all()
