"""The aligner gives what its rules, written down slowly, give on any stream of readings."""

import itertools
import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.detector.rows.aligner import Aligner, AlignerSettings
from tests.helpers.slow_aligner import TICKS, SlowAligner

CHANNELS = "abc"
MOVES = st.one_of(
    st.integers(0, 2 * TICKS),  # a board that samples
    st.integers(-3 * TICKS, 3 * TICKS),  # out of order
    st.sampled_from([TICKS, TICKS, 5 * TICKS, 6 * TICKS, -5 * TICKS, 40 * TICKS, -40 * TICKS, 10**5, -(10**5)]),
)
VALUES = st.one_of(
    st.dictionaries(st.sampled_from(CHANNELS), st.integers(-9, 9).map(float), max_size=3),
    st.just({"a": 1.0, "b": 2.0, "c": 3.0}),
)
STEPS = st.lists(st.tuples(st.sampled_from(["add", "add", "add", "advance"]), MOVES, VALUES), max_size=60)
HALVES = st.integers(0, 12).map(lambda halves: halves * TICKS // 2)


@settings(max_examples=400, deadline=None)
@given(
    steps=STEPS,
    period_s=st.sampled_from([0.1, 0.25, 1.0, 1800.0]),
    start=st.sampled_from([0, 1_763_772_000]),
    mean=st.booleans(),
    hold=HALVES,
    gap=HALVES.filter(lambda ticks: ticks >= TICKS),
    delay=HALVES,
)
@example(  # ten readings from before a gap, the tenth begins a new run
    [("add", 10**5, {"a": 1.0}), *[("add", -(10**5), {"a": 2.0})], *[("add", 1, {"a": 3.0})] * 12],
    1.0, 0, False, 3 * TICKS, 5 * TICKS, TICKS,
)  # fmt: skip
def test_any_stream_of_readings_gives_the_rows_of_the_slow_oracle(steps, period_s, start, mean, hold, gap, delay):
    def seconds(ticks: float) -> float:
        return ticks * period_s / TICKS

    real = Aligner(
        CHANNELS,
        AlignerSettings(period_s, "mean" if mean else "last", seconds(hold), seconds(gap), seconds(delay)),
    )
    slow = SlowAligner(len(CHANNELS), mean, hold, gap, delay)
    tick = round(start / period_s) * TICKS
    found, wanted = [], []
    for action, move, values in steps:
        tick = max(0, tick + move)
        if action == "add":
            found += real.add(seconds(tick), values)
            wanted += slow.add(tick, {CHANNELS.index(name): value for name, value in values.items()})
        else:
            found += real.advance(seconds(tick))
            wanted += slow.advance(tick)
    found += real.flush()
    wanted += slow.flush()

    assert [row.time for row in found] == pytest.approx([row.slot * period_s for row in wanted], rel=1e-12, abs=1e-6)
    assert [(row.restart, row.held) for row in found] == [(row.restart, row.held) for row in wanted]
    for row, other in zip(found, wanted, strict=True):
        assert row.values.tolist() == pytest.approx(other.values, nan_ok=True)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.floats(), st.floats(1.7e9, 1.7e9 + 100)),
            st.dictionaries(st.sampled_from("abcx"), st.floats(), max_size=4),
            st.one_of(st.none(), st.just(1.7e9)),
        ),
        max_size=50,
    )
)
def test_no_stamp_and_no_value_makes_the_aligner_raise_or_send_a_row_twice(readings):
    one = Aligner(CHANNELS, AlignerSettings(0.1))
    rows = [row for time, values, now in readings for row in one.add(time, values, now)] + one.flush()

    backwards = sum(b.time <= a.time for a, b in itertools.pairwise(rows))
    assert backwards <= one.counts["clock_reset"]
    assert all(math.isfinite(row.time) for row in rows)
    assert not any(math.isinf(value) for row in rows for value in row.values)
