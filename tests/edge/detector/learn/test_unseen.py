"""Where rows are few, each run is judged by a network that was not fitted on it."""

from dataclasses import fields, replace

import numpy as np

from edge.detector.learn.calibrate import learned_together
from edge.detector.learn.prepare import prepared_together
from edge.detector.learn.runs import Seen, finished, played
from edge.detector.learn.unseen import played_unseen
from edge.detector.members.registry import MEMBERS
from edge.detector.members.tuning import DEFAULT
from edge.detector.score.calibrations import Shape
from edge.detector.score.engine import Engine
from tests.helpers.rig import CHANNELS, WINDOW, Projection, calibrated, network, normal, normal_rows, run_of

SHAPE = Shape(WINDOW, len(CHANNELS))


class Blank(Projection):
    """A network that gives back nothing."""

    def run(self, windows: np.ndarray) -> np.ndarray:
        return np.zeros_like(windows)


def alone(judge: Projection, run) -> Seen:
    engine = Engine(judge, SHAPE, 1, DEFAULT)
    engine.commission(0, calibrated())
    return finished(played(engine, [run]))


def test_each_run_gives_what_its_own_network_makes_of_it_in_the_order_of_the_runs():
    first, second = network(), network(Blank)
    runs = [replace(run_of(normal(60 + seed, seed)), by_second=seed % 2 == 0) for seed in range(1, 5)]

    seen = finished(played_unseen(first, second, SHAPE, [(run, calibrated()) for run in runs], DEFAULT))

    for at, run in enumerate(runs):
        expected = alone(second if run.by_second else first, run)
        for part in fields(Seen):
            np.testing.assert_array_equal(getattr(seen.of(at), part.name), getattr(expected, part.name), part.name)


def learned_of(runs, second=None):
    (prepared,) = finished(prepared_together(SHAPE, [normal_rows(*runs)], DEFAULT))
    (learned,) = finished(learned_together(network(), SHAPE, [prepared], DEFAULT, second))
    return learned.calibration


def test_members_of_the_network_that_want_more_rows_take_part_with_a_second_one():
    runs = [replace(run_of(normal(200, seed)), unseen=seed >= 5) for seed in range(1, 7)]
    judged = [replace(run, unseen=True, by_second=True) if not run.unseen else run for run in runs]

    plain, both = learned_of(runs), learned_of(judged, network())

    assert "bias" not in plain.limits.taking_part
    assert "bias" in both.limits.taking_part
    assert set(plain.limits.taking_part) < set(both.limits.taking_part)


def test_a_member_that_has_rows_enough_does_not_listen_to_the_second():
    """It was fitted on fewer rows, and its residuals would make the limit of the first one too high."""
    runs = [replace(run_of(normal(200, seed)), unseen=seed >= 5) for seed in range(1, 7)]
    judged = [replace(run, unseen=True, by_second=True) if not run.unseen else run for run in runs]

    plain, other = learned_of(runs), learned_of(judged, network(Blank))

    own = [at for at, member in enumerate(MEMBERS) if member.name in plain.limits.taking_part]
    assert any(MEMBERS[at].network for at in own)
    np.testing.assert_array_equal(other.limits.limit[own], plain.limits.limit[own])


def test_scale_and_baseline_of_residuals_are_said_of_the_network_that_will_score():
    runs = [replace(run_of(normal(200, seed)), unseen=seed >= 5) for seed in range(1, 7)]
    judged = [replace(run, unseen=True, by_second=True) if not run.unseen else run for run in runs]

    plain, other = learned_of(runs), learned_of(judged, network(Blank))

    np.testing.assert_array_equal(other.residual_scale, plain.residual_scale)
    assert other.shifted == plain.shifted
