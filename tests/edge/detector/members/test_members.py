"""The members: what each says, the loudest of them, and whose fault it is."""

from dataclasses import replace

import numpy as np
import pytest

from edge.detector.members.registry import (
    BY_CHANNEL,
    MEMBERS,
    NAMES,
    Limits,
    left_out,
    span_rows,
    wanted_rows,
)  # fmt: skip
from edge.detector.members.relation import ROWS
from edge.detector.members.tuning import DEFAULT
from edge.detector.score.calibrations import Shape
from edge.detector.score.engine import Engine
from edge.detector.score.fusion import excess, fuse
from tests.helpers.rig import CHANNELS, FAULT, WINDOW, calibrated, network, normal, with_fault

USUAL, LIMIT = np.full((1, len(NAMES)), 2.0), np.full((1, len(NAMES)), 4.0)
LIMIT_OF_ALL = LIMIT[0]

NO_LIMITS = Limits(np.zeros(len(NAMES)), np.full(len(NAMES), np.inf))


def fused(values: dict[str, float], parts: dict[str, list[float]] | None = None, limit: np.ndarray = LIMIT):
    """Of one row whose other members are usual, on two channels of like part."""
    row = np.array([[values.get(name, 1.0) for name in NAMES]])
    of = np.array([[(parts or {}).get(name, [1.0, 1.0]) for name in NAMES]])
    return fuse(row, of, USUAL, limit)


def test_a_score_is_the_part_of_the_way_from_the_usual_peak_to_the_limit():
    values = np.array([[0.0, 2.0, 3.0, 4.0, 8.0, np.nan]])

    assert excess(values, USUAL, LIMIT).tolist() == [[0.0, 0.0, 0.5, 1.0, 3.0, 0.0]]


@pytest.mark.parametrize("name", NAMES)
def test_the_loudest_member_decides_whichever_it_is(name):
    others = {one: 3.0 for one in NAMES if one != name}

    assert fused({**others, name: 5.0}).statistic[0] == 1.5
    assert fused({**others, name: np.nan}).statistic[0] == 0.5


@pytest.mark.parametrize("name", NAMES)
def test_a_member_without_a_limit_says_nothing(name):
    found = fused({name: 1e9}, limit=np.where(np.array(NAMES) == name, np.inf, LIMIT))

    assert found.statistic[0] == 0.0
    assert found.shares[0].tolist() == [0.0, 0.0]


def test_who_takes_part_is_told_by_name():
    limit = np.where(np.array(NAMES) == "bias", np.inf, LIMIT_OF_ALL)

    assert Limits(USUAL[0], limit).taking_part == tuple(name for name in NAMES if name != "bias")
    assert NO_LIMITS.taking_part == ()


def test_shares_add_up_and_name_the_channel_of_the_loudest_member():
    found = fused({"level": 6.0, "recent": 4.0}, {"level": [0.0, 7.0], "recent": [3.0, 0.0]})

    assert found.shares[0] == pytest.approx([0.2, 0.8])  # the squares of 1.0 and 2.0
    assert [MEMBERS[at].name for at in found.reason[0]] == ["recent", "level"]


def test_parts_count_relative_to_their_member_whatever_its_unit():
    some, more = (fused({"energy": 6.0}, {"energy": [unit, 3 * unit]}).shares[0] for unit in (1.0, 1e6))

    assert some == pytest.approx([0.25, 0.75])
    assert more == pytest.approx(some)


def test_rows_do_not_touch_each_other():
    values, parts = np.array([[6.0] * len(NAMES), [1.0] * len(NAMES)]), np.ones((2, len(NAMES), 2))

    found = fuse(values, parts, np.repeat(USUAL, 2, axis=0), np.repeat(LIMIT, 2, axis=0))

    assert found.statistic.tolist() == [2.0, 0.0]


def test_a_member_wants_so_many_times_what_it_averages_over():
    for name in NAMES:
        assert wanted_rows(name, 30, DEFAULT) == DEFAULT.stretches * span_rows(name, 30, DEFAULT)
    assert wanted_rows("recent", 2, DEFAULT) == DEFAULT.stretches, "never less than a row"
    assert span_rows("relation", 30, DEFAULT) == 2 * ROWS


def test_those_by_channel_come_first_and_are_as_many_as_a_calibration_has_sizes_of():
    assert NAMES[: len(BY_CHANNEL)] == BY_CHANNEL
    assert len(set(NAMES)) == len(NAMES)


def test_an_ablation_names_members_and_no_others():
    assert left_out(replace(DEFAULT, without=frozenset({"memory"}))) == [NAMES.index("memory")]
    with pytest.raises(ValueError):
        left_out(replace(DEFAULT, without=frozenset({"magic"})))


# In the engine


def scored(values, tuning=DEFAULT, calibration=None):
    """Of consecutive rows: what the engine made of each."""
    engine = Engine(network(), Shape(WINDOW, len(CHANNELS)), 1, tuning)
    engine.commission(0, calibrated(remembers=True) if calibration is None else calibration)
    one, slot = np.array([0]), np.array([0])
    return [engine.step(one, row[None], slot, np.array([at == 0])) for at, row in enumerate(values)]


def test_every_member_has_a_number_and_parts_that_are_not_negative():
    for found in scored(with_fault(normal(200, 3), 100, 50))[WINDOW:]:
        assert found.parts.shape == (1, len(MEMBERS), len(CHANNELS))
        assert (found.parts >= 0).all()
        assert np.isnan(found.values[0]).tolist() == [member.by_channel for member in MEMBERS]


@pytest.mark.parametrize("name", NAMES)
def test_every_member_sees_the_fault_and_its_channel(name):
    calibration = calibrated(remembers=True)
    alone = np.where(np.array(NAMES) == name, calibration.limits.limit, np.inf)
    own = replace(calibration, limits=replace(calibration.limits, limit=alone))

    found = scored(with_fault(normal(200, 3), 100, 50, 2 * np.array(FAULT)), calibration=own)[100:150]

    loudest = max(found, key=lambda one: one.statistic[0])
    assert loudest.statistic[0] > 1
    assert loudest.shares[0].sum() == pytest.approx(1.0)
    assert [NAMES[at] for at in loudest.reason[0]] == [name] * len(CHANNELS)


def test_nothing_is_told_where_no_member_takes_part():
    blind = replace(calibrated(), limits=NO_LIMITS)

    found = scored(normal(40), calibration=blind)

    assert np.isnan([one.statistic[0] for one in found]).all()
    assert any(one.ran[0] for one in found)
