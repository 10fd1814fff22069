"""Metrics against cases counted by hand; both sides of every limit."""

import numpy as np
import pytest

from tests.helpers.recordings import recordings
from train.evaluation import blind
from train.evaluation.found import (
    Anomaly,
    alarm_starts,
    episode_starts,
    grace_s,
    label_runs,
    labels_inside,
    match,
)
from train.evaluation.metrics import Judged, false_starts, measure


def judged(
    labels: str,
    alarm: str,
    score: list[float] | None = None,
    first: int = 0,
    period_s: float = 1.0,
    anomalies: tuple[Anomaly, ...] | None = None,
    name: str = "a",
) -> Judged:
    """Rows written as text, `#` for true, `?` for unjudged: one character a row, the first at 1000 s."""
    times = 1000 + period_s * np.arange(len(labels))
    truth = np.array([mark == "#" for mark in labels])
    on = np.array([mark == "#" for mark in alarm])
    return Judged(
        name=name,
        times=times,
        labels=truth,
        anomalies=label_runs(times, truth) if anomalies is None else anomalies,
        score=on.astype(float) if score is None else np.array(score),
        alarm=on,
        starts=alarm_starts(on),
        first=first,
        unjudged=np.array([mark == "?" for mark in labels]) if "?" in labels else None,
    )


def test_rates_are_counted_by_rows() -> None:
    metrics = measure([judged("....####", "..####..")], 30.0)

    assert (metrics.rows, metrics.normal_rows, metrics.anomalous_rows) == (8, 4, 4)
    assert (metrics.alarm_rows, metrics.hits) == (4, 2)
    assert (metrics.precision, metrics.recall, metrics.f1) == (0.5, 0.5, 0.5)
    assert (metrics.far, metrics.mar, metrics.j) == (0.5, 0.5, 0.0)


def test_rates_are_taken_over_all_files_together() -> None:
    metrics = measure([judged("..##", "..##"), judged("........", "####....", name="b")], 0.0)

    assert metrics.precision == pytest.approx(2 / 6)
    assert metrics.f1 == pytest.approx(4 / 8)
    assert metrics.far == pytest.approx(4 / 10)
    assert (metrics.files, metrics.files_with_events, metrics.files_found) == (2, 1, 1)


def test_rows_before_the_first_evaluated_one_count_for_nothing() -> None:
    metrics = measure([judged("..##..##", "####..##", first=4)], 0.0)

    assert (metrics.rows, metrics.alarm_rows, metrics.hits) == (4, 2, 2)
    assert (metrics.events, metrics.episodes) == (1, 1)


def test_rates_without_a_whole_are_none() -> None:
    metrics = measure([judged("....", "....")], 30.0)

    assert metrics.far == 0.0
    assert [metrics.f1, metrics.precision, metrics.recall, metrics.mar, metrics.j] == [None] * 5
    assert [metrics.roc_auc, metrics.pr_auc, metrics.far_before_onset, metrics.delay_s] == [None] * 4


def test_far_before_onset_stops_at_the_first_onset() -> None:
    metrics = measure([judged("....##....", "#...##.###")], 0.0)

    assert metrics.far_before_onset == pytest.approx(1 / 4)
    assert metrics.far == pytest.approx(4 / 8)


def test_far_before_onset_begins_with_the_first_evaluated_row() -> None:
    assert measure([judged("....##", "#...##", first=1)], 0.0).far_before_onset == 0.0


def test_an_alarm_that_is_on_already_finds_nothing() -> None:
    metrics = measure([judged("..####..", ".#####..")], 0.0)

    assert metrics.recall == 1.0
    assert (metrics.events_found, metrics.false_episodes) == (0, 1)


def test_an_episode_that_starts_with_the_anomaly_finds_it_without_delay() -> None:
    metrics = measure([judged("..####..", "..#####.")], 0.0)

    assert (metrics.events_found, metrics.false_episodes, metrics.delay_s) == (1, 0, 0.0)


def test_the_delay_is_that_of_the_first_alarm_row_of_the_finding_episode() -> None:
    metrics = measure([judged(".######.", "...#.#..")], 0.0)

    assert metrics.delay_s == 2.0
    assert metrics.findings[0].found_at == 1003.0
    assert metrics.episodes == 2


def test_a_delay_counts_from_the_onset_where_one_is_given() -> None:
    window = (Anomaly(1001.0, 1006.0, onset=1004.0),)

    assert measure([judged("........", "..##....", anomalies=window)], 0.0).delay_s == -2.0


@pytest.mark.parametrize(("seconds_after", "finds"), [(29, True), (30, True), (31, False)])
def test_an_episode_up_to_30_s_after_the_end_still_finds(seconds_after: int, finds: bool) -> None:
    labels = "..##" + "." * 40
    alarm = "." * (3 + seconds_after) + "#" + "." * (40 - seconds_after)

    metrics = measure([judged(labels, alarm)], grace_s(1.0))

    assert metrics.events_found == int(finds)
    assert metrics.false_episodes == int(not finds)


@pytest.mark.parametrize(("rows_after", "finds"), [(3, True), (4, False)])
def test_of_a_slower_stream_three_rows_after_the_end_still_find(rows_after: int, finds: bool) -> None:
    alarm = "." * (3 + rows_after) + "#" + "." * (6 - rows_after)

    metrics = measure([judged("..##......", alarm, period_s=1800.0)], grace_s(1800.0))

    assert metrics.events_found == int(finds)


@pytest.mark.parametrize(("period_s", "grace"), [(1.0, 30.0), (10.0, 30.0), (10.1, 30.3), (300.0, 900.0)])
def test_grace_is_30_s_or_three_rows_whichever_is_more(period_s: float, grace: float) -> None:
    assert grace_s(period_s) == pytest.approx(grace)


def test_a_second_episode_after_the_end_of_a_found_anomaly_is_false() -> None:
    found = match([Anomaly(10.0, 20.0)], [12.0, 25.0], 30.0)

    assert found.found_by == (0,)
    assert found.false == (1,)


def test_further_episodes_inside_an_anomaly_are_not_false() -> None:
    assert match([Anomaly(10.0, 20.0)], [12.0, 15.0, 20.0], 0.0).false == ()


@pytest.mark.parametrize(("start", "false"), [(9.9, (0,)), (10.0, ()), (20.0, ()), (20.1, (0,))])
def test_an_anomaly_holds_both_its_ends(start: float, false: tuple[int, ...]) -> None:
    assert match([Anomaly(10.0, 20.0)], [start], 0.0).false == false


def test_one_episode_may_find_two_overlapping_windows() -> None:
    assert match([Anomaly(0.0, 10.0), Anomaly(5.0, 20.0)], [7.0], 0.0).found_by == (0, 0)


def test_an_anomaly_over_before_the_first_evaluated_row_is_no_event() -> None:
    window = (Anomaly(1000.0, 1003.0), Anomaly(1002.0, 1004.0))

    assert measure([judged("........", "........", first=4, anomalies=window)], 30.0).events == 1


def test_false_starts_are_times_of_the_episodes_outside() -> None:
    assert false_starts(judged("..##....", "#.##...#"), 1.0).tolist() == [1000.0, 1007.0]


def test_label_runs_end_with_their_last_labelled_row() -> None:
    runs = label_runs(np.arange(6.0), np.array([1, 1, 0, 1, 0, 1], bool))

    assert runs == (Anomaly(0.0, 1.0), Anomaly(3.0, 3.0), Anomaly(5.0, 5.0))
    assert labels_inside(np.arange(6.0), runs).tolist() == [True, True, False, True, False, True]


def test_an_episode_starts_once_though_rows_without_it_lie_between() -> None:
    assert episode_starts(["a", "a", None, "a", "b"]).tolist() == [True, False, False, False, True]


def test_auc_of_a_perfect_and_of_an_inverted_score() -> None:
    assert measure([judged("..##", "....", score=[0.1, 0.2, 0.3, 0.4])], 0.0).roc_auc == 1.0
    assert measure([judged("..##", "....", score=[0.4, 0.3, 0.2, 0.1])], 0.0).roc_auc == 0.0


def test_average_precision_by_hand() -> None:
    # By falling score: hit (1/1), miss, hit (2/3): (1 + 2/3) / 2.
    metrics = measure([judged("#.#.", "....", score=[0.9, 0.8, 0.7, 0.1])], 0.0)

    assert metrics.pr_auc == pytest.approx((1 + 2 / 3) / 2)
    assert metrics.roc_auc == pytest.approx(3 / 4)


def test_a_row_without_score_ranks_as_zero() -> None:
    nan = float("nan")

    assert measure([judged("..##", "....", score=[nan, 0.0, nan, 0.4])], 0.0).roc_auc == pytest.approx(3 / 4)


def test_an_infinite_score_ranks_first() -> None:
    assert measure([judged("..##", "....", score=[0.1, 0.2, 0.3, float("inf")])], 0.0).roc_auc == 1.0


def test_metrics_are_plain_json() -> None:
    body = measure([judged("..##", "..##")], 30.0).to_dict()

    assert body["findings"] == [
        {
            "file": "a",
            "start": 1002.0,
            "end": 1003.0,
            "onset": 1002.0,
            "found_at": 1002.0,
            "channel": None,
            "delay_s": 0.0,
        }
    ]
    assert body["f1"] == 1.0


def test_always_misses_no_row_and_finds_nothing() -> None:
    metrics = measure(blind.always([judged("..##..", "......", first=1)]), 30.0)

    assert (metrics.far, metrics.mar, metrics.j) == (1.0, 0.0, 0.0)
    assert (metrics.events_found, metrics.false_episodes) == (0, 1)


def test_clock_starts_at_the_row_with_the_largest_f1() -> None:
    files = [judged("...###.", "......."), judged("....##.", ".......", name="b")]

    # From row 3: hits 5, alarms 8, F1 10/13; from row 4: hits 4, alarms 6, F1 8/11; from row 2: 10/15.
    assert blind.best_row(files) == 3
    assert measure(blind.clock(files), 0.0).f1 == pytest.approx(10 / 13)


def test_clock_takes_no_row_before_the_first_evaluated_one() -> None:
    assert blind.best_row([judged("####....", "........", first=5)]) == 0
    assert blind.best_row([judged("..######", "........", first=5)]) == 0
    assert measure(blind.clock([judged("..######", "........", first=5)]), 0.0).rows == 3


@pytest.mark.data
def test_blind_baselines_on_valve1_are_those_published() -> None:
    files = []
    for path in recordings("skab/valve1/*.csv"):
        rows = np.genfromtxt(path, delimiter=";", skip_header=1, usecols=9)
        times = np.arange(len(rows), dtype=float)
        labels, nothing = rows > 0, np.zeros(len(rows))
        files.append(Judged(path.name, times, labels, label_runs(times, labels), nothing, labels & False, labels, 400))

    always, clock = measure(blind.always(files), 30.0), measure(blind.clock(files), 30.0)

    assert always.f1 == pytest.approx(0.698, abs=5e-4)
    assert (clock.f1, clock.far) == (pytest.approx(0.822, abs=5e-4), pytest.approx(0.498, abs=5e-4))


def test_rows_that_nobody_judged_are_in_no_figure() -> None:
    known = measure([judged("..##..", ".##...")], 30.0)

    found = measure([judged("?..##?..?", "#.##.#..#")], 30.0)

    assert (found.rows, found.unjudged_rows) == (6, 3)
    for name in ("normal_rows", "anomalous_rows", "hits", "f1", "far", "mar", "j", "far_before_onset"):
        assert getattr(found, name) == getattr(known, name), name


def test_an_episode_that_starts_where_nobody_judged_is_not_false() -> None:
    assert measure([judged("??....##", "#...#..#")], 0.0).false_episodes == 1
