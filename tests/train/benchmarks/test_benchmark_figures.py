"""Means and spreads over seeds."""

import pytest

from train.benchmarks.figures import Tally


def test_mean_and_spread_are_over_the_seeds_that_have_the_figure():
    tally = Tally(({"f1": 0.8, "delay_s": None, "mar": None}, {"f1": 0.6, "delay_s": 12.0, "mar": None}))

    assert tally.mean == {"f1": pytest.approx(0.7), "delay_s": 12.0, "mar": None}
    assert tally.spread == {"f1": pytest.approx(0.02**0.5), "delay_s": 0.0, "mar": None}


def test_json_has_means_by_name_and_each_seed_with_its_number():
    tally = Tally(({"f1": 0.8}, {"f1": 0.8}))

    assert tally.to_dict([3, 4]) == {
        "f1": 0.8,
        "spread": {"f1": 0.0},
        "seeds": [{"seed": 3, "f1": 0.8}, {"seed": 4, "f1": 0.8}],
    }
