"""What alarms are worth on recordings with rows that nobody judges, and what calibrations promised."""

import doctest
import importlib

import numpy as np
import pytest

from edge.detector.bundle.tail import Tail
from train.benchmarks.families.claims import Claim, alerts_per_s, pooled
from train.benchmarks.families.judging import Counts, Truth, always, clock_row, figures, from_row, judge, together

STEP_S = 10.0


def truth(labels: str, first: int = 0, step_s: float = STEP_S) -> Truth:
    """`.` normal, `x` anomalous, `?` not judged."""
    numbers = np.array([{".": 0, "x": 1, "?": -1}[one] for one in labels])
    return Truth(1.7e9 + step_s * np.arange(len(labels)), numbers, first)


def alarms(text: str) -> np.ndarray:
    """`!` in alarm."""
    return np.array([one == "!" for one in text])


@pytest.mark.parametrize("module", ["claims", "judging", "leaving_out"])
def test_examples_in_docstrings_give_what_they_say(module):
    found = doctest.testmod(importlib.import_module(f"train.benchmarks.families.{module}"))

    assert (found.attempted > 0, found.failed) == (True, 0)


def test_rows_are_counted_and_what_is_not_judged_is_neither_false_nor_missed():
    counts = judge(alarms("!..!!..!"), truth("..??xx.."))

    assert (counts.normal, counts.false, counts.anomalous, counts.hits) == (4, 2, 2, 1)
    assert counts.normal_s == 4 * STEP_S


@pytest.mark.parametrize(
    ("labels", "alarm", "found", "false"),
    [
        ("...xx......", "...!.......", 1, 0),
        ("...xx......", "..!!.......", 0, 1),  # was on before
        ("...xx......", ".......!...", 1, 0),  # in the grace of three rows
        ("...xx......", "........!..", 0, 1),
        ("..?xx......", "..!........", 1, 0),  # begins where nobody judges
        ("...xx?.....", ".....!.....", 1, 0),
        ("...??......", "....!......", 0, 0),  # no event, and no false one
        ("...xx.....x", "....!....!.", 1, 1),
        ("xx...xx....", "!....!.....", 2, 0),
        ("xx.xx......", "...!.......", 2, 0),  # in the grace of the one, inside the other
    ],
)
def test_an_event_is_found_by_an_episode_that_starts_in_it_or_soon_after(labels, alarm, found, false):
    counts = judge(alarms(alarm), truth(labels))

    assert (counts.events_found, counts.false_episodes) == (found, false)


@pytest.mark.parametrize(("step_s", "rows"), [(0.5, 60), (1.0, 30), (9.0, 3), (10.0, 3), (180.0, 3)])
def test_the_grace_is_half_a_minute_or_three_rows(step_s, rows):
    assert truth("....", step_s=step_s).grace_rows == rows


def test_rows_that_commission_are_not_judged_and_an_episode_that_started_there_does_not_count():
    counts = judge(alarms("!!!!....!"), truth("......x..", first=3))

    assert (counts.normal, counts.false, counts.events_found, counts.false_episodes) == (5, 2, 1, 0)
    assert judge(alarms("..!!....."), truth("...xx....", first=3)).events_found == 0


def test_a_delay_is_from_the_first_anomalous_row_to_the_first_alarm_that_finds():
    counts = judge(alarms("..!....!.!...!..."), truth("..??xx.xxxx......"))

    assert counts.delays == ((-2, -2 * STEP_S), (0, 0.0))


def judged_by_hand(alarm: np.ndarray, one: Truth) -> dict[str, int]:
    """Row by row, with sets."""
    rows = range(one.first, len(alarm))
    starts = {row for row in rows if alarm[row] and (row == 0 or not alarm[row - 1])}
    stretches, current = [], []
    for row in [*rows, len(alarm)]:
        if row < len(alarm) and one.labels[row] != 0:
            current.append(row)
        elif current:
            stretches, current = [*stretches, current], []
    with_grace = [set(range(part[0], part[-1] + 1 + one.grace_rows)) for part in stretches]
    events = [
        spared for part, spared in zip(stretches, with_grace, strict=True) if any(one.labels[row] == 1 for row in part)
    ]
    return {
        "hits": sum(alarm[row] and one.labels[row] == 1 for row in rows),
        "false": sum(alarm[row] and one.labels[row] == 0 for row in rows),
        "events": len(events),
        "events_found": sum(bool(starts & spared) for spared in events),
        "false_episodes": len(starts - set().union(*with_grace)),
    }


@pytest.mark.parametrize("seed", range(30))
def test_counts_are_those_of_a_count_by_hand(seed):
    chance = np.random.default_rng(seed)
    labels = np.repeat(chance.choice([0, 0, 0, 1, -1], 40), chance.integers(1, 9, 40))
    alarm = np.repeat(chance.random(60) < 0.3, chance.integers(1, 6, 60))
    length = min(len(labels), len(alarm))
    one = Truth(7.0 * np.arange(length), labels[:length], int(chance.integers(0, 20)))

    counts = judge(alarm[:length], one)

    wanted = judged_by_hand(alarm[:length], one)
    assert {name: getattr(counts, name) for name in wanted} == wanted


def test_rates_are_of_all_recordings_together_and_delays_medians():
    one = Counts(
        normal=90, false=9, anomalous=10, hits=4, events=2, events_found=1, normal_s=900.0, delays=((5, 50.0),)
    )
    other = Counts(normal=10, anomalous=10, hits=10, events=1, events_found=1, false_episodes=2, delays=((1, 10.0),))

    found = figures(together([one, other]))

    assert (found["far"], found["mar"], found["j"]) == pytest.approx((0.09, 0.3, 0.61))
    assert (found["events"], found["events_found"], found["false_episodes"]) == (3, 2, 2)
    assert found["false_episodes_per_1000_rows"] == pytest.approx(20.0)
    assert found["false_episodes_per_day"] == pytest.approx(192.0)
    assert (found["delay_rows"], found["delay_s"]) == (3, 30.0)


def test_there_is_no_rate_of_nothing():
    assert all(value in (None, 0) for value in figures(Counts()).values())


def test_the_clock_starts_where_it_suits_all_recordings_best_and_sees_no_row_that_is_not_judged():
    recordings = [truth("....xx..??"), truth("..??xx..??"), truth("xxxxxx....", first=3)]

    row = clock_row(recordings)

    assert row == 3
    assert from_row(recordings[0], 4).tolist() == [False] * 4 + [True] * 6
    assert from_row(recordings[2], 0).tolist() == always(recordings[2]).tolist() == [False] * 3 + [True] * 7


def test_poisson_intervals_are_those_of_tables():
    # Garwood's limits for 0, 1 and 10.
    for seen, low, high in ((0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39)):
        assert Claim((), 1.0, 1.0, seen).interval == pytest.approx((low, high), rel=1e-3)


@pytest.mark.parametrize(
    ("claimed", "seen", "holds"),
    [(10, 10, True), (11, 0, True), (12, 0, False), (3.3, 18, False), (3.3, 16, True), (100, 100, True)],
)
def test_a_claim_holds_where_what_was_seen_may_be_a_third_to_three_times_of_it(claimed, seen, holds):
    assert Claim((), 1.0, claimed, seen).holds is holds


def test_families_of_which_little_is_claimed_are_told_as_one():
    claims = {name: Claim((name,), 1.0, claimed, 1) for name, claimed in (("a", 2.9), ("b", 3.0), ("c", 0.0))}

    each = pooled(claims)

    assert [one.families for one in each] == [("b",), ("a", "c")]
    assert (each[1].days, each[1].claimed, each[1].seen) == (2.0, 2.9, 2)


class Calibrated:
    """As much of a calibration as a claim rests on."""

    def __init__(self, tail: Tail | None, level: float) -> None:
        self.tail, self.level = tail, level


def test_a_calibration_claims_the_rate_of_its_level_also_beyond_what_it_has_seen():
    tail = Tail(threshold=1.0, shape=0.0, scale=1.0, peaks=10, span_s=1000.0)

    assert alerts_per_s(Calibrated(tail, 3.0)) == pytest.approx(0.01 * np.exp(-2.0))
    assert alerts_per_s(Calibrated(tail, 21.0)) == pytest.approx(0.01 * np.exp(-20.0))
    assert alerts_per_s(Calibrated(None, 3.0)) is None
