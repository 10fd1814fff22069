"""The ring buffer: what comes out are the sliding windows of what went in, exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detector.score.ring import RingBuffer
from train.read.dataset import sliding_windows

ONE = np.array([0])


def windows_of(rows: np.ndarray, length: int) -> np.ndarray:
    """All windows that one stream's ring gives, row by row."""
    ring = RingBuffer(1, length, rows.shape[1], rows.dtype.type)
    found = []
    for row in rows:
        ring.append(ONE, row[None])
        if ring.full(ONE)[0]:
            found.append(ring.windows(ONE)[0])
    return np.array(found).reshape(-1, length, rows.shape[1])


@given(st.integers(1, 12), st.integers(0, 60), st.integers(1, 4))
def test_the_windows_are_those_of_training_bit_for_bit(length, count, channels):
    rows = np.random.default_rng(count).normal(size=(count, channels)).astype(np.float32)

    assert (windows_of(rows, length) == sliding_windows(rows, length, 1)).all()
    assert len(windows_of(rows, length)) == max(0, count - length + 1)


@given(
    st.integers(1, 6),
    st.lists(st.tuples(st.sets(st.integers(0, 3), min_size=1), st.sets(st.integers(0, 3), max_size=1)), max_size=40),
)
def test_streams_that_fill_and_start_over_apart_do_not_touch_each_other(length, steps):
    ring = RingBuffer(4, length, 2)
    rows: list[list[np.ndarray]] = [[] for _ in range(4)]
    for number, (appended, cleared) in enumerate(steps):
        ring.clear(np.array(sorted(cleared), np.intp))
        for stream in cleared:
            rows[stream].clear()
        streams = np.array(sorted(appended))
        new = np.array([[number, stream] for stream in streams], np.float32)
        ring.append(streams, new)
        for stream, row in zip(streams, new, strict=True):
            rows[stream].append(row)

    for stream, kept in enumerate(rows):
        assert ring.filled[stream] == min(len(kept), length)
        assert ring.full(np.array([stream]))[0] == (len(kept) >= length)
        if len(kept) >= length:
            assert (ring.windows(np.array([stream]))[0] == kept[-length:]).all()


def test_a_window_handed_out_does_not_change_when_rows_follow():
    ring = RingBuffer(1, 2, 1)
    for value in (1.0, 2.0):
        ring.append(ONE, np.array([[value]]))
    window = ring.windows(ONE)
    for value in (3.0, 4.0, 5.0):
        ring.append(ONE, np.array([[value]]))

    assert window.ravel().tolist() == [1.0, 2.0]
    assert window.flags.writeable
    assert window.flags.c_contiguous


def test_a_ring_taken_over_goes_on_as_the_other_one():
    one, other = RingBuffer(2, 3, 1), RingBuffer(1, 3, 1)
    for value in range(5):
        other.append(ONE, np.array([[value]]))

    one.copy_from(1, other)
    one.append(np.array([1]), np.array([[9.0]]))

    assert one.windows(np.array([1])).ravel().tolist() == [3.0, 4.0, 9.0]
    assert one.filled.tolist() == [0, 3]


@pytest.mark.parametrize("dtype", [bool, np.float32, np.float64])
def test_rows_keep_their_type(dtype):
    ring = RingBuffer(1, 1, 1, dtype)
    ring.append(ONE, np.array([[1]]))

    assert ring.windows(ONE).dtype == dtype
