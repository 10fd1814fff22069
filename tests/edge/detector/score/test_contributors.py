"""What is said of the channels of a row: the largest shares, what is usual there, on which side and why."""

import math

import numpy as np
import pytest

from edge.detector.events.contributors import contributors_of
from edge.detector.events.settings import StreamSettings
from edge.detector.events.stream import StreamEvents
from edge.detector.rows.row import Row
from edge.wire.events import Contributor, ModelRef

pytestmark = pytest.mark.arm

CHANNELS = [("a", "V"), ("b", "A"), ("c", ""), ("d", "bar")]


def test_the_largest_shares_are_named_with_value_expected_value_and_unit():
    found = contributors_of(
        CHANNELS, np.array([0.1, 0.5, 0.15, 0.25]), np.array([1, 2, 3, math.nan]), np.array([9, 8.1234567, 7, 6])
    )

    assert found == (
        Contributor("b", 0.5, 2.0, 8.12346, "A", direction="below"),
        Contributor("d", 0.25, None, 6.0, "bar"),
        Contributor("c", 0.15, 3.0, 7.0, "", direction="below"),
    )


def test_channels_without_a_share_are_not_named():
    assert contributors_of(CHANNELS, np.array([0.0, 1.0, 0.0, 0.0]), np.zeros(4), np.zeros(4))[1:] == ()


def test_tolerance_and_reason_are_those_of_the_channel():
    found = contributors_of(
        CHANNELS,
        np.array([0.0, 0.3, 0.7, 0.0]),
        np.array([0.0, 2.0, 3.0, 0.0]),
        np.array([0.0, 1.0, 4.0, 0.0]),
        tolerance=np.array([9, 0.61234567, math.nan, 9]),
        reasons=["noise", "level", "relation", None],
    )

    assert found == (
        Contributor("c", 0.7, 3.0, 4.0, "", None, "below", "relation"),
        Contributor("b", 0.3, 2.0, 1.0, "A", 0.612346, "above", "level"),
    )


@pytest.mark.parametrize(
    ("value", "expected", "tolerance", "reason", "direction"),
    [
        (4.9, 2.2, 0.6, "level", "above"),
        (1.1, 2.2, 0.6, "level", "below"),
        (2.3, 2.2, 0.6, "level", "above"),
        (2.3, 2.2, 0.6, "relation", "above"),
        (2.3, 2.2, 0.6, None, "above"),
        (2.75, 2.25, 0.5, "noise", None),
        (1.75, 2.25, 0.5, "pattern", None),
        (2.76, 2.25, 0.5, "noise", "above"),
        (1.74, 2.25, 0.5, "pattern", "below"),
        (2.3, 2.2, math.nan, "noise", "above"),
        (2.2, 2.2, 0.6, "level", None),
        (math.nan, 2.2, 0.6, "level", None),
        (2.2, math.nan, 0.6, "level", None),
    ],
)
def test_the_direction_follows_from_value_and_expected_value(value, expected, tolerance, reason, direction):
    (part,) = contributors_of(
        [("a", "V")],
        np.array([1.0]),
        np.array([value]),
        np.array([expected]),
        tolerance=np.array([tolerance]),
        reasons=[reason],
    )

    assert (part.direction, part.reason) == (direction, reason)


def test_a_streams_look_has_tolerance_and_reason_where_they_are_given():
    events = StreamEvents(StreamSettings(id="pump1"), [("a", "V")], 8, ModelRef("m", "0"), lambda _: "id", 16.0)
    events.row(Row(1000.0, np.array([4.9])))
    row = (1.5, None, np.array([1.0]), np.array([4.9]), np.array([2.2]))

    assert events.look(*row).contributors == (Contributor("a", 1.0, 4.9, 2.2, "V", None, "above", None),)
    assert events.look(*row, tolerance=np.array([0.6]), reasons=["level"]).contributors == (
        Contributor("a", 1.0, 4.9, 2.2, "V", 0.6, "above", "level"),
    )
