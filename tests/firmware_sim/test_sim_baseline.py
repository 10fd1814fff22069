"""The random faults are no easy prey for fixed limits."""

import numpy as np
import pytest

from firmware_sim.board.simulation import SimulationSettings, record
from firmware_sim.schedule.schedule import draw_schedule
from train.evaluation.found import Anomaly, labels_inside
from train.evaluation.limits import HOLD_S, fixed_limits
from train.evaluation.metrics import Judged, measure
from train.read.normal import mean_and_sd

START = 1_767_571_200.0


def test_fixed_limits_find_at_most_half_of_the_random_faults(capsys: pytest.CaptureFixture):
    normal = mean_and_sd([record(SimulationSettings(START, 86400.0, seed=1000)).values])
    hits = total = wrong = 0
    for seed in range(20):
        faults = draw_schedule(seed, 1, 11, START, 9 * 3600.0)
        run = record(SimulationSettings(START, 9 * 3600.0, seed=seed), faults=faults)
        anomalies = tuple(Anomaly(fault.start, fault.end) for fault in faults)
        nothing = np.zeros(len(run.times), bool)
        labels = labels_inside(run.times, anomalies)
        file = Judged(f"{seed}", run.times, labels, anomalies, np.zeros(len(run.times)), nothing, nothing)
        found = measure(fixed_limits([file], [run.values], [normal], HOLD_S), 30.0)
        hits, total, wrong = hits + found.events_found, total + found.events, wrong + found.false_episodes
    with capsys.disabled():
        print(f"\n  mean +- 3 sd finds {hits} of {total} faults ({100 * hits / total:.0f} %), {wrong} false, in 180 h")

    assert total == 220
    assert hits <= total / 2
