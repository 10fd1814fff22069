"""Alarm levels by name, and residuals as draws from a Gaussian."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from edge.detector.bundle.calibration import calibration_from_dict
from edge.detector.bundle.files import BundleError
from edge.detector.bundle.gaussian import fit_gaussian
from edge.detector.bundle.scaler import fit_scaler
from edge.detector.events.settings import StreamSettings
from edge.detector.learn.calibrate import calibrate, learn
from edge.detector.learn.prepare import NormalRows
from edge.detector.members.threshold import THRESHOLDS, named, threshold_from_dict
from edge.detector.members.tuning import DEFAULT
from edge.detector.score.calibrations import Shape
from tests.helpers.rig import (
    CHANNELS,
    WINDOW,
    group_of,
    network,
    normal,
    play,
    rows_of,
    run_of,
    with_fault,
    write_rig_bundle,
)

SHAPE = Shape(WINDOW, len(CHANNELS))


def calibrated(name: str, at: float | None = None, signed: bool = False):
    """Calibration on two normal runs, and the scores of their rows."""
    scaler = fit_scaler(normal(400), "robust", CHANNELS)
    tuning = replace(DEFAULT, threshold=named(name, at, signed))
    runs = [run_of(normal(400, seed)) for seed in (1, 2)]
    learned = learn(network(), SHAPE, NormalRows(runs, scaler, np.full(3, 3.0)), tuning)
    scores = np.concatenate(learned.scores)
    return learned.calibration, scores[np.isfinite(scores)]


def test_peaks_over_threshold_is_the_default():
    scaler = fit_scaler(normal(400), "robust", CHANNELS)
    runs = [run_of(normal(400, seed)) for seed in (1, 2)]

    assert (
        calibrate(network(), SHAPE, NormalRows(runs, scaler, np.full(3, 3.0))).to_dict()
        == calibrated("pot")[0].to_dict()
    )


@pytest.mark.parametrize("k", [2.0, 4.0])
def test_mean_sd_puts_the_level_k_sd_above_the_mean_of_normal_scores(k):
    calibration, scores = calibrated("mean-sd", k)

    statistic = scores * calibration.level
    assert calibration.level == pytest.approx(statistic.mean() + k * statistic.std())


def test_a_percentile_is_passed_by_as_many_normal_scores():
    _, scores = calibrated("percentile", 95.0)

    assert (scores > 1).mean() == pytest.approx(0.05, abs=0.005)


def test_the_mahalanobis_distance_is_the_log_density_of_the_gaussian_of_maximum_likelihood():
    random = np.random.default_rng(0)
    residual = random.normal(size=(5000, 3)) @ random.normal(size=(3, 3)) + [1.0, -2.0, 0.5]

    gaussian = fit_gaussian(residual, lambda sides: sides.max(axis=0), signed=False)
    statistic, shares = gaussian.statistic(residual[:50])

    known = multivariate_normal(residual.mean(axis=0), np.cov(residual.T, ddof=0) + 1e-3 * np.eye(3))
    wanted = -2 * (known.logpdf(residual[:50]) - known.logpdf(known.mean))
    np.testing.assert_allclose((statistic * gaussian.limit) ** 2, wanted, rtol=1e-6)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    assert gaussian.statistic(residual)[0].max() == pytest.approx(1.0)


def test_signed_limits_tell_errors_upwards_from_errors_downwards():
    random = np.random.default_rng(1)
    residual = np.stack([random.exponential(1.0, 4000), random.normal(size=4000)], axis=1)

    gaussian = fit_gaussian(residual, lambda sides: sides.max(axis=0), signed=True)

    assert gaussian.high[0] > 3 * gaussian.low[0]
    up, down = (gaussian.statistic(gaussian.mean + np.array([[off, 0.0]]))[0][0] for off in (2.5, -2.5))
    assert up < 1.0 < down


@pytest.mark.parametrize("name", THRESHOLDS)
def test_a_calibration_can_be_written_and_read(name):
    body = calibrated(name, signed=True)[0].to_dict()

    assert calibration_from_dict(json.loads(json.dumps(body)), 3).to_dict() == body


@pytest.mark.parametrize("architecture", ["lstm-autoencoder", "lstm-forecaster"])
@pytest.mark.parametrize("name", THRESHOLDS)
def test_a_device_that_commissions_itself_takes_its_bundles_threshold(tmp_path, name, architecture):
    bundle = write_rig_bundle(tmp_path, architecture=architecture)
    bundle = replace(bundle, alarm={**bundle.alarm, "threshold": named(name).to_dict()})
    group = group_of(bundle, StreamSettings("pump1", calibrate_rows=400))

    outcomes = play(group, rows_of(with_fault(normal(600, 5), 550, 30)))

    calibration = group.calibration(0)
    assert (calibration.gaussian is not None) == (name == "gaussian")
    if calibration.gaussian is not None:
        assert np.isfinite(calibration.gaussian.low).all() == (architecture == "lstm-forecaster")
    assert max(outcome.score for outcome in outcomes[550:580]) > 3
    assert any(event.kind == "anomaly" for outcome in outcomes[550:580] for event in outcome.events)
    assert np.median([outcome.score for outcome in outcomes[420:550]]) < 0.7


@pytest.mark.parametrize(
    ("name", "at", "told"),
    [
        ("magic", None, "none of pot, mean-sd, percentile, gaussian"),
        ("pot", 3.0, "takes no number"),
        ("percentile", 100.0, "out of range"),
        ("mean-sd", -1.0, "out of range"),
        ("mean-sd", float("nan"), "out of range"),
    ],
)
def test_a_threshold_that_is_none_is_refused(tmp_path, name, at, told):
    with pytest.raises(ValueError, match=told):
        threshold_from_dict({"name": name, "at": at})
    with pytest.raises(BundleError, match="malformed"):
        write_rig_bundle(tmp_path, alarm={"max_drift": [1.0, 1.0, 1.0], "threshold": {"name": "magic", "at": None}})


@pytest.mark.parametrize(
    "change", [{"limit": 0.0}, {"mean": [0.0]}, {"precision": [[1.0]]}, {"low": [-1.0] * 3, "high": [1.0] * 3}]
)
def test_a_malformed_gaussian_is_refused(change):
    body = calibrated("gaussian")[0].to_dict()

    with pytest.raises(ValueError, match="Gaussian wants"):
        calibration_from_dict({**body, "gaussian": {**body["gaussian"], **change}}, 3)
