"""The scaler: readings to z-units and back, whatever a channel does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge.detector.bundle.scaler import CLIP, KINDS, fit_scaler, scaler_from_dict

VALUES = hnp.arrays(np.float64, st.tuples(st.integers(3, 30), st.just(3)), elements=st.floats(-1e6, 1e6, width=32))
kinds = pytest.mark.parametrize("kind", KINDS)


def normal(count: int = 2000, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal([0.0, 50.0, -3.0], [1.0, 0.2, 400.0], (count, 3))


@given(VALUES, st.sampled_from(KINDS))
def test_z_units_turn_back_into_the_readings_where_nothing_was_clipped(values, kind):
    scaler = fit_scaler(values, kind)
    z = scaler.transform(values)
    inside = np.abs(z) < CLIP

    back = scaler.inverse(z)
    assert back[inside] == pytest.approx(values[inside], rel=1e-9, abs=1e-9 * max(1.0, np.abs(values).max()))
    assert (np.abs(z) <= CLIP).all()


@given(VALUES, st.sampled_from(KINDS))
def test_any_rows_give_a_finite_center_and_a_positive_scale(values, kind):
    scaler = fit_scaler(values, kind)

    assert np.isfinite(scaler.center).all()
    assert np.isfinite(scaler.scale).all()
    assert (scaler.scale > 0).all()


@given(VALUES, st.sampled_from(KINDS))
def test_a_scaler_is_the_same_after_the_manifest(values, kind):
    scaler = fit_scaler(values, kind)
    again = scaler_from_dict(scaler.to_dict())

    assert (again.kind, again.center.tolist(), again.scale.tolist()) == (
        kind,
        scaler.center.tolist(),
        scaler.scale.tolist(),
    )


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.sampled_from(KINDS))
def test_the_unit_of_a_channel_does_not_matter(offset, factor, kind):
    values = normal(300)[:, :1]
    other = values * factor + offset

    assert fit_scaler(other, kind).transform(other) == pytest.approx(
        fit_scaler(values, kind).transform(values), abs=1e-6
    )


@pytest.mark.parametrize("kind", ["robust", "standard"])
def test_normal_readings_get_mean_0_and_sd_1(kind):
    z = fit_scaler(normal(), kind).transform(normal(seed=1))

    assert z.mean(axis=0) == pytest.approx([0, 0, 0], abs=0.1)
    assert z.std(axis=0) == pytest.approx([1, 1, 1], abs=0.1)


def test_minmax_puts_the_extremes_at_1():
    z = fit_scaler(normal(), "minmax").transform(normal())

    assert (z.min(axis=0), z.max(axis=0)) == (pytest.approx([-1] * 3), pytest.approx([1] * 3))


def test_wild_readings_move_the_robust_scaler_little():
    spoilt = normal()
    spoilt[:10] = 1e6

    assert fit_scaler(spoilt).transform(normal(seed=1)).std(axis=0) == pytest.approx([1, 1, 1], abs=0.1)


@kinds
def test_missing_readings_are_left_out_and_stay_missing(kind):
    values = normal()
    values[::2, 0] = np.nan
    scaler = fit_scaler(values, kind)

    assert scaler.center[0, 0] == pytest.approx(fit_scaler(values[1::2], kind).center[0, 0])
    assert (np.isnan(scaler.transform(values)) == np.isnan(values)).all()


@kinds
@pytest.mark.parametrize("level", [50.5, -50.5, 0.1, 1e-12])
def test_a_channel_that_stood_still_is_scaled_by_a_part_of_its_level(kind, level):
    values = normal()
    values[:, 1] = level
    scaler = fit_scaler(values, kind)

    assert scaler.scale[0, 1] == pytest.approx(0.05 * max(abs(level), 1e-6))
    assert scaler.transform(values)[:, 1] == pytest.approx(0.0, abs=1e-6)


@kinds
@pytest.mark.parametrize(("states", "scale"), [([0], 1), ([5], 1), ([0, 1], 1), ([0, 1, 2], 2), ([-3, 4, 5], 8)])
def test_a_channel_of_at_most_three_whole_numbers_is_a_state_and_scaled_by_its_range(kind, states, scale):
    values = normal()
    values[:, 1] = np.resize([states[0]] * 50 + states, len(values))
    values[::7, 1] = np.nan

    assert fit_scaler(values, kind).scale[0, 1] == scale


@kinds
@pytest.mark.parametrize("levels", [[0, 1, 2, 3], [0.0, 0.5]])
def test_four_whole_numbers_or_a_fraction_are_no_state(kind, levels):
    values = normal()
    values[:, 1] = np.resize(levels, len(values))
    plain = values + np.array([0.0, 1e-9, 0.0])

    assert fit_scaler(values, kind).scale[0, 1] == pytest.approx(fit_scaler(plain, kind).scale[0, 1])


def test_the_last_digit_of_a_coarse_converter_is_no_scale():
    values = normal()
    values[:, 0] = np.round(np.random.default_rng(4).normal(30.0, 0.3, len(values))) + 0.001 * values[:, 0]

    scale = fit_scaler(values).scale[0, 0]

    assert scale > 0.2  # of the counts; what lies between them is some thousandths


def test_a_channel_whose_middle_half_stands_still_is_scaled_by_the_rest():
    values = normal()
    values[:, 0] = np.where(np.arange(len(values)) % 10, 0.0, 5.5)  # on for a tenth of the time
    values[:, 1] = np.where(np.arange(len(values)) % 200, 0.0, 5.5)  # and for a two-hundredth

    scale = fit_scaler(values).scale[0]

    assert scale[0] == pytest.approx(5.5 / 4.652 / 2)
    assert scale[1] == pytest.approx(values[:, 1].std())


def test_readings_are_clipped_at_the_limit_and_not_before():
    scaler = fit_scaler(normal(), "standard")
    center, scale = scaler.center[0], scaler.scale[0]

    assert scaler.transform((center + 29.99 * scale)[None]) == pytest.approx(29.99)
    assert scaler.transform(center + np.array([[31.0], [-31.0], [1e12]]) * scale) == pytest.approx(
        np.array([[CLIP] * 3, [-CLIP] * 3, [CLIP] * 3])
    )


def test_a_channel_without_any_value_is_named():
    values = normal()
    values[:, 1] = np.nan

    with pytest.raises(ValueError, match="channel flow has no value"):
        fit_scaler(values, names=["a", "flow", "b"])
    with pytest.raises(ValueError, match="channel number 1"):
        fit_scaler(values)


def test_no_rows_are_refused_as_such():
    with pytest.raises(ValueError, match="no value"):
        fit_scaler(np.empty((0, 3)))


def test_an_unknown_kind_is_told_with_those_there_are():
    with pytest.raises(ValueError, match="robust, standard, minmax"):
        fit_scaler(normal(), "log")


# Seasons


def seasonal(rows: int = 4800) -> tuple[np.ndarray, np.ndarray]:
    slots = np.arange(rows) % 24
    return normal(rows) * 0.1 + 10.0 * slots[:, None], slots


@kinds
def test_every_slot_has_a_center_of_its_own(kind):
    values, slots = seasonal()
    scaler = fit_scaler(values, kind, slots=slots, slot_count=24)

    for slot in (0, 7, 23):
        assert scaler.center[slot] == pytest.approx(fit_scaler(values[slots == slot], kind).center[0])
    assert scaler.transform(values, slots).mean(axis=0) == pytest.approx([0, 0, 0], abs=0.15)
    assert scaler.inverse(scaler.transform(values, slots), slots) == pytest.approx(values, abs=1e-6)


def test_a_slot_seen_too_seldom_takes_what_holds_for_all():
    values, slots = seasonal()
    seldom = values[(slots != 3) | (np.arange(len(slots)) < 30)], slots[(slots != 3) | (np.arange(len(slots)) < 30)]
    scaler = fit_scaler(seldom[0], slots=seldom[1], slot_count=24)

    assert scaler.center[3] == pytest.approx(fit_scaler(seldom[0]).center[0])


def test_a_channel_that_stood_still_has_the_same_least_scale_with_a_season():
    values, slots = seasonal()
    values[:, 1] = 50.5

    assert fit_scaler(values, slots=slots, slot_count=24).scale[:, 1] == pytest.approx(0.05 * 50.5, rel=0.9)


def test_a_state_is_scaled_by_its_range_with_a_season_too():
    values, slots = seasonal()
    values[:, 1] = slots >= 12

    assert fit_scaler(values, slots=slots, slot_count=24).scale[:, 1].tolist() == [1.0] * 24


def test_a_season_survives_the_manifest():
    values, slots = seasonal()
    scaler = fit_scaler(values, slots=slots, slot_count=24)

    assert scaler_from_dict(scaler.to_dict()).scale.tolist() == scaler.scale.tolist()


@pytest.mark.parametrize(
    ("center", "scale"),
    [
        ([0.0], [1.0, 2.0]),
        ([[0.0]], [[[1.0]]]),
        ([[0.0, 1.0], [2.0]], [1.0]),
        ([float("nan")], [1.0]),
        ([0.0], [0.0]),
        ([0.0], [-1.0]),
        ([0.0], [float("nan")]),
        ([0.0], [float("inf")]),
        (["a"], [1.0]),
    ],
)
def test_a_scaler_out_of_range_is_refused(center, scale):
    with pytest.raises((ValueError, TypeError)):
        scaler_from_dict({"kind": "robust", "center": center, "scale": scale})
