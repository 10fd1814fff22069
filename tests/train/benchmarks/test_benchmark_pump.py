"""The pump benchmark on two short schedules: faults, kinds, blamed channels and slow wear."""

import json

import numpy as np
import pytest

from train.__main__ import main
from train.benchmarks.pump import _wear_figures, _with_drift
from train.benchmarks.simulated import Simulated, SimulatedFault, simulate
from train.console.errors import DatasetError
from train.evaluation.metrics import Judged


def test_the_committed_bundle_is_tried_as_it_is(tmp_path):
    out = tmp_path / "figures.json"
    small = ["--schedules", "2", "--faults", "1", "--hours", "1.2", "--normal-hours", "0.5", "--wear-hours", "0"]

    assert main(["benchmark", "pump", "--bundle", "models/pump", *small, "--jobs", "1", "--json", str(out)]) == 0

    detectors = json.loads(out.read_text("utf-8"))["detectors"]
    offbeat, ewma, always = (detectors[name] for name in ("offbeat", "ewma", "always"))
    assert offbeat["events"] == 2
    kinds = [name for name in offbeat if name.startswith("found_")]
    assert offbeat["faults_found"] == pytest.approx(np.mean([offbeat[name] for name in kinds]), abs=0.5)
    assert set(kinds) <= set(ewma)
    # In alarm from the first row on, before any fault: one false episode in each run.
    assert (always["faults_found"], always["false_episodes"], always["right_channel"]) == (0, 2, None)
    assert always["false_episodes_per_day"] == pytest.approx(2 / (2 * 1.2 / 24), rel=1e-3)


def test_wear_is_reckoned_in_parts_of_its_whole_length():
    times, nothing = np.arange(1000.0), np.zeros(1000, bool)
    faults = [SimulatedFault("slow_bearing_wear", 100.0, 900.0, ("vibration",))] * 3
    starts = [np.isin(times, rows) for rows in ([300.0], [500.0, 700.0], [50.0])]
    files = [
        Judged("a", times, nothing, (fault.anomaly,), times, nothing, own)
        for fault, own in zip(faults, starts, strict=True)
    ]
    runs = [Simulated(None, (fault,)) for fault in faults]

    figures = _wear_figures(files, runs, 30.0)

    # Found after 200 and 400 of 800 s; the alarm that was on before the wear began found nothing.
    assert figures == {"wear_found": pytest.approx(2 / 3), "wear_part": 0.375, "wear_part_latest": 0.5}


def test_a_told_drift_counts_as_an_episode_on_the_row_that_it_was_told():
    nothing = np.zeros(4, bool)
    file = Judged("a", np.arange(4.0), nothing, (), nothing * 1.0, nothing, nothing, drift=(2.0,))

    assert _with_drift(file).starts.tolist() == [False, False, True, False]


def test_what_the_simulator_refuses_is_said_in_its_words(tmp_path):
    with pytest.raises(DatasetError, match="no fault is called 'nonsense'"):
        simulate(tmp_path, "x", ["--fault", "nonsense@1m+1m"])
