import numpy as np
import pytest

from edge.detector.bundle.scaler import fit_scaler
from train.network.architecture import NetworkSettings
from train.network.training import TrainingSettings, train_network
from train.network.windows import WindowSet, filled, window_set

SHAPE = NetworkSettings(window=8, channels=2, hidden=6)


def waves(rows: int, start: int = 0) -> np.ndarray:
    phase = (start + np.arange(rows)) / 5
    values = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    return fit_scaler(values, "standard").transform(values)


def trained(seed: int, epochs: int, rows: np.ndarray | None = None):
    told: list[tuple[int, float, float]] = []
    windows = window_set([waves(400) if rows is None else rows], 8)
    result = train_network(
        SHAPE,
        windows,
        window_set([waves(100, 400)], 8),
        TrainingSettings(epochs=epochs, seed=seed),
        lambda *told_: told.append(told_),
    )
    return result, told


def test_training_learns_and_tells_each_epoch():
    result, told = trained(seed=0, epochs=12)

    assert result.held_out_losses[result.best_epoch] < 0.7 * result.held_out_losses[0]
    assert told == [
        (epoch, *losses) for epoch, losses in enumerate(zip(result.losses, result.held_out_losses, strict=True))
    ]


def test_missing_cells_do_not_stop_training():
    rows = waves(400)
    rows[50:120, 0] = np.nan

    result, _ = trained(seed=0, epochs=1, rows=rows)

    assert np.isfinite(result.losses).all()
    assert all(np.isfinite(weights).all() for weights in result.model.get_weights())


def test_no_window_reaches_from_one_segment_into_the_next():
    segments = [np.arange(5.0)[:, None], np.arange(10.0, 12)[:, None], np.arange(20.0, 24)[:, None]]

    windows = window_set(segments, 3)

    assert windows.take(slice(None))[:, :, 0].tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4], [20, 21, 22], [21, 22, 23]]


def test_windows_may_be_taken_at_a_stride_and_missing_values_filled():
    windows = WindowSet(np.array([[np.nan], [1.0], [2.0]], np.float32), np.array([0, 1]), 2)

    assert filled(windows.take(np.array([1, 0])))[:, :, 0].tolist() == [[1, 2], [0, 1]]
    assert len(window_set([np.zeros((10, 1))], 4, stride=3)) == 3
    assert len(window_set([np.zeros((3, 1))], 4)) == 0


@pytest.mark.parametrize("count", [1, 300])
def test_any_number_of_windows_can_be_trained_on(count):
    result, _ = trained(seed=0, epochs=1, rows=waves(count + 7))

    assert len(result.losses) == 1
