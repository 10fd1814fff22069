"""The files against the network they came from, in the runtimes that are installed."""

import numpy as np
import pytest

from edge.detector.runtime import open_model
from train.backend import keras, tf
from train.export import export_graph
from train.network import NetworkSettings, build_network, masked_squared_error, network_weights
from train.variants import VARIANTS, convert

SIZES = [
    NetworkSettings(window=12, channels=1, hidden=8),
    NetworkSettings(window=30, channels=8, hidden=32),
    NetworkSettings(window=9, channels=3, hidden=5, layers=2),
    NetworkSettings(window=2, channels=2, hidden=4, layers=2, dropout=0.3),
]


def network(settings: NetworkSettings) -> keras.Model:
    """Weights as large as training leaves them; far larger ones make the network chaotic, and rounding grows."""
    model = build_network(settings)
    random = np.random.default_rng(7)
    for variable in model.weights:
        variable.assign(random.normal(0, 0.3, variable.shape))
    return model


def windows(settings: NetworkSettings, count: int) -> np.ndarray:
    rows = np.random.default_rng(1).normal(0, 2, (count, settings.window, settings.channels))
    return np.clip(rows, -10, 10).astype(np.float32)


@pytest.mark.parametrize("settings", SIZES, ids=str)
def test_the_exported_float32_file_equals_keras(tmp_path, settings):
    model = network(settings)
    given = windows(settings, 40)
    file = tmp_path / "float32.tflite"
    file.write_bytes(convert(export_graph(network_weights(model, settings.layers), settings), "float32", given))
    wanted = model.predict(given, verbose=0)

    for batch in (1, 8, 32):
        found = open_model(file, (batch,)).run(given)

        assert found.dtype == np.float32
        np.testing.assert_allclose(found, wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("variant", "rmse"), [("dynamic", 0.03), ("int8", 0.2)])
def test_quantized_files_stay_near_keras(tmp_path, variant, rmse):
    settings = NetworkSettings(window=20, channels=4, hidden=24)
    model, given = network(settings), windows(settings, 64)
    file = tmp_path / f"{variant}.tflite"
    file.write_bytes(convert(export_graph(network_weights(model, 1), settings), variant, given))

    found = open_model(file, (1, 8, 32)).run(given)

    assert np.sqrt(np.square(found - model.predict(given, verbose=0)).mean()) < rmse


def test_the_files_keep_nothing_from_one_call_to_the_next(tmp_path):
    settings = NetworkSettings(window=8, channels=2, hidden=6)
    given = windows(settings, 2)
    graph = export_graph(network_weights(network(settings), 1), settings)
    for variant in VARIANTS:
        file = tmp_path / f"{variant}.tflite"
        file.write_bytes(convert(graph, variant, given))
        model = open_model(file)

        first, _, again = (model.run(given[number : number + 1]) for number in (0, 1, 0))

        np.testing.assert_array_equal(first, again)


def test_the_decoder_tells_the_newest_row_first():
    settings = NetworkSettings(window=6, channels=2, hidden=4)
    model = network(settings)
    last_of_decoder = keras.Model(model.inputs, model.get_layer("rows").output)
    given = windows(settings, 3)

    np.testing.assert_array_equal(last_of_decoder.predict(given, verbose=0)[:, ::-1], model.predict(given, verbose=0))


def test_missing_cells_carry_no_loss_and_no_gradient():
    wanted = np.array([[[1.0, np.nan], [3.0, 0.0]]], np.float32)
    found = keras.Variable([[[0.0, 9.0], [3.0, 2.0]]])

    with tf.GradientTape() as tape:
        loss = masked_squared_error(tf.constant(wanted), found.value)
    gradient = tape.gradient(loss, found.value).numpy()

    assert float(loss) == pytest.approx((1 + 0 + 4) / 3)
    np.testing.assert_allclose(gradient, [[[-2 / 3, 0], [0, 4 / 3]]], atol=1e-6)


def test_a_window_with_nothing_in_it_has_no_loss():
    assert float(masked_squared_error(np.full((1, 2, 2), np.nan, np.float32), np.ones((1, 2, 2), np.float32))) == 0.0
