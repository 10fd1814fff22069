"""An outcome says what was unusual about its row, channel by channel."""

import numpy as np
import pytest

from edge.detector.bundle.files import Bundle
from tests.helpers.rig import CHANNELS, WINDOW, group_of, normal, play, rows_of, with_fault, write_rig_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Bundle:
    return write_rig_bundle(tmp_path_factory.mktemp("bundles") / "rig")


def test_there_is_nothing_to_say_of_a_row_before_the_window_is_full(bundle):
    outcomes = play(group_of(bundle), rows_of(normal(WINDOW)))

    assert [bool(outcome.shares) for outcome in outcomes] == [False] * (WINDOW - 1) + [True]
    assert outcomes[0].expected == outcomes[0].tolerance == {}


def test_shares_add_up_and_the_largest_is_the_top_channels(bundle):
    outcome = play(group_of(bundle), rows_of(normal(40)))[-1]

    assert tuple(outcome.shares) == CHANNELS
    assert sum(outcome.shares.values()) == pytest.approx(1.0)
    assert max(outcome.shares, key=outcome.shares.__getitem__) == outcome.top_channel


def test_an_event_gives_what_the_outcome_of_its_row_gives(bundle):
    outcomes = play(group_of(bundle), rows_of(with_fault(normal(200), 120, 40)))

    (outcome,) = [one for one in outcomes if any(event.event_type == "new" for event in one.events)]
    for part in outcome.events[0].contributors:
        assert outcome.shares[part.channel] == pytest.approx(part.share, abs=1e-3)
        assert outcome.expected[part.channel] == pytest.approx(part.expected, rel=1e-3)
        assert outcome.tolerance[part.channel] == pytest.approx(part.tolerance, rel=1e-2)
        assert outcome.explanation.reasons[part.channel] == part.reason


def test_an_outcome_that_was_kept_is_not_changed_by_later_rows(bundle):
    group = group_of(bundle)
    rows = rows_of(normal(60))
    kept = play(group, rows[:30])[-1]
    before = (kept.shares, kept.expected, kept.tolerance)

    play(group, rows[30:])

    assert (kept.shares, kept.expected, kept.tolerance) == before


def test_between_two_inferences_and_on_blank_rows_there_is_nothing_to_say(tmp_path):
    values = normal(40)
    values[30] = np.nan

    outcomes = play(group_of(write_rig_bundle(tmp_path / "strided", stride=2)), rows_of(values))

    said = [bool(outcome.shares) for outcome in outcomes]
    assert said[WINDOW - 1 : WINDOW + 3] == [True, False, True, False]
    assert not said[30]
