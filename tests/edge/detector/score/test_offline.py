"""The streaming pipeline gives, row for row, what the same arithmetic gives over a whole file at once."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from edge.detector.bundle.calibration import Calibration
from edge.detector.bundle.memory import memory_from_dict
from edge.detector.group import Outcome
from edge.detector.members.tuning import DEFAULT, Tuning
from edge.detector.rows.row import Row
from edge.detector.score.runtime import open_model
from tests.helpers.offline import Offline, Recording, offline
from tests.helpers.rig import (
    CHANNELS,
    START,
    WINDOW,
    calibrated,
    group_of,
    network,
    normal,
    play,
    variant,
    with_fault,
    write_rig_bundle,
)
from tests.helpers.tflite_models import WINDOW as MODEL_WINDOW
from tests.helpers.tflite_models import Models

COUNT = 400
NAMES = list(CHANNELS)
Spoil = Callable[[np.ndarray], dict[int, int]]
"""Changes readings; the rows that a window begins at, and the periods of silence before them."""


def plain(_values: np.ndarray) -> dict[int, int]:
    return {}


def with_gaps_of_all_lengths(values: np.ndarray) -> dict[int, int]:
    values[250:] += [0.15, 0.0, 0.0]  # where it was not before: placed the nearer to it the longer the silence
    return {100: 1, 103: 40, 250: 300, 330: 5, 360: 100_000}


def missing_at_random(values: np.ndarray) -> dict[int, int]:
    values[np.random.default_rng(1).random(values.shape) < 0.1] = np.nan
    values[300:310] = np.nan
    return {211: 20}


def a_channel_missing_for_long(values: np.ndarray) -> dict[int, int]:
    values[80:200, 1] = np.nan
    return {100: 30}


def spikes(values: np.ndarray) -> dict[int, int]:
    values[50::70, 2] = 1e12
    return {}


def drift(values: np.ndarray) -> dict[int, int]:
    values[:, 0] += np.linspace(0, 4, len(values))
    return {}


def a_fault_from_the_first_row(values: np.ndarray) -> dict[int, int]:
    values[:120] -= [0.6, 0.3, 0.0]
    return {}


def rows_and_recording(values: np.ndarray, gaps: dict[int, int]) -> tuple[list[Row], Recording]:
    silent = np.zeros(len(values))
    silent[list(gaps)] = list(gaps.values())
    times = np.arange(len(values)) + np.cumsum(silent)
    starts = (0, *gaps)
    rows = [Row(START + time, one, at in starts) for at, (time, one) in enumerate(zip(times, values, strict=True))]
    return rows, Recording(values, times, starts)


def assert_same(streamed: list[Outcome], wanted: Offline, stride: int = 1, within: float = 1e-6) -> None:
    """Scores, alarms and the channel that is blamed most."""
    scores = np.array([outcome.score for outcome in streamed])
    ran = np.ones(len(scores), bool) if stride == 1 else ~np.isnan(wanted.scores)
    assert (np.isnan(scores[ran]) == np.isnan(wanted.scores[ran])).all()
    off = np.abs(scores - wanted.scores) / np.maximum(np.nan_to_num(wanted.scores), 1.0)
    assert np.nanmax(off) < within
    assert [outcome.alarm for outcome in streamed] == wanted.alarm.tolist()
    first, second = np.sort(wanted.shares, axis=1)[:, [-1, -2]].T
    clear = ran & ~np.isnan(scores) & (first - second > 1e-4)
    blamed = [NAMES.index(streamed[row].top_channel) for row in np.flatnonzero(clear)]
    assert blamed == wanted.shares[clear].argmax(axis=1).tolist()


def compare(
    tmp_path, calibration: Calibration, spoil: Spoil, tuning: Tuning = DEFAULT, stride: int = 1, window: int = WINDOW
) -> Offline:
    memory = None if calibration.memory is None else calibration.memory.to_dict()
    body = variant(calibration=calibration.to_dict())
    own = write_rig_bundle(tmp_path, stride, variants=[body], memory=memory, window=window)
    values = with_fault(normal(COUNT, 9), 140, 60)
    gaps = spoil(values)
    rows, recording = rows_and_recording(values, gaps)

    streamed = play(group_of(own, tuning=tuning, network=network(window=window)), rows)

    wanted = offline(recording, calibration, network(window=window), window, tuning, stride)
    # Distances to remembered windows are worked out in float32, as differences of large numbers.
    assert_same(streamed, wanted, stride, 1e-6 if memory is None else 1e-5)
    return wanted


SPOILT = [
    plain,
    with_gaps_of_all_lengths,
    missing_at_random,
    a_channel_missing_for_long,
    spikes,
    drift,
    a_fault_from_the_first_row,
]


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize("spoil", SPOILT)
def test_streaming_scores_equal_the_offline_ones_to_1e_6(tmp_path, spoil: Spoil, shifted: bool):
    found = compare(tmp_path, replace(calibrated(), shifted=shifted), spoil)

    assert found.alarm[150:190].all(), "the fault that all of them have"


@pytest.mark.parametrize("stride", [2, 5])
def test_the_same_where_the_network_runs_less_often_than_rows_come(tmp_path, stride):
    compare(tmp_path, calibrated(stride), with_gaps_of_all_lengths, stride=stride)


@pytest.mark.parametrize("spoil", [plain, with_gaps_of_all_lengths, missing_at_random])
def test_the_same_with_remembered_windows(tmp_path, spoil: Spoil):
    calibration = calibrated(remembers=True)
    stored = write_rig_bundle(tmp_path / "stored", remembers=True)
    from_file = group_of(stored).calibration(0)
    assert from_file.memory is not None
    assert "memory" in calibration.taking_part

    compare(tmp_path / "rig", replace(calibration, memory=from_file.memory), spoil)


@pytest.mark.parametrize(
    ("spoil", "stride"),
    [(missing_at_random, 1), (with_gaps_of_all_lengths, 1), (with_gaps_of_all_lengths, 2), (missing_at_random, 4)],
)
def test_the_same_where_distances_to_remembered_windows_are_held(tmp_path, spoil: Spoil, stride: int):
    """Taken anew every third row, or as often as the network runs."""
    calibration = calibrated(stride, remembers=True, window=30)
    memory = memory_from_dict(calibration.memory.to_dict(), len(NAMES))  # to a hundredth, as a bundle has it
    only = replace(calibration.limits, limit=np.where(np.arange(6) == 5, calibration.limits.limit, np.inf))

    found = compare(tmp_path, replace(calibration, memory=memory, limits=only), spoil, stride=stride, window=30)

    assert np.nanmax(found.scores) > 1


@pytest.mark.parametrize("spoil", [plain, missing_at_random, a_channel_missing_for_long])
@pytest.mark.parametrize("name", ["level", "bias", "energy", "relation", "recent"])
def test_the_same_by_every_member_alone(tmp_path, name, spoil: Spoil):
    calibration = calibrated()
    others = np.array([one != name for one in ("level", "bias", "energy", "relation", "recent", "memory")])
    alone = replace(
        calibration, limits=replace(calibration.limits, limit=np.where(others, np.inf, calibration.limits.limit))
    )

    found = compare(tmp_path, alone, spoil)

    assert np.nanmax(found.scores) > 1, "each sees the fault"


def test_the_same_where_an_alarm_outlasts_patience(tmp_path):
    def for_good(values: np.ndarray) -> dict[int, int]:
        values[200:] += [2.5, 0.0, 0.0]
        return {}

    found = compare(tmp_path, calibrated(), for_good, replace(DEFAULT, baseline_windows=1))

    assert found.alarm[150:240].all()
    assert not found.alarm[260:].any(), "it is normal by then"


def test_the_same_through_a_real_model_file(tmp_path, models: Models):
    own = write_rig_bundle(tmp_path, window=MODEL_WINDOW)
    model = open_model(models.mixed)
    rows, recording = rows_and_recording(with_fault(normal(300, 9), 140, 60), {})

    streamed = play(group_of(own, network=model), rows)

    wanted = offline(recording, calibrated(), open_model(models.mixed, (1, 32)), MODEL_WINDOW, DEFAULT)
    assert_same(streamed, wanted)
