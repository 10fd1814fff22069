import numpy as np
import pytest
from rig import CHANNELS, WINDOW, group_of, network, normal, play, rows_of, run_of, write_rig_bundle

from edge.detector.calibrate import CalibrationError, NormalRows, calibrate_and_score
from edge.detector.engine import Shape
from edge.detector.runs import Run
from edge.detector.scaler import fit_scaler


def scores_of(*runs, stride=1):
    scaler = fit_scaler(normal(400), "robust", CHANNELS)
    shape = Shape(WINDOW, len(CHANNELS), stride=stride)
    return calibrate_and_score(network(), shape, NormalRows(runs, scaler, np.full(len(CHANNELS), 3.0)))[1]


def test_the_scores_told_are_those_that_the_stream_gets_of_the_same_rows(tmp_path):
    bundle = write_rig_bundle(tmp_path / "rig")

    told = scores_of(run_of(normal(400, 1)), run_of(normal(400, 2)))

    for seed, scores in zip((1, 2), told, strict=True):
        streamed = [outcome.score for outcome in play(group_of(bundle), rows_of(normal(400, seed)))]
        np.testing.assert_allclose(scores, streamed, rtol=1e-12)


@pytest.mark.parametrize("stride", [1, 3])
def test_windows_are_counted_as_the_network_runs_on_them(stride):
    values = normal(100)
    restart = np.isin(np.arange(100), [0, 30, 35, 70])
    run = Run(np.arange(100.0), values, np.zeros(100, np.intp), restart)

    (scores,) = scores_of(run, stride=stride)

    assert np.isfinite(scores).sum() == run.windows(Shape(WINDOW, len(CHANNELS), stride=stride))


def test_too_few_rows_name_how_many_are_wanted():
    with pytest.raises(CalibrationError, match=f"wants at least {3 * WINDOW} rows in a row"):
        scores_of(run_of(normal(2 * WINDOW)))
