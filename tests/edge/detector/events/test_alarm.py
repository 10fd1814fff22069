"""From scores to episodes: opened by several in a row that exceed the level in sum, closed with hysteresis."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detector.events.alarm import EpisodeDetector
from edge.detector.members.tuning import DEFAULT

ONE = np.array([0])
WINDOW = 10
SURPLUS = DEFAULT.surplus * WINDOW
"""What scores must exceed 1.0 by in sum."""
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
    assert feed(detector(needed=needed), [2.0] * 6) == "-" * (needed - 1) + "(" + "+" * (6 - needed)


@pytest.mark.parametrize("over", [0.05, 0.01])
def test_what_is_hardly_over_the_level_opens_one_once_it_has_lasted(over):
    lasting = round(SURPLUS / over)

    assert feed(detector(), [1 + over] * (lasting + 1)) == "-" * (lasting - 1) + "(+"


def test_the_surplus_alone_opens_none_before_there_are_enough_scores():
    assert feed(detector(), [50.0, 50.0]) == "--"
    assert feed(detector(), [50.0, 1.001, 1.001]) == "--("


@pytest.mark.parametrize(("last", "letter"), [(1 + SURPLUS - 0.02, "-"), (1 + SURPLUS - 0.0199, "(")])
def test_the_surplus_is_wanted_whole(last, letter):
    assert feed(detector(), [1.01, 1.0099, last])[-1] == letter


def test_a_score_at_the_level_does_not_count_and_breaks_the_row_and_the_sum():
    assert feed(detector(), [9.0, 9.0, 1.0, 9.0, 9.0]) == "-----"
    assert feed(detector(), [9.0, 9.0, 1.0, *[1.01] * 5]) == "-" * 8


def test_a_missing_score_neither_counts_nor_breaks_the_row():
    assert feed(detector(), [2.0, np.nan, 2.0, np.nan, 2.0]) == "----("


def test_an_episode_stays_open_between_close_and_level_and_ends_when_it_stays_below():
    low = DEFAULT.close

    assert feed(detector(), [2.0, 2.0, 2.0, 0.9, low]) == "--(++"
    assert feed(detector(), [2.0] * 3 + [low - 0.01] * WHILE) == "--(" + "+" * (WHILE - 1) + ")"
    assert ")" not in feed(detector(), [2.0] * 3 + ([low - 0.01] * (WHILE - 1) + [low]) * 5)


@pytest.mark.parametrize("loud", [2.0, 1e6])
def test_how_loud_it_was_neither_ends_nor_prolongs_an_episode(loud):
    low = DEFAULT.close

    assert ")" not in feed(detector(), [loud] * 5 + [low] * (20 * WINDOW))
    assert feed(detector(), [loud] * 5 + [low - 0.01] * WHILE).endswith("+" * (WHILE - 1) + ")")


FADE = DEFAULT.baseline_windows * WINDOW
"""Scores over which the echo of a short episode fades."""


def after(peak: float, lasted: int, quiet: int = 0) -> EpisodeDetector:
    """After an episode of so many scores after the one that opened it, and quiet ones since."""
    one = detector()
    high = [1.5, 1.5, 1.5, *[peak] * (lasted - WHILE)]
    assert feed(one, high + [0.0] * WHILE + [0.0] * quiet) == "--(" + "+" * (lasted - 1) + ")" + "-" * quiet
    return one


@pytest.mark.parametrize("quiet", [0, 1, 10, 100])
@pytest.mark.parametrize("lasted", [5, int(FADE), int(FADE) + 1, 400])
@pytest.mark.parametrize("peak", [2.0, 2.5, 31.0])
def test_the_next_episode_opens_above_the_echo_of_the_last_one(peak, lasted, quiet):
    faded = (1 - 1 / max(lasted, FADE)) ** (quiet + np.arange(3))
    level = 1 + min(DEFAULT.echo, peak - 1) * faded
    above = level + SURPLUS / 3

    assert feed(after(peak, lasted, quiet), list(above + 1e-6)) == "--("
    assert feed(after(peak, lasted, quiet), list(above - 1e-6)) == "---"
    assert feed(after(peak, lasted, quiet), [level[0] - 1e-6, *(level[1:] + 9.0)]) == "---"


def test_an_echo_is_of_the_highest_score_wherever_it_was():
    one, other = detector(), detector()
    feed(one, [2.0, 2.0, 31.0, 2.0, 2.0] + [0.0] * WHILE)
    feed(other, [2.0, 2.0, 2.0, 2.0, 31.0] + [0.0] * WHILE)

    for found in (one, other):
        assert feed(found, [2.4] * 3) == "---"
        assert feed(found, [9.0] * 3) == "--("


def test_missing_scores_fade_no_echo():
    assert feed(after(31.0, 5), [np.nan] * 1000 + [2.4] * 3) == "-" * 1003
    assert feed(after(31.0, 5), [0.0] * 1000 + [2.4] * 3) == "-" * 1002 + "("


@pytest.mark.parametrize("on", [False, True])
def test_an_episode_forced_open_or_closed_leaves_no_echo(on):
    one = after(1e3, 5)
    one.force(0, on)

    assert feed(one, [0.0] * WHILE * on + [2.0] * 3).endswith("--(")


@pytest.mark.parametrize(("window", "scores"), [(1, 1), (6, 1), (12, 2), (30, 5)])
def test_an_episode_ends_after_a_sixth_of_a_window_of_low_scores(window, scores):
    one = EpisodeDetector(1, window, DEFAULT)
    one.force(0, True)

    assert feed(one, [0.0] * scores) == "+" * (scores - 1) + ")"


def test_missing_scores_end_no_episode():
    assert feed(detector(), [2.0] * 3 + [np.nan] * 1000) == "--(" + "+" * 1000


@pytest.mark.parametrize("score", [0.0, 0.3, 0.49])
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

    assert feed(one, [2.0] * 3) == "--("


def test_scores_before_an_episode_was_forced_closed_do_not_count():
    one = detector()
    feed(one, [9.0] * 2)
    one.force(0, False)

    assert feed(one, [1.001] * 3) == "---"


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
