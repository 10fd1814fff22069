"""Where a baseline takes its place, when it follows, and when it goes home."""

import numpy as np
import pytest

from edge.detector.members.tuning import DEFAULT
from edge.detector.score.calibrations import Shape
from edge.detector.score.chart import Charts, Wander

pytestmark = pytest.mark.arm

WINDOW = 10
MEMORY = int(DEFAULT.baseline_windows * WINDOW)
PATIENCE = 10 * MEMORY
ONE, SLOT = np.array([0]), np.array([0])
CALM, ALARM = np.array([False]), np.array([True])


def wander(low: float = -1.0, high: float = 1.0, control: float = 0.5, most: float = 3.0) -> Wander:
    return Wander(*(np.full((1, 1), float(value)) for value in (low, high, control, most)))


def charts() -> Charts:
    return Charts(1, Shape(WINDOW, 1), DEFAULT)


def baseline(of: Charts) -> float:
    return float(of.baseline[0, 0, 0])


def rows(of: Charts, values, bounds: Wander, alarm=CALM) -> Charts:
    """Readings in z-units one after another, in the order of the engine, a first window's mean as its place."""
    for value in np.atleast_1d(values):
        of.count(ONE, alarm)
        of.update_level(ONE, np.array([[value]]) - of.baseline[0])
        if of.age[0] == WINDOW:
            of.place(ONE, np.array([[value]]), bounds)
        of.go_home(ONE, SLOT, bounds.control)
        moved = of.follow(ONE, SLOT, np.nan_to_num(np.array([[value]]) - of.baseline[0]), bounds.control, bounds.most)
        assert moved.tolist() == of.baseline[0].tolist()
    return of


def started(value: float, bounds: Wander) -> Charts:
    """After the first window."""
    return rows(charts(), [value] * WINDOW, bounds)


# Placement


@pytest.mark.parametrize(("value", "place"), [(0.4, 0.4), (-0.9, -0.9), (1.0, 1.0), (5.0, 1.0), (-5.0, -1.0)])
def test_a_start_takes_its_place_within_what_normal_rows_showed(value, place):
    assert baseline(started(value, wander())) == pytest.approx(place)


def test_before_the_window_is_full_it_stays():
    assert baseline(rows(charts(), [0.4] * (WINDOW - 1), wander())) == 0.0


def test_the_level_chart_is_told_from_the_new_place():
    found = started(0.4, wander())

    assert found.level[0, 0] == pytest.approx(0.0, abs=1e-12)


def test_a_channel_without_any_value_keeps_its_place():
    assert baseline(started(np.nan, wander())) == 0.0


@pytest.mark.parametrize("silence", [0, 1, MEMORY // 4, MEMORY, 10 * MEMORY, np.inf])
def test_after_a_silence_it_goes_the_further_the_longer_nothing_was_known(silence):
    found = started(0.0, wander())
    found.clear(ONE, np.array([silence], float))

    rows(found, [0.8] * WINDOW, wander())

    assert baseline(found) == pytest.approx(0.8 * (1 - np.exp(-silence / MEMORY)))


def test_silences_within_the_first_window_add_up():
    once, twice = started(0.0, wander()), started(0.0, wander())
    once.clear(ONE, np.array([300.0]))
    twice.clear(ONE, np.array([200.0]))
    rows(twice, [0.8] * (WINDOW - 1), wander())
    twice.clear(ONE, np.array([100.0]))

    for found in (once, twice):
        rows(found, [0.8] * WINDOW, wander())

    assert baseline(twice) == pytest.approx(baseline(once))


def test_a_silence_after_the_first_window_is_one_of_its_own():
    found = started(0.0, wander())
    found.clear(ONE, np.array([0.0]))

    rows(found, [0.8] * WINDOW, wander())

    assert baseline(found) == 0.0


@pytest.mark.parametrize(("value", "place"), [(1.9, 1.9), (2.5, 2.0), (0.3, 0.3), (-4.0, -1.0)])
def test_a_drift_that_was_followed_is_not_undone_by_a_silence(value, place):
    found = charts()
    found.baseline[:] = 2.0  # beyond what normal rows showed

    rows(found, [value] * WINDOW, wander())

    assert baseline(found) == pytest.approx(place)


def test_a_season_knows_where_its_slots_are():
    seasonal = Charts(1, Shape(WINDOW, 1, slots=2), DEFAULT)
    seasonal.place(ONE, np.array([[0.5]]), wander())

    assert not seasonal.baseline.any()


# Following


def test_it_follows_what_is_in_control_and_not_what_is_not():
    near, far = (started(0.0, wander()) for _ in range(2))

    rows(near, [0.4] * MEMORY, wander())
    rows(far, [0.7] * MEMORY, wander())

    assert baseline(near) == pytest.approx(0.4 * (1 - np.exp(-1)), rel=0.01)
    assert baseline(far) < 0.05, "what it went before the chart had left its limit"


def test_a_reading_that_is_missing_moves_nothing():
    found = started(0.4, wander())

    assert baseline(rows(found, [np.nan] * MEMORY, wander())) == pytest.approx(0.4)


def test_one_wild_reading_moves_it_as_one_six_units_away():
    found = started(0.0, wander(control=np.inf, most=10.0))

    assert baseline(rows(found, [1e6], wander(control=np.inf, most=10.0))) == pytest.approx(6 / MEMORY)


def test_it_never_leaves_its_bound():
    assert baseline(rows(started(0.0, wander(most=0.2)), [0.4] * (5 * MEMORY), wander(most=0.2))) == 0.2
    assert baseline(started(0.9, wander(most=0.2))) == 0.2


def test_a_change_for_good_is_followed_once_the_alarm_has_outlasted_patience():
    found = started(0.0, wander())

    assert baseline(rows(found, [2.0] * PATIENCE, wander(), ALARM)) < 0.05
    assert baseline(rows(found, [2.0] * (5 * MEMORY), wander(), ALARM)) == pytest.approx(2.0, abs=0.05)


def test_a_row_in_calm_begins_patience_anew():
    found = started(0.0, wander())
    rows(found, [2.0] * PATIENCE, wander(), ALARM)
    rows(found, [2.0], wander(), CALM)

    assert baseline(rows(found, [2.0] * PATIENCE, wander(), ALARM)) < 0.1


# Going home


def test_what_was_followed_in_an_alarm_is_left_at_once_when_the_readings_go_back():
    found = started(0.0, wander())
    rows(found, np.linspace(0, 2.0, 8 * MEMORY), wander(), ALARM)  # so slowly that it follows
    assert baseline(found) > 1.0

    rows(found, [0.0] * WINDOW, wander(), ALARM)

    assert baseline(found) == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize(("calm", "moves"), [(MEMORY, False), (MEMORY + 1, True)])
def test_home_is_where_it_was_before_an_alarm_after_a_long_calm(calm, moves):
    found = started(0.0, wander())
    rows(found, [0.0] * WINDOW, wander(), ALARM)
    rows(found, [0.3] * calm, wander(), CALM)
    before = baseline(found)
    assert before > 0.1

    rows(found, [0.3] * WINDOW, wander(), ALARM)

    assert found.home[0, 0, 0] == (before if moves else 0.0)


def test_the_first_alarm_ever_has_where_it_was_as_its_home():
    found = rows(started(0.2, wander()), [0.4] * (MEMORY + WINDOW), wander(), CALM)
    before = baseline(found)

    rows(found, [0.6], wander(), ALARM)

    assert found.home[0, 0, 0] == before > 0.2


def test_without_an_alarm_it_goes_step_by_step():
    found = rows(started(0.0, wander()), np.linspace(0.0, 1.0, 4 * MEMORY), wander(), CALM)

    rows(found, [0.0] * 3, wander(), CALM)

    assert baseline(found) > 0.7


def test_the_place_of_a_first_start_is_home_since_nothing_was_learned_before():
    found = started(0.8, wander())

    assert found.home[0, 0, 0] == baseline(found) == pytest.approx(0.8)
    assert baseline(rows(found, [0.0] * 3 * WINDOW, wander(), CALM)) > 0.5


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("alarm", [CALM, ALARM])
def test_a_fault_that_the_first_window_after_a_silence_shows_is_left_when_the_readings_go_back(restarted, alarm):
    found = rows(started(0.0, wander()), [0.0] * 3 * MEMORY, wander(), CALM)
    if restarted:
        found.restore(0, found.baseline[0].copy())
    else:
        found.clear(ONE, np.array([np.inf]))
    rows(found, [0.8] * 2 * WINDOW, wander(), alarm)
    assert baseline(found) == pytest.approx(0.8)

    rows(found, [0.0] * 2 * WINDOW, wander(), alarm)

    assert baseline(found) == pytest.approx(0.0, abs=0.05)


def test_a_silence_in_an_alarm_leaves_home_where_it_was_before_the_alarm():
    found = rows(started(0.0, wander()), [0.0] * 2 * MEMORY, wander(), CALM)
    rows(found, np.linspace(0, 0.9, 8 * MEMORY), wander(), ALARM)
    found.clear(ONE, np.array([np.inf]))

    rows(found, [0.8] * WINDOW, wander(), ALARM)

    assert baseline(found) == pytest.approx(0.8)
    assert found.home[0, 0, 0] == pytest.approx(0.0)


@pytest.mark.parametrize(("calm", "jumps"), [(MEMORY - 1, True), (MEMORY, False)])
def test_home_is_remembered_for_as_long_as_a_baseline_remembers(calm, jumps):
    found = started(0.0, wander())
    found.baseline[:], found.level[:], found.calm[:] = 1.0, -0.9, calm

    found.count(ONE, CALM)
    found.go_home(ONE, SLOT, wander().control)

    assert (baseline(found) == 0.0) == jumps


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize(
    ("away", "level", "jumps"),
    [
        (1.0, -0.5, False),  # in control where it is
        (1.0, -0.5001, True),
        (2.0, -1.5, True),
        (2.0, -1.4999, False),  # not in control at home
        (2.0, -2.5, True),
        (2.0, -2.5001, False),
        (2.0, 0.6, False),
    ],
)
def test_it_goes_home_where_readings_are_in_control_there_and_not_here(sign, away, level, jumps):
    found = started(0.0, wander())
    found.baseline[:], found.level[:], found.calm[:] = sign * away, sign * level, 0

    found.go_home(ONE, SLOT, wander(control=0.5).control)

    assert baseline(found) == (0.0 if jumps else sign * away)
    assert found.level[0, 0] == pytest.approx(sign * (level + away if jumps else level)), "the readings stay"


# Charts


def test_what_charts_remember_counts_as_far_as_the_window_still_shows_it():
    found = charts()
    for _ in range(100):
        found.update_errors(ONE, np.array([[-5.0]]), np.array([[25.0]]))

    bias, energy = found.update_errors(ONE, np.array([[0.1]]), np.array([[0.2]]))

    assert (bias[0, 0], energy[0, 0]) == pytest.approx((0.1, 0.2))


def test_what_charts_of_residuals_remember_of_an_alarm_ends_with_it():
    found = charts()
    found.bias[:], found.energy[:] = -2.0, 4.0
    left = []
    for alarm in (CALM, CALM, ALARM, ALARM, CALM):
        found.count(ONE, alarm)
        left.append((found.bias[0, 0], found.energy[0, 0]))

    assert left == [(-2.0, 4.0)] * 4 + [(0.0, 0.0)]


def test_the_end_of_an_alarm_leaves_the_charts_of_other_streams():
    both = Charts(2, Shape(WINDOW, 1), DEFAULT)
    both.bias[:] = both.energy[:] = both.level[:] = both.relation[:] = 1.0
    both.count(np.array([0, 1]), np.array([True, True]))
    both.count(np.array([0, 1]), np.array([False, True]))

    assert both.bias.tolist() == both.energy.tolist() == [[0.0], [1.0]]
    assert both.level.tolist() == both.relation.tolist() == [[1.0], [1.0]]


def test_a_stream_that_is_restored_is_one_that_begins_at_the_baseline_of_before():
    found = rows(started(0.4, wander()), [0.9] * 25, wander(), ALARM)
    found.update_errors(ONE, np.array([[3.0]]), np.array([[9.0]]))
    found.update_relation(ONE, np.array([[9.0]]))
    fresh = charts()
    fresh.baseline[:] = fresh.home[:] = 0.7
    fresh.learned[:] = True

    found.restore(0, np.full((1, 1), 0.7))

    for name in ("level", "bias", "energy", "relation", "baseline", "home", "age", "gap", "calm", "alarmed", "learned"):
        np.testing.assert_array_equal(getattr(found, name), getattr(fresh, name), err_msg=name)


def test_streams_do_not_touch_each_other():
    both = Charts(2, Shape(WINDOW, 1), DEFAULT)
    both.clear(np.array([1]), np.array([5.0]))
    rows(both, [0.4] * WINDOW, wander())

    assert both.age.tolist() == [WINDOW, 0]
    assert not both.baseline[1].any()


def test_a_stream_can_be_taken_over_whole():
    source, target = rows(started(0.4, wander()), [0.9] * 25, wander(), ALARM), Charts(3, Shape(WINDOW, 1), DEFAULT)

    target.take_over(2, source)

    for name in ("level", "bias", "energy", "relation", "baseline", "home", "age", "gap", "calm", "alarmed", "learned"):
        np.testing.assert_array_equal(getattr(target, name)[2], getattr(source, name)[0])
        assert not np.array_equal(getattr(target, name)[0], getattr(source, name)[0]) or name in (
            "bias", "energy", "relation", "gap", "calm", "home",
        )  # fmt: skip
