"""When the rows of the last window were."""

import numpy as np

from edge.detector.events.stream import WindowTimes
from edge.detector.rows.row import Row
from edge.wire.events import WindowSpan


def after(times: list[float], length: int = 3, restart: int | None = None) -> WindowSpan | None:
    one = WindowTimes(length)
    for number, time in enumerate(times):
        one.add(Row(time, np.zeros(1), number == restart))
    return one.span()


def test_the_span_is_that_of_the_last_rows():
    assert after([float(time) for time in range(50)]) == WindowSpan(47.0, 49.0, 3)


def test_before_the_window_is_full_it_is_shorter():
    assert after([]) is None
    assert after([5.0]) == WindowSpan(5.0, 5.0, 1)


def test_a_window_does_not_reach_over_a_gap():
    assert after([1.0, 2.0, 100.0, 101.0], restart=2) == WindowSpan(100.0, 101.0, 2)
