"""Return periods are held against what is seen, where enough is seen to say so."""

from dataclasses import replace

import numpy as np
import pytest

from edge.detector.bundle.calibration import Calibration, calibration_from_dict
from edge.detector.bundle.tail import Tail, cluster_peaks, fit_tail
from tests.helpers.small_bundle import build_bundle
from train.evaluation.return_check import claims
from train.plots.style import to_svg
from train.plots.tail import return_levels

APART = 20


@pytest.fixture(scope="module")
def calibration(tmp_path_factory: pytest.TempPathFactory) -> Calibration:
    bundle = build_bundle(tmp_path_factory.mktemp("bundle"))
    body = bundle.variants[0].calibration
    assert body is not None
    return calibration_from_dict(body, len(bundle.channels))


def scores(rows: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).gumbel(size=rows)


def tail_of(rows: int, seed: int) -> Tail:
    return fit_tail(cluster_peaks(scores(rows, seed), APART), float(rows))


def with_tail(calibration: Calibration, tail: Tail | None) -> Calibration:
    return replace(calibration, level=1.0, tail=tail)


def test_rows_of_the_same_kind_bear_the_claims_out(calibration: Calibration) -> None:
    made = claims([(scores(100_000, 1), with_tail(calibration, tail_of(20_000, 2)))], APART, 1.0)

    assert [claim.claimed_s for claim in made] == [600.0, 1800.0, 3600.0, 14400.0]
    assert made[0].expected == pytest.approx(100_000 / 600)
    assert all(1 / 3 < (claim.ratio or 0.0) < 3 for claim in made)


def test_louder_rows_show_that_claims_are_too_long(calibration: Calibration) -> None:
    louder = scores(100_000, 1) * 1.5

    made = claims([(louder, with_tail(calibration, tail_of(20_000, 2)))], APART, 1.0)

    assert all((claim.ratio or 1.0) < 0.5 for claim in made)


def test_a_claim_that_the_rows_cannot_bear_out_is_not_told(calibration: Calibration) -> None:
    assert claims([(scores(400, 1), with_tail(calibration, tail_of(20_000, 2)))], APART, 1.0) == ()
    assert claims([(scores(100_000, 1), with_tail(calibration, None))], APART, 1.0) == ()


def test_what_never_came_has_no_ratio(calibration: Calibration) -> None:
    made = claims([(np.full(100_000, -50.0), with_tail(calibration, tail_of(20_000, 2)))], APART, 1.0)

    assert {(claim.seen, claim.ratio) for claim in made} == {(0, None)}


def test_the_fitted_tail_is_drawn_beside_what_was_seen() -> None:
    peaks = cluster_peaks(scores(20_000, 2), APART)

    svg = to_svg(return_levels(peaks, fit_tail(peaks, 20_000.0), 9.0), "tail")

    assert svg.count("<use") >= len(peaks) / 2  # a mark for every peak that can be told from its neighbour
