"""Rules from normal rows: wide enough for the normal rows of another day, narrow enough to see what is absurd."""

import numpy as np
import pytest

from edge.detector.bundle.rules import ChannelRules, RuleBook, merged, rules_from_dict, rules_to_dict
from edge.detector.rows.row import Row
from train.fitting.learned_rules import learn_rules, widened
from train.read.dataset import Run, Segment

CHANNELS = ("flow", "setpoint", "valve")


def day(seed: int, rows: int = 2000) -> np.ndarray:
    """A flow that swings, a setpoint that never moves, a valve that opens and shuts now and then."""
    random = np.random.default_rng(seed)
    flow = 10 + np.sin(np.arange(rows) / 50) + random.normal(0, 0.1, rows)
    return np.stack([flow, np.full(rows, 3.0), (np.arange(rows) // 400 % 2).astype(float)], axis=1)


def learned() -> dict[str, ChannelRules]:
    return learn_rules([Run("a", (Segment(np.arange(2000.0), day(0)),))], CHANNELS, 1.0)


def broken(rules: dict[str, ChannelRules], values: np.ndarray) -> set[str]:
    book = RuleBook(CHANNELS, rules)
    rows = [Row(float(time), row, restart=time == 0) for time, row in enumerate(values)]
    return {key for row in rows for key in book.check(row).broken}


@pytest.mark.parametrize("seed", range(1, 6))
def test_normal_rows_of_another_day_keep_them(seed: int) -> None:
    assert broken(learned(), day(seed, 3000)) == set()


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        (lambda flow: flow + np.where(np.arange(len(flow)) > 500, 9.0, 0.0), "max:flow"),
        (lambda flow: np.where(np.arange(len(flow)) > 500, 0.0, flow), "min:flow"),
        (lambda flow: np.where(np.arange(len(flow)) == 500, flow + 2.0, flow), "max_rate:flow"),
        (lambda flow: np.where(np.arange(len(flow)) > 500, flow[500], flow), "flat:flow"),
        (lambda flow: np.where(np.arange(len(flow)) > 500, np.nan, flow), "silent:flow"),
    ],
)
def test_what_is_absurd_breaks_them(fault, rule: str) -> None:
    values = day(1)
    values[:, 0] = fault(values[:, 0])

    assert rule in broken(learned(), values)


def test_a_channel_that_never_changes_has_no_rule_but_silence() -> None:
    rules = learned()

    assert rules["setpoint"] == ChannelRules(silent_for_s=60.0)
    assert rules["valve"].flat_for_s is None


def test_a_channel_that_wanders_has_no_limits() -> None:
    values = day(0)
    values[:, 0] += np.linspace(0, 60, len(values))

    rules = learn_rules([Run("a", (Segment(np.arange(2000.0), values),))], CHANNELS, 1.0)

    assert (rules["flow"].min, rules["flow"].max) == (None, None)
    assert rules["flow"].max_rate is not None


def test_gaps_between_segments_are_no_silence_and_no_change() -> None:
    late = Segment(np.arange(90_000.0, 90_100.0), np.full((100, 3), 50.0))

    rules = learn_rules([Run("a", (Segment(np.arange(2000.0), day(0)), late))], CHANNELS, 1.0)

    assert rules["flow"].silent_for_s == 60.0
    assert rules["flow"].max_rate < 3.0


def test_a_channel_without_a_value_has_no_limits() -> None:
    rules = learn_rules([Run("a", (Segment(np.arange(10.0), np.full((10, 3), np.nan)),))], CHANNELS, 1.0)

    assert rules["flow"] == ChannelRules(silent_for_s=60.0)


def test_own_rules_go_before_learned_ones() -> None:
    base = {"flow": ChannelRules(min=1.0, max=5.0, max_rate=2.0), "valve": ChannelRules(max=1.5)}

    found = merged(base, {"flow": ChannelRules(max=4.0), "setpoint": ChannelRules(min=0.0)})

    assert found["flow"] == ChannelRules(min=1.0, max=4.0, max_rate=2.0)
    assert (found["valve"], found["setpoint"]) == (base["valve"], ChannelRules(min=0.0))
    assert merged(base, {"flow": ChannelRules(max=0.5)})["flow"] == ChannelRules(max=0.5, max_rate=2.0)


def test_a_devices_rules_leave_room_for_its_fleet_and_for_itself() -> None:
    fleet = {"flow": ChannelRules(min=1.0, max=5.0, max_rate=2.0, flat_for_s=60.0, silent_for_s=60.0)}
    device = {"flow": ChannelRules(min=3.0, max=9.0, max_rate=1.0, silent_for_s=90.0), "valve": ChannelRules(max=1.0)}

    found = widened(fleet, device)

    assert found["flow"] == ChannelRules(min=1.0, max=9.0, max_rate=2.0, silent_for_s=90.0)
    assert found["valve"] == device["valve"]


def test_they_can_be_written_and_read() -> None:
    assert rules_from_dict(rules_to_dict(learned())) == learned()
    with pytest.raises(ValueError, match="finite"):
        rules_from_dict({"flow": {"max": float("nan")}})
