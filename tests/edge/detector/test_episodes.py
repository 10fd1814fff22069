"""From scores to episodes: opened by several in a row, closed with hysteresis, each stream for itself."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detector.episodes import EpisodeDetector
from edge.detector.tuning import DEFAULT

ONE = np.array([0])
WINDOW = 10
WHILE = max(1, round(DEFAULT.close_windows * WINDOW))
"""Scores under the closing one that end an episode."""


def detector(streams: int = 1, needed: int = 3) -> EpisodeDetector:
    return EpisodeDetector(streams, WINDOW, DEFAULT, np.full(streams, needed))


def feed(one: EpisodeDetector, scores: list[float]) -> str:
    """One letter a score: `(` opened, `)` closed, `+` on, `-` off."""
    letters = []
    for score in scores:
        changes = one.update(ONE, np.array([score]))
        letters.append("(" if changes.opened[0] else ")" if changes.closed[0] else "+" if one.on[0] else "-")
    return "".join(letters)


@pytest.mark.parametrize("needed", [1, 2, 5])
def test_an_episode_opens_with_the_last_of_so_many_scores_above_the_level(needed):
    assert feed(detector(needed=needed), [1.01] * 6) == "-" * (needed - 1) + "(" + "+" * (6 - needed)


def test_a_score_at_the_level_does_not_count_and_breaks_the_row():
    assert feed(detector(), [1.1, 1.1, 1.0, 1.1, 1.1]) == "-----"


def test_a_missing_score_neither_counts_nor_breaks_the_row():
    assert feed(detector(), [1.1, np.nan, 1.1, np.nan, 1.1]) == "----("


def test_an_episode_stays_open_between_close_and_level_and_ends_when_it_stays_below():
    low = DEFAULT.close

    assert feed(detector(), [1.1, 1.1, 1.1, 0.9, low]) == "--(++"
    assert feed(detector(), [1.1] * 3 + [low - 0.01] * WHILE) == "--(" + "+" * (WHILE - 1) + ")"
    assert ")" not in feed(detector(), [1.1] * 3 + ([low - 0.01] * (WHILE - 1) + [low]) * 5)


def test_an_episode_ends_after_a_window_well_below_its_own_level():
    found = feed(detector(), [10.0] * 5 + [1.9] * (WINDOW + 1))

    assert found.count(")") == 1
    assert found.index(")") == 5 + WINDOW - 1


def test_what_is_still_twice_over_the_level_goes_on_however_loud_it_was():
    assert ")" not in feed(detector(), [50.0] * 5 + [2.1] * (20 * WINDOW))


def test_missing_scores_end_no_episode():
    assert feed(detector(), [2.0] * 3 + [np.nan] * 1000) == "--(" + "+" * 1000


def test_after_an_episode_the_next_must_be_louder_for_a_while():
    one = detector()
    feed(one, [5.0] * 5 + [1.9] * WINDOW)  # closed at 1.9

    assert "(" not in feed(one, [2.2] * 3)
    assert "(" in feed(one, [2.2] * (5 * WINDOW))


def test_right_after_an_episode_a_score_just_above_the_level_opens_none():
    one = detector()
    feed(one, [5.0] * 5 + [0.1] * WINDOW)

    assert "(" not in feed(one, [1.1] * 3)
    assert "(" in feed(one, [1.6] * 3), "another fault, louder than what the last one leaves behind"


@pytest.mark.parametrize("score", [0.0, 0.3, 0.69])
def test_an_episode_forced_open_ends_when_the_score_stays_low(score):
    one = detector()
    one.force(0, True)

    assert feed(one, [score] * WHILE) == "+" * (WHILE - 1) + ")"


def test_an_episode_forced_open_goes_on_while_the_score_is_high_and_then_ends():
    one = detector()
    one.force(0, True)

    assert feed(one, [1.5] * 50 + [0.1] * WHILE) == "+" * (49 + WHILE) + ")"


def test_an_episode_forced_closed_is_forgotten():
    one = detector()
    feed(one, [5.0] * 5)
    one.force(0, False)

    assert feed(one, [1.1] * 3) == "--("


@given(st.lists(st.floats(0, 10) | st.just(float("nan")), max_size=200))
def test_every_episode_is_opened_and_closed_in_turn(scores):
    marks = [letter for letter in feed(detector(), scores) if letter in "()"]

    assert all(mark != after for mark, after in itertools.pairwise(marks))
    assert not marks or marks[0] == "("


@given(st.integers(0, 2**32 - 1))
def test_streams_do_not_touch_each_other(seed):
    chance = np.random.default_rng(seed)
    scores = np.where(chance.random((80, 3)) < 0.2, np.nan, chance.exponential(1.0, (80, 3)))
    turns = chance.random((80, 3)) < 0.8
    together, found = detector(3), [[], [], []]
    for row, turn in zip(scores, turns, strict=True):
        streams = np.flatnonzero(turn)
        changes = together.update(streams, row[streams])
        for stream, opened, closed in zip(streams, changes.opened, changes.closed, strict=True):
            found[stream].append("(" if opened else ")" if closed else "+" if together.on[stream] else "-")

    for stream in range(3):
        alone = [score for score, turn in zip(scores[:, stream], turns[:, stream], strict=True) if turn]
        assert "".join(found[stream]) == feed(detector(), alone)
