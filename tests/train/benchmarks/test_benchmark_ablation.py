"""The detector without one of its parts."""

from dataclasses import fields

import pytest

from edge.detector.members.tuning import DEFAULT
from train.benchmarks.ablation import PARTS, without


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_taken_away_by_its_own_constants_and_no_others(part):
    changed = {one.name for one in fields(DEFAULT) if getattr(without(part), one.name) != getattr(DEFAULT, one.name)}

    assert changed == set(PARTS[part])


def test_nothing_is_taken_away_by_default():
    assert without(None) == DEFAULT
