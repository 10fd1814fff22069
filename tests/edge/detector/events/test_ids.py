"""Ids of episodes: version 7 UUIDs, ordered by time."""

import os
import uuid

from hypothesis import given
from hypothesis import strategies as st

from edge.detector.events.episode import episode_id


@given(st.floats(-1e12, 1e12), st.binary(min_size=10, max_size=16))
def test_any_time_gives_a_version_7_uuid(time, entropy):
    made = uuid.UUID(episode_id(time, entropy))

    assert (made.version, made.variant) == (7, uuid.RFC_4122)


@given(st.lists(st.integers(0, 4 * 10**12), unique=True, max_size=10))
def test_ids_sort_as_their_times_do(milliseconds):
    ids = [episode_id(time / 1000, os.urandom(10)) for time in sorted(milliseconds)]

    assert ids == sorted(ids)


def test_the_time_can_be_read_back():
    made = uuid.UUID(episode_id(1_763_772_000.123, b"\xff" * 10))

    assert made.int >> 80 == 1_763_772_000_123
