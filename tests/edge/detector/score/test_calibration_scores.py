"""What is learned from normal rows, and which rows are tried on what."""

import json
from dataclasses import replace

import numpy as np
import pytest

from edge.detector.bundle.calibration import calibration_from_dict
from edge.detector.events.settings import StreamSettings
from edge.detector.learn.calibrate import learn
from edge.detector.learn.commissioning import fleet_after, in_parts
from edge.detector.learn.prepare import FOLDS, LEAD_WINDOWS, CalibrationError
from edge.detector.learn.runs import Run, finished, played
from edge.detector.members.registry import NAMES
from edge.detector.members.tuning import DEFAULT
from edge.detector.score.calibrations import Shape
from edge.detector.score.engine import Engine
from tests.helpers.rig import (
    CHANNELS,
    WINDOW,
    group_of,
    network,
    normal,
    normal_rows,
    play,
    rows_of,
    run_of,
    variant,
    with_fault,
    write_rig_bundle,
)  # fmt: skip

SHAPE = Shape(WINDOW, len(CHANNELS))


def scores_of(*runs, stride=1):
    shape = Shape(WINDOW, len(CHANNELS), stride=stride)
    return learn(network(), shape, normal_rows(*runs)).scores


def test_a_part_is_scored_by_what_the_others_teach():
    """Whatever is in it: with a fault in one of six parts, the five folds that it is not tried in are as they were."""
    parts = [run_of(normal(200, seed)) for seed in range(1, 7)]
    other = [*parts[:2], run_of(with_fault(normal(200, 3), 100, 90)), *parts[3:]]

    (plain, faulty) = (learn(network(), SHAPE, normal_rows(*runs)) for runs in (parts, other))

    assert np.nanmax(faulty.scores[2]) == np.nanmax(np.concatenate(faulty.scores))
    assert (faulty.calibration.limits.limit[:5] > plain.calibration.limits.limit[:5]).sum() >= 3


def test_the_scores_of_the_only_run_are_those_that_the_stream_gets_of_it(tmp_path):
    run = run_of(normal(600, 1))

    found = learn(network(), SHAPE, normal_rows(run))

    own = write_rig_bundle(tmp_path, variants=[variant(calibration=found.calibration.to_dict())])
    never = StreamSettings("pump1", min_windows=10_000)  # an alarm changes what follows
    streamed = [outcome.score for outcome in play(group_of(own, never), rows_of(normal(600, 1)))]
    np.testing.assert_allclose(found.scores[0], streamed, rtol=1e-4, atol=1e-6)


def test_what_the_network_has_seen_is_not_told_and_counts_for_the_other_members_only():
    seen, unseen = replace(run_of(normal(400, 1)), unseen=False), run_of(normal(400, 2))

    found = learn(network(), SHAPE, normal_rows(seen, unseen))

    assert np.isnan(found.scores[0]).all()
    assert np.isfinite(found.scores[1][WINDOW:]).all()
    rows = dict(zip(NAMES, found.peaks.rows.tolist(), strict=True))
    assert rows["level"] == rows["relation"] == 2 * rows["bias"] == 2 * rows["energy"] == 2 * rows["recent"]


@pytest.mark.parametrize("stride", [1, 3])
def test_windows_are_counted_as_the_network_runs_on_them(stride):
    values = normal(200)
    restart = np.isin(np.arange(200), [0, 60, 65, 140])
    run = Run(np.arange(200.0), values, np.zeros(200, np.intp), restart)

    (scores,) = scores_of(run, stride=stride)

    assert np.isfinite(scores).sum() == run.windows(Shape(WINDOW, len(CHANNELS), stride=stride))


def test_a_run_with_a_lead_counts_from_there_on_as_the_whole_run_does():
    whole, lead = run_of(normal(400, 1)), 250
    shape = Shape(WINDOW, len(CHANNELS))

    def seen(run):
        engine = Engine(network(), shape, 1, DEFAULT)
        return finished(played(engine, [run]))

    every, after = seen(whole), seen(replace(whole, lead=lead))

    counts = every.row >= lead
    np.testing.assert_array_equal(after.parts, every.parts[counts])
    np.testing.assert_array_equal(after.values, every.values[counts])
    np.testing.assert_array_equal(after.row, every.row[counts])
    assert replace(whole, lead=lead).windows(shape) == 150 - WINDOW + 1


def test_a_calibration_rests_on_the_rows_after_the_lead():
    run = replace(run_of(normal(600, 1)), lead=250)

    found = learn(network(), SHAPE, normal_rows(run))

    assert (found.calibration.rows, found.calibration.span_s) == (350, 349.0)
    assert np.isnan(found.scores[0][:250]).all()
    assert np.isfinite(found.scores[0][250:]).all(), "the lead has filled the window"


@pytest.mark.parametrize("rows", [1, WINDOW - 1])
def test_rows_without_a_window_name_how_many_are_wanted(rows):
    with pytest.raises(CalibrationError, match=f"{rows} rows hold no window of {WINDOW} rows.*wants {20 * WINDOW}"):
        scores_of(run_of(normal(rows)))


def test_one_window_makes_a_calibration_that_nothing_takes_part_in():
    found = learn(network(), SHAPE, normal_rows(run_of(normal(WINDOW))))

    assert found.calibration.taking_part == ()
    assert np.isnan(np.concatenate(found.scores)).all()
    assert calibration_from_dict(json.loads(json.dumps(found.calibration.to_dict(), allow_nan=False)), len(CHANNELS))


def test_parts_of_one_run_are_as_many_as_folds_and_each_has_its_lead():
    run = run_of(normal(1000, 1))

    parts = in_parts(run, WINDOW)

    assert len(parts) == FOLDS
    assert [part.lead for part in parts] == [0] + [LEAD_WINDOWS * WINDOW] * (FOLDS - 1)
    np.testing.assert_array_equal(np.concatenate([part.learned.values for part in parts]), run.values)
    assert all(part.restart[0] for part in parts)


@pytest.mark.parametrize(("rows", "parts"), [(9, 1), (19, 1), (20, 2), (50, 5), (5000, 5)])
def test_few_rows_have_fewer_parts(rows, parts):
    assert len(in_parts(run_of(normal(rows)), WINDOW)) == parts


def test_a_device_takes_the_fleet_of_as_many_rows_or_fewer(tmp_path):
    fleet = {
        str(rows): learn(network(), SHAPE, normal_rows(run_of(normal(rows, 5)))).peaks.to_dict() for rows in (60, 90)
    }
    bundle = write_rig_bundle(tmp_path, fleet=fleet)

    assert fleet_after(bundle, 59) is None
    assert fleet_after(bundle, 89).rows.tolist() == bundle.fleet[60].rows.tolist()
    assert fleet_after(bundle, 10_000).rows.tolist() == bundle.fleet[90].rows.tolist()
