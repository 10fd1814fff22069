import numpy as np

from train.fitting.contamination import LISTED, worst_stretches
from train.read.dataset import Run, Segment

WINDOW = 10


def listed(rows: np.ndarray, start: float = 0.0):
    """Worst stretches of rows that a network knows as 0 everywhere."""
    run = Run("pump", (Segment(start + np.arange(len(rows), dtype=float), rows),))
    return worst_stretches([run], [[rows]], ("a", "b"), WINDOW, np.zeros_like)


def noise(rows: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, (rows, 2))


def test_an_anomaly_among_the_training_rows_is_listed_first_with_its_channel():
    rows = noise(2000)
    rows[600:660, 1] += 2.0

    worst = listed(rows, start=1000.0)[0]

    assert 1585 <= worst.start <= 1605
    assert 1655 <= worst.end <= 1675
    assert (worst.run, worst.channel, worst.suspicious) == ("pump", "b", True)
    assert worst.times_median > 8


def test_hard_moments_that_come_again_and_again_are_listed_but_not_suspicious():
    rows = noise(2000)
    for start in range(100, 2000, 200):
        rows[start : start + 5, 0] += 2.0

    worst = listed(rows)

    assert len(worst) == LISTED
    assert not any(stretch.suspicious for stretch in worst)


def test_even_rows_have_nothing_to_list():
    assert listed(noise(2000)) == []


def test_missing_cells_are_no_error():
    rows = noise(500)
    rows[100:200] = np.nan

    assert listed(rows) == []
