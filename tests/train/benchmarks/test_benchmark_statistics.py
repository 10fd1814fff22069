"""The classical detectors: what they call unusual, and under which level and episodes."""

import numpy as np
import pytest

from edge.detector.members.tuning import DEFAULT
from tests.helpers.files import write_machine
from train.benchmarks.case import Case
from train.benchmarks.plain import judged_plainly
from train.benchmarks.statistics import fit_forest, fit_pca
from train.evaluation.evaluation import filled_times
from train.evaluation.found import Anomaly
from train.evaluation.metrics import Judged
from train.fitting.fit import FitSettings
from train.read.dataset import Run, Segment
from train.read.tables import RawTable, ReadOptions, read_table

WINDOW = 10


def coupled(rows: int, seed: int) -> np.ndarray:
    """(rows, 2): the second channel is minus the first."""
    noise = np.random.default_rng(seed)
    load = noise.normal(0, 1, rows)
    return np.stack([load, noise.normal(0, 0.1, rows) - load], axis=1)


def test_pca_q_is_the_squared_distance_from_the_components_and_t2_the_scaled_one_along_them():
    statistic = fit_pca([coupled(5000, 0)], 1, 0)

    along, across = statistic(np.array([[1.0, -1.0], [1.0, 1.0]]), 1)

    # Along the line y = -x the variance is 2 and the point lies sqrt(2) out; across it, Q is 1 + 1.
    assert along == pytest.approx([1.0, 0.0], abs=0.1)
    assert across[1] == pytest.approx(2.0, abs=0.1)


def test_statistics_speak_once_for_each_whole_window():
    rows = coupled(100, 1)

    for fit in (fit_pca, fit_forest):
        statistic = fit([rows], WINDOW, 0)
        assert len(statistic(rows, WINDOW)) == 100 - WINDOW + 1


def test_forest_calls_far_rows_more_unusual_and_depends_on_its_seed_alone():
    rows = coupled(500, 2)
    near, far = np.zeros((WINDOW, 2)), np.full((WINDOW, 2), 4.0)

    statistic = fit_forest([rows], WINDOW, 3)

    assert statistic(far, WINDOW)[0, 0] > statistic(near, WINDOW)[0, 0] + 0.1
    assert fit_forest([rows], WINDOW, 3)(far, WINDOW) == statistic(far, WINDOW)
    assert fit_forest([rows], WINDOW, 4)(far, WINDOW) != statistic(far, WINDOW)


def judged(table: RawTable, calibrate_rows: int) -> Judged:
    normal = Run("normal", (Segment(table.times[:500], table.values[:500]),))
    model = FitSettings("machine", table.channels, 1.0, window=WINDOW)
    case = Case("machine", [normal], model, [table], calibrate_rows)
    times, none = filled_times(table.times), np.zeros(len(table.times), bool)
    truth = Judged("machine", times, none, (Anomaly(times[700], times[749]),), none * 0.0, none, none, calibrate_rows)
    return judged_plainly(case, fit_pca, 0, DEFAULT, [truth])[0]


@pytest.mark.parametrize("calibrate_rows", [0, 400])
def test_a_lost_coupling_is_found_with_the_level_of_the_fleet_and_with_the_devices_own(tmp_path, calibrate_rows):
    table = read_table(write_machine(tmp_path / "m.csv", odd=slice(700, 750)), ReadOptions())

    found = judged(table, calibrate_rows)

    starts = np.flatnonzero(found.starts)
    assert any(700 <= row < 765 for row in starts)
    assert not found.alarm[:calibrate_rows].any()
    assert found.alarm[calibrate_rows:700].mean() < 0.05


def test_a_single_channel_does_not_alarm_on_the_rounding_of_q():
    noise = np.random.default_rng(5).normal(0, 1, (900, 1))
    times = 1.7e9 + np.arange(900.0)
    table = RawTable("one", times.astype(str), times, ("x",), noise, None, 0, 0)

    assert judged(table, 400).alarm.mean() < 0.05
