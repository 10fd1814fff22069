import numpy as np
import pytest

from edge.detector.bundle.scaler import fit_scaler
from edge.detector.rows.season import Calendar
from train.console.errors import FitError
from train.network.scaling import fit_scaling
from train.read.dataset import Run, Segment
from train.read.split import Split, split_runs

YEAR_ROUND = Calendar(None, "UTC")


def machine(number: int, rows: int = 100) -> Run:
    """Each machine runs on its own level."""
    values = np.random.default_rng(number).normal(50 * number, 1 + number, (rows, 1))
    return Run(f"machine {number}", (Segment(1000.0 * number + np.arange(rows), values),))


def scaling(runs):
    return fit_scaling(split_runs(runs, 0.25, window=5), ("level",), "robust", YEAR_ROUND, block_rows=20)


def test_a_single_run_is_scaled_as_the_device_will_scale_it():
    run = machine(1)
    found = scaling([run])
    fitted = fit_scaler(run.segments[0].values[:75])

    np.testing.assert_allclose(found.scaler.center, fitted.center)
    np.testing.assert_allclose(found.rows(run)[0], fitted.transform(run.segments[0].values))


def test_each_of_many_runs_is_scaled_by_its_own_rows():
    runs = [machine(number) for number in range(5)]

    rows = [scaling(runs).rows(run)[0] for run in runs]

    assert all(abs(np.median(one)) < 0.1 for one in rows)
    assert all(0.7 < one.std() < 1.4 for one in rows)


def test_a_run_that_lacks_a_channel_is_scaled_by_the_others():
    runs = [machine(number) for number in range(4)]
    dead = Run("dead", (Segment(np.arange(9000.0, 9050), np.full((50, 1), np.nan)),))

    found = scaling([*runs, dead])

    assert np.isnan(found.rows(dead)[0]).all()


def test_a_channel_without_a_value_in_the_rows_to_fit_is_named():
    run = Run("a", (Segment(np.arange(50.0), np.full((50, 1), np.nan)),))

    with pytest.raises(FitError, match="level has no value"):
        fit_scaling(Split((run,), (run,), (run,)), ("level",), "robust", YEAR_ROUND, block_rows=10)


def test_the_range_fitted_on_is_that_of_the_rows_to_fit_and_no_others():
    run = machine(1)
    run.segments[0].values[75:] += 100  # calibrates
    run.segments[0].values[3] = np.nan

    found = scaling([run])

    scaled = found.rows(run)[0][:75]
    np.testing.assert_allclose(found.fitted_range, [[np.nanmin(scaled)], [np.nanmax(scaled)]])


def test_the_range_fitted_on_is_that_of_all_runs_in_their_own_units():
    found = scaling([machine(number) for number in range(5)])

    assert -4 < found.fitted_range[0, 0] < -2
    assert 2 < found.fitted_range[1, 0] < 4
