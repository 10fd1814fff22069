"""Simulated machines: what is written can be read as families, and a seed gives the same rows again."""

import csv
from pathlib import Path

import numpy as np
import pytest

from tests.machines.__main__ import FAULTS, ROWS, with_faults, write
from tests.machines.kinds import KINDS
from train.benchmarks.families.layout import read_families


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_gives_finite_rows_the_same_for_a_seed_and_others_for_another(name):
    one, again, other = (KINDS[name](np.random.default_rng(seed), 500) for seed in (1, 1, 2))

    assert one.shape[0] == 500
    assert np.isfinite(one).all()
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


@pytest.mark.parametrize("name", KINDS)
def test_every_fault_is_labelled_and_rows_without_label_are_normal(name):
    kind = KINDS[name]
    sd = kind(np.random.default_rng(3), ROWS).std(axis=0)

    values, labels = with_faults(np.random.default_rng(4), kind, sd, np.random.default_rng(5))

    normal = kind(np.random.default_rng(4), ROWS + 200)[200:]
    np.testing.assert_array_equal(values[labels == 0], normal[labels == 0])
    assert (np.diff(labels, prepend=0) == 1).sum() == len(FAULTS)


def test_what_is_written_is_a_folder_of_families(tmp_path: Path):
    write(tmp_path, seed=1)

    families = read_families(tmp_path, ())

    assert set(families) == set(KINDS)
    with (tmp_path / "tank" / "m" / "test.csv").open() as lines:
        assert len(list(csv.reader(lines))) == ROWS + 1
