"""Rules: which row breaks which, and since when."""

import math

import numpy as np
import pytest

from edge.detector.bundle.rules import ChannelRules, Findings, RuleBook, kind_of
from edge.detector.rows.row import Row


def check(book: RuleBook, time: float, value: float, restart: bool = False, held: bool = False) -> Findings:
    return book.check(Row(time, np.array([value]), restart, (0,) if held else ()))


def book(**rules: float) -> RuleBook:
    return RuleBook(["flow"], {"flow": ChannelRules(**rules)})


@pytest.mark.parametrize(
    ("rule", "value", "broken"),
    [("min", 2.0, False), ("min", 1.999, True), ("max", 2.0, False), ("max", 2.001, True)],
)
def test_a_limit_itself_is_allowed_and_what_lies_beyond_it_is_not(rule, value, broken):
    found = check(book(**{rule: 2.0}), 10.0, value)

    assert (f"{rule}:flow" in found.broken) is broken
    assert (f"{rule}:flow" in found.kept) is not broken


def test_a_hit_names_rule_channel_limit_and_value():
    breach = check(book(max=2.0), 10.0, 2.5).broken["max:flow"]

    assert (breach.hit.name, breach.hit.channel, breach.hit.limit, breach.hit.value) == ("max", "flow", 2.0, 2.5)
    assert breach.since == 10.0


@pytest.mark.parametrize(("value", "broken"), [(2.0, False), (2.01, True), (-2.0, False), (-2.01, True)])
def test_the_rate_is_measured_both_ways_against_the_reading_before(value, broken):
    one = book(max_rate=1.0)
    check(one, 10.0, 0.0)

    assert bool(check(one, 12.0, value).broken) is broken


def test_a_ramp_with_missing_readings_keeps_its_rate():
    one = book(max_rate=1.0)
    check(one, 10.0, 0.0)
    check(one, 11.0, 0.0, held=True)
    check(one, 12.0, math.nan)

    assert not check(one, 13.0, 3.0).broken


def test_no_rate_is_told_across_a_gap():
    one = book(max_rate=1.0)
    check(one, 10.0, 0.0)

    found = check(one, 11.0, 100.0, restart=True)

    assert not found.broken
    assert not found.kept


def test_a_value_is_flat_from_the_limit_on_and_since_it_changed_last():
    one = book(flat_for_s=3.0)
    check(one, 10.0, 1.0)
    check(one, 11.0, 2.0)

    assert not check(one, 13.9, 2.0).broken
    assert check(one, 14.0, 2.0).broken["flat:flow"].since == 11.0
    assert "flat:flow" in check(one, 15.0, 2.1).kept


def test_a_value_that_is_only_held_is_not_flat():
    one = book(flat_for_s=3.0)
    check(one, 10.0, 1.0)

    assert not any(check(one, 10.0 + step, 1.0, held=True).broken for step in range(1, 10))


def test_what_was_flat_before_a_gap_need_not_have_been_flat_in_it():
    one = book(flat_for_s=3.0)
    check(one, 10.0, 1.0)

    assert not check(one, 1000.0, 1.0, restart=True).broken
    assert check(one, 1003.0, 1.0).broken["flat:flow"].since == 1000.0


def test_a_value_not_seen_to_change_is_neither_flat_nor_not_until_the_limit():
    found = check(book(flat_for_s=3.0), 10.0, 1.0)

    assert not found.broken
    assert not found.kept


@pytest.mark.parametrize("held", [False, True])
def test_a_channel_is_silent_from_the_limit_on_and_since_its_last_reading(held):
    one = book(silent_for_s=3.0)
    check(one, 10.0, 1.0)
    missing = 1.0 if held else math.nan

    assert not check(one, 12.9, missing, held=held).broken
    assert check(one, 13.0, missing, held=held).broken["silent:flow"].since == 10.0
    assert "silent:flow" in check(one, 14.0, 1.0).kept


def test_silence_is_also_found_while_no_row_comes():
    one = book(silent_for_s=3.0)
    check(one, 10.0, 1.0)

    assert not one.silence(12.9).broken
    breach = one.silence(13.5).broken["silent:flow"]
    assert (breach.since, breach.hit.value) == (10.0, 3.5)


def test_a_channel_that_never_spoke_is_silent_since_the_first_row():
    one = book(silent_for_s=3.0)

    assert not one.silence(1e9).broken
    assert not check(one, 10.0, math.nan).broken
    assert check(one, 13.0, math.nan).broken["silent:flow"].since == 10.0


def test_silence_goes_on_over_a_gap():
    one = book(silent_for_s=3.0)
    check(one, 10.0, 1.0)

    assert check(one, 100.0, math.nan, restart=True).broken["silent:flow"].since == 10.0


def test_a_missing_value_says_nothing_of_the_other_rules():
    found = check(book(min=0.0, max=1.0, max_rate=1.0, flat_for_s=1.0), 10.0, math.nan)

    assert not found.broken
    assert not found.kept


def test_only_the_rules_that_are_set_are_checked():
    assert book(max=1.0, silent_for_s=5.0).keys == {"max:flow", "silent:flow"}
    assert check(book(max=1.0), 10.0, 0.5).kept == {"max:flow"}


def test_what_the_machine_does_is_a_rule_and_what_the_sensor_does_a_sensor_event():
    kinds = {name: kind_of(name) for name in ("min", "max", "max_rate", "flat", "silent")}

    assert kinds == {"min": "rule", "max": "rule", "max_rate": "rule", "flat": "sensor", "silent": "sensor"}
