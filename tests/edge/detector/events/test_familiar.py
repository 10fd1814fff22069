"""The network sees nothing that lies beyond what it was fitted on."""

import numpy as np
import pytest

from edge.detector.bundle.calibration import calibration_from_dict
from edge.detector.learn.calibrate import calibrate
from edge.detector.members.tuning import DEFAULT
from edge.detector.score.calibrations import Shape
from edge.detector.score.engine import Engine
from tests.helpers.rig import (
    CHANNELS,
    FAULT,
    WINDOW,
    group_of,
    network,
    normal,
    normal_rows,
    play,
    rows_of,
    run_of,
    with_fault,
    write_rig_bundle,
)

SHAPE = Shape(WINDOW, len(CHANNELS))


class Watched:
    """A network that keeps what it was shown."""

    def __init__(self):
        self.shown = []

    def run(self, windows):
        self.shown.append(windows.copy())
        return windows


def shown(values):
    """Lowest and highest of each channel that a network saw, (2, channels) z-units, and the range it was fitted on."""
    rows = normal_rows(run_of(normal(400, 1)))
    watched = Watched()
    engine = Engine(watched, SHAPE, 1, DEFAULT)
    engine.commission(0, calibrate(network(), SHAPE, rows))
    for value in values:
        engine.step(np.array([0]), value[None], np.array([0]), np.array([False]))
    windows = np.concatenate(watched.shown)
    return np.stack([windows.min(axis=(0, 1)), windows.max(axis=(0, 1))]), rows.fitted_range


def test_readings_beyond_the_range_are_shown_as_at_its_edge():
    seen, fitted = shown(with_fault(normal(60, 3), 30, 10, [100.0, -100.0, 0.0]))

    assert seen[1, 0] == pytest.approx(fitted[1, 0])
    assert seen[0, 1] == pytest.approx(fitted[0, 1])
    assert (fitted[0] - 1e-6 <= seen[0]).all()
    assert (seen[1] <= fitted[1] + 1e-6).all()


def test_a_channel_far_out_is_blamed_itself_and_not_those_that_the_network_guesses_from_it(tmp_path):
    group = group_of(write_rig_bundle(tmp_path / "rig"))
    outcomes = play(group, rows_of(with_fault(normal(200, 6), 100, 60, 3 * np.array(FAULT))))

    blamed = {outcome.top_channel for outcome in outcomes[100:160] if outcome.alarm}

    assert blamed == {"flow"}


def test_the_range_outlives_being_written():
    found = calibrate(network(), SHAPE, normal_rows(run_of(normal(400, 1))))

    again = calibration_from_dict(found.to_dict(), len(CHANNELS))

    np.testing.assert_array_equal(again.fitted_range, found.fitted_range)


def test_a_calibration_of_before_believes_the_network_everywhere():
    body = calibrate(network(), SHAPE, normal_rows(run_of(normal(400, 1)))).to_dict()
    del body["fitted_range"]

    assert calibration_from_dict(body, len(CHANNELS)).fitted_range.tolist() == [[-10.0] * 3, [10.0] * 3]


@pytest.mark.parametrize("wrong", [[[0.0] * 3], [[1.0] * 3, [0.0] * 3], [[0.0] * 3, [float("nan")] * 3], "wide"])
def test_a_range_that_is_none_is_refused(wrong):
    body = calibrate(network(), SHAPE, normal_rows(run_of(normal(400, 1)))).to_dict()

    with pytest.raises(ValueError):
        calibration_from_dict({**body, "fitted_range": wrong}, len(CHANNELS))
