"""Remembered windows: which are kept, how far a window is from them, how they are written."""

import json

import numpy as np
import pytest

from edge.detector.bundle.memory import NEAREST, WINDOWS, Memory, memory_from_dict, remember

ROWS, CHANNELS = 5, 3


def noise(*size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=size).astype(np.float32)


def by_hand(memory: Memory, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances as their definition says, one by one, in float64."""
    kept = memory.windows.astype(float).reshape(-1, ROWS, CHANNELS)
    far, parts = [], []
    for window in windows.astype(float):
        off = [((window - one) ** 2).sum() ** 0.5 for one in kept]
        far.append(np.mean(sorted(off)[:NEAREST]))
        parts.append(((window - kept[int(np.argmin(off))]) ** 2).sum(axis=0))
    return np.array(far), np.array(parts)


@pytest.mark.parametrize("kept", [1, 2, 3, 50, WINDOWS])
@pytest.mark.parametrize("asked", [1, 64, 65, 200])
def test_distances_are_those_to_the_three_nearest(kept, asked):
    memory = Memory(noise(kept, ROWS * CHANNELS), ROWS)
    windows = noise(asked, ROWS, CHANNELS, seed=1)

    far, parts = memory.distances(windows)

    wanted = by_hand(memory, windows)
    np.testing.assert_allclose(far, wanted[0], rtol=1e-5)
    np.testing.assert_allclose(parts, wanted[1], rtol=1e-3)


def test_a_window_that_is_remembered_is_at_no_distance_from_itself():
    memory = Memory(np.repeat(noise(1, ROWS * CHANNELS), 3, axis=0), ROWS)

    far, parts = memory.distances(memory.windows[:1].reshape(1, ROWS, CHANNELS))

    assert far == pytest.approx(0.0, abs=5e-3)
    assert parts.tolist() == [[0.0] * CHANNELS]


def test_a_memory_is_written_to_a_hundredth_and_read():
    memory = Memory(4 * noise(20, ROWS * CHANNELS), ROWS)
    body = json.loads(json.dumps(memory.to_dict()))

    again = memory_from_dict(body, CHANNELS)

    np.testing.assert_allclose(again.windows, memory.windows, atol=0.00501)
    assert again.rows == ROWS
    assert again.to_dict() == body, "what was read once stays so"


def test_readings_at_the_clip_can_be_stored():
    memory = Memory(np.full((1, ROWS * CHANNELS), 60.0, np.float32), ROWS)

    assert memory_from_dict(memory.to_dict(), CHANNELS).windows == pytest.approx(60.0)


@pytest.mark.parametrize(
    "change",
    [
        {"windows": 0},
        {"windows": 3},
        {"windows": WINDOWS + 1},
        {"window": ROWS + 1},
        {"values": "not base 64!"},
        {"values": ""},
        {"values": None},
        {"windows": None},
    ],
)
def test_a_malformed_memory_is_refused(change):
    body = Memory(noise(2, ROWS * CHANNELS), ROWS).to_dict()

    with pytest.raises((KeyError, TypeError, ValueError)):
        memory_from_dict({**body, **change}, CHANNELS)
    with pytest.raises(KeyError):
        memory_from_dict({name: body[name] for name in body if name not in change}, CHANNELS)


@pytest.mark.parametrize(("rows", "kept"), [(ROWS, 1), (ROWS + 9, 10), (2000, WINDOWS)])
def test_windows_are_kept_evenly_from_all_rows(rows, kept):
    segment = np.repeat(np.arange(rows, dtype=float)[:, None], CHANNELS, axis=1)

    memory = remember([segment], ROWS)

    firsts = memory.windows[:, 0]
    assert len(firsts) == kept
    assert (firsts[0], firsts[-1]) == (0, rows - ROWS)
    assert np.ptp(np.diff(firsts)) <= 1 if kept > 1 else True
    assert memory.windows[0].reshape(ROWS, CHANNELS).tolist() == segment[:ROWS].tolist()


def test_no_window_reaches_over_the_edge_of_two_segments():
    memory = remember([np.zeros((7, CHANNELS)), np.ones((7, CHANNELS)), np.full((4, CHANNELS), 9.0)], ROWS)

    assert sorted(set(map(tuple, memory.windows.tolist()))) == [(0.0,) * 15, (1.0,) * 15]


def test_nothing_is_remembered_of_less_than_a_window():
    assert remember([np.zeros((ROWS - 1, CHANNELS))] * 3, ROWS) is None
    assert remember([], ROWS) is None
