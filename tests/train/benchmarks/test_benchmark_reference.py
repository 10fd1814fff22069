"""The reference's five statistics: what they are, what limits they have, what they find."""

import numpy as np
import pytest

from train.benchmarks.reference import LEAST_ROWS, MARGIN, MEMBERS, Statistics, fit_reference, reference_alarms

WINDOW = 10


def coupled(rows: int, seed: int = 0) -> np.ndarray:
    """(rows, 2): a slow swing, and a second channel that follows it."""
    noise = np.random.default_rng(seed)
    swing = np.sin(2 * np.pi * np.arange(rows) / 40)
    return np.stack([swing, 2 * swing], axis=1) + noise.normal(0, 0.1, (rows, 2))


def ewma(values: np.ndarray, span: float) -> np.ndarray:
    """Row by row, as it is defined."""
    mean, out = np.zeros(values.shape[1]), []
    for row in values:
        mean = mean + 2 / (span + 1) * (row - mean)
        out.append(mean)
    return np.array(out)


def still(**changed: object) -> Statistics:
    """Of two channels that are scaled already, whose baseline never moves; the component lies along the first."""
    settings = {
        "window": WINDOW,
        "mean": np.zeros(2),
        "sd": np.ones(2),
        "in_control": np.full(2, -1.0),
        "axes": np.array([[1.0, 0.0]]),
        "power": np.array([4.0]),
        "remembered": np.zeros((1, 2 * WINDOW)),
    }
    return Statistics(**{**settings, **changed})


def test_members_are_what_their_definitions_say():
    rows = np.random.default_rng(0).normal(0, 1, (50, 2))

    found = dict(zip(MEMBERS, still().of(rows).T, strict=True))

    across = rows * [0, 1]
    assert found["t2"] == pytest.approx(ewma(rows[:, :1] ** 2 / 4.0, 5)[:, 0])
    assert found["q"] == pytest.approx(ewma(rows[:, 1:] ** 2, 5)[:, 0])
    assert found["level"] == pytest.approx(np.abs(ewma(rows, WINDOW / 2)).max(axis=1))
    assert found["relation"] == pytest.approx((ewma(across, WINDOW / 2) ** 2).sum(axis=1))
    assert not found["windows"][: WINDOW - 1].any()
    assert found["windows"][-1] == pytest.approx(np.linalg.norm(rows[-WINDOW:]))


def test_the_distance_is_the_mean_of_that_to_the_three_nearest_windows():
    remembered = np.zeros((4, 2 * WINDOW))
    remembered[:, 0] = [1.0, 2.0, 6.0, 100.0]

    found = still(remembered=remembered).of(np.zeros((WINDOW, 2)))

    assert found[-1, MEMBERS.index("windows")] == pytest.approx(3.0)


def test_the_baseline_follows_a_slow_change_and_stands_still_once_the_chart_is_out_of_control():
    slow = np.linspace(0, 3, 3000)[:, None] * [1, 0]
    jump = np.concatenate([np.zeros((500, 2)), np.full((1000, 2), 5.0)])

    following = still(in_control=np.ones(2))

    level = MEMBERS.index("level")
    assert following.of(slow)[-1, level] < 0.5
    assert following.of(jump)[-1, level] > 4.5


def test_limits_are_from_rows_that_the_statistics_had_not_seen():
    usual, other = coupled(400), coupled(30, seed=1) + 10.0

    reference = fit_reference([usual, other], WINDOW)

    own = reference.statistics.of(other)[WINDOW:].max(axis=0)
    remembered = MEMBERS.index("windows")
    assert reference.limits[remembered] > 3 * own[remembered]


@pytest.mark.parametrize("commission_rows", [0, 300])
def test_a_lost_coupling_is_found_and_normal_rows_hardly_alarm(commission_rows):
    rows = coupled(1000, seed=2)
    rows[700:800, 1] *= -1

    (alarm,) = reference_alarms([coupled(1000)], [rows], commission_rows)

    assert alarm[720:800].all()
    assert alarm[:700].mean() < 0.02


def test_a_recording_that_commissions_itself_is_not_measured_by_the_others():
    elsewhere = coupled(1000, seed=3) + 50.0

    (own,) = reference_alarms([coupled(1000)], [elsewhere], 400)
    (others,) = reference_alarms([coupled(1000)], [elsewhere])

    assert own.mean() < 0.05
    assert others[100:].all()


@pytest.mark.parametrize(("rows", "alarms"), [(LEAST_ROWS - 1, 0), (LEAST_ROWS, 1)])
def test_so_many_rows_must_be_loud_one_after_another(rows, alarms):
    reference = fit_reference([coupled(500)], WINDOW)
    limit = MARGIN * reference.limits
    loud = np.zeros((100, len(MEMBERS)))
    loud[50 : 50 + rows] = 1.01 * limit

    class Told:
        window = WINDOW

        def of(self, _rows: np.ndarray) -> np.ndarray:
            return loud

    assert type(reference)(Told(), reference.limits).alarms(np.zeros((100, 2))).sum() == alarms


def test_missing_values_count_as_zero_and_a_channel_that_stands_still_does_no_harm():
    normal = np.concatenate([coupled(500), np.full((500, 1), 7.0)], axis=1)
    rows = normal.copy()
    rows[::50, 0] = np.nan

    (alarm,) = reference_alarms([normal], [rows])

    assert alarm.shape == (500,)


def test_nothing_can_be_learned_from_nothing():
    with pytest.raises(ValueError, match="normal rows"):
        fit_reference([np.zeros((0, 2))])
