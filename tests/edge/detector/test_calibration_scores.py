from dataclasses import replace

import numpy as np
import pytest
from rig import CHANNELS, WINDOW, group_of, network, normal, normal_rows, play, rows_of, run_of, write_rig_bundle

from edge.detector.calibrate import CalibrationError, calibrate, calibrate_and_score
from edge.detector.commissioning import commission
from edge.detector.engine import Engine, Shape
from edge.detector.runs import Run, finished, replay
from edge.detector.tuning import DEFAULT


def scores_of(*runs, stride=1):
    shape = Shape(WINDOW, len(CHANNELS), stride=stride)
    return calibrate_and_score(network(), shape, normal_rows(*runs))[1]


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


def test_a_run_with_a_lead_counts_from_there_on_as_the_whole_run_does():
    whole, lead = run_of(normal(400, 1)), 250
    shape = Shape(WINDOW, len(CHANNELS))

    def seen(run):
        engine = Engine(network(), shape, 1, DEFAULT)
        return finished(replay(engine, [run]))

    every, after = seen(whole), seen(replace(whole, lead=lead))

    counts = every.row >= lead
    np.testing.assert_array_equal(after.members.channel, every.members.channel[counts])
    np.testing.assert_array_equal(after.row, every.row[counts])
    assert replace(whole, lead=lead).windows(shape) == 150 - WINDOW + 1


def test_a_calibration_rests_on_the_rows_after_the_lead():
    run = replace(run_of(normal(400, 1)), lead=250)

    found, (scores,) = calibrate_and_score(network(), Shape(WINDOW, len(CHANNELS)), normal_rows(run))

    assert (found.rows, found.span_s) == (150, 149.0)
    assert np.isnan(scores[:250]).all()
    assert np.isfinite(scores[250:]).all(), "the lead has filled the window"


def test_too_few_rows_name_how_many_are_wanted():
    with pytest.raises(CalibrationError, match=f"wants at least {3 * WINDOW} rows in a row"):
        scores_of(run_of(normal(2 * WINDOW)))


def test_what_a_hardly_fitted_network_misses_takes_more_to_alarm_alone():
    rows = normal_rows(run_of(normal(400, 1)))
    shape = Shape(WINDOW, len(CHANNELS))
    many, few = (
        calibrate(network(), shape, replace(rows, fitted_windows=windows)) for windows in (np.inf, DEFAULT.few_fitted)
    )

    np.testing.assert_allclose(few.channel_limits / many.channel_limits, np.outer([1, 2, 4], [1, 1, 1]))
    np.testing.assert_array_equal(few.whole_limits, many.whole_limits)


def test_a_device_learns_from_its_bundle_how_well_the_network_was_fitted(tmp_path):
    rows, limits = rows_of(normal(400, 1)), []
    for fitted in (4000 * WINDOW, int(DEFAULT.few_fitted) * WINDOW):
        bundle = write_rig_bundle(tmp_path / f"fitted{fitted}", training={"rows": fitted})
        limits.append(commission(bundle, network(), rows, DEFAULT)[0].channel_limits)

    np.testing.assert_allclose(limits[1] / limits[0], np.outer([1, 2, 4], [1, 1, 1]), rtol=1e-4)
