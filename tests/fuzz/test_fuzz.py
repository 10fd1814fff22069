"""The short version of `make fuzz`, and that fuzzing notices what it is there to notice."""

import pytest
from hypothesis import strategies as st

from tests.fuzz.run import HangError, fuzz
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_that_arrives_breaks_a_promise(target: Target) -> None:
    examples = 20 if target.slow else 200

    assert fuzz(target, examples, first_seed=7).examples == examples


def test_a_broken_promise_is_noticed() -> None:
    def promise(value: int) -> None:
        assert value != 3

    with pytest.raises(AssertionError):
        fuzz(Target("three", 1, st.integers(0, 5), promise), 100, first_seed=1)


def test_an_example_that_does_not_end_is_interrupted() -> None:
    def endless(_: int) -> None:
        while True:
            pass

    with pytest.raises(HangError):
        fuzz(Target("endless", 1, st.just(0), endless), 1, first_seed=1, longest_s=0.05)
