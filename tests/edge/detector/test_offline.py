"""The streaming pipeline gives, row for row, what the same arithmetic gives over a whole file at once."""

from collections.abc import Callable

import numpy as np
import pytest
from offline import offline_scores
from rig import START, WINDOW, group_of, network, normal, play, variant, with_fault, write_rig_bundle
from tflite_models import CHANNELS, Models
from tflite_models import WINDOW as MODEL_WINDOW

from edge.detector.bundle import Bundle
from edge.detector.calibration import calibration_from_dict
from edge.detector.rows import Row
from edge.detector.runtime import open_model
from edge.detector.tuning import DEFAULT


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Bundle:
    return write_rig_bundle(tmp_path_factory.mktemp("bundles") / "rig")


def plain(_values: np.ndarray) -> list[int]:
    return [0]


def with_gaps(_values: np.ndarray) -> list[int]:
    return [0, 100, 103, 250]


def missing_at_random(values: np.ndarray) -> list[int]:
    values[np.random.default_rng(1).random(values.shape) < 0.1] = np.nan
    return [0, 211]


def a_channel_missing_for_long(values: np.ndarray) -> list[int]:
    values[80:200, 1] = np.nan
    return [0]


def spikes(values: np.ndarray) -> list[int]:
    values[50::70, 2] = 1e12
    return [0]


def drift(values: np.ndarray) -> list[int]:
    values[:, 0] += np.linspace(0, 4, len(values))
    return [0]


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize("spoil", [plain, with_gaps, missing_at_random, a_channel_missing_for_long, spikes, drift])
def test_streaming_scores_equal_the_offline_ones_to_1e_6(tmp_path, bundle, spoil: Callable, shifted: bool):
    body = {**bundle.variants[0].calibration, "shifted": shifted}
    own = write_rig_bundle(tmp_path, variants=[variant(calibration=body)])
    values = with_fault(normal(400, 9), 140, 60)
    starts = spoil(values)
    rows = [Row(START + number, row, number in starts) for number, row in enumerate(values)]

    streamed = np.array([outcome.score for outcome in play(group_of(own), rows)])

    calibration = calibration_from_dict(body, CHANNELS)
    wanted = offline_scores(values, starts, calibration, network(), WINDOW, DEFAULT)
    assert (np.isnan(streamed) == np.isnan(wanted)).all()
    assert np.nanmax(np.abs(streamed - wanted) / np.maximum(np.nan_to_num(wanted), 1.0)) < 1e-6


def test_the_same_through_a_real_model_file(tmp_path, models: Models):
    own = write_rig_bundle(tmp_path, window=MODEL_WINDOW)
    values = with_fault(normal(300, 9), 140, 60)
    model = open_model(models.mixed)
    rows = [Row(START + number, row, number == 0) for number, row in enumerate(values)]

    streamed = np.array([outcome.score for outcome in play(group_of(own, network=model), rows)])

    calibration = calibration_from_dict(own.variants[0].calibration, CHANNELS)
    wanted = offline_scores(values, [0], calibration, open_model(models.mixed, (1, 32)), MODEL_WINDOW, DEFAULT)
    assert np.nanmax(np.abs(streamed - wanted) / np.maximum(np.nan_to_num(wanted), 1.0)) < 1e-6
