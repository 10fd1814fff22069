"""The files against the network they came from, in the runtimes that are installed."""

import numpy as np
import pytest

from edge.detector.score.runtime import open_model
from train.export.lstm_nodes import trace
from train.export.weights import LstmWeights
from train.network.architecture import ARCHITECTURES, NetworkSettings, build_network, exporter, variants
from train.network.backend import keras, tf
from train.network.lstm_autoencoder import masked_squared_error
from train.network.variants import VARIANTS

SIZES = [
    NetworkSettings(*shape, architecture=architecture)
    for architecture in ARCHITECTURES
    for shape in [(12, 1, 8), (30, 8, 32), (13, 3, 5, 2), (2, 2, 4, 2, 0.3), (2, 2, 4)]
]

LONG = [
    NetworkSettings(window=50, channels=3, hidden=8),
    NetworkSettings(window=49, channels=2, hidden=5, layers=2),
    NetworkSettings(window=131, channels=1, hidden=4),
    NetworkSettings(window=3, channels=2, hidden=4),
    NetworkSettings(window=50, channels=3, hidden=8, architecture="lstm-forecaster"),
]


def network(settings: NetworkSettings) -> keras.Model:
    """Weights as large as training leaves them; far larger ones make the network chaotic, and rounding grows."""
    model = build_network(settings)
    random = np.random.default_rng(7)
    for variable in model.weights:
        inputs = max(1, int(np.prod(variable.shape[:-1])))
        # Convolutions have no tanh that would tame them.
        scale = 0.3 if "lstm" in settings.architecture else 1 / np.sqrt(inputs)
        variable.assign(random.normal(0, scale, variable.shape))
    return model


def windows(settings: NetworkSettings, count: int) -> np.ndarray:
    rows = np.random.default_rng(1).normal(0, 2, (count, settings.window, settings.channels))
    return np.clip(rows, -10, 10).astype(np.float32)


@pytest.mark.parametrize("settings", SIZES, ids=str)
def test_the_exported_float32_file_equals_keras(tmp_path, settings):
    model = network(settings)
    given = windows(settings, 40)
    file = tmp_path / "float32.tflite"
    file.write_bytes(exporter(model, settings)("float32", given))
    wanted = model.predict(given, verbose=0)

    for batch in (1, 8, 32):
        found = open_model(file, (batch,)).run(given)

        assert found.dtype == np.float32
        np.testing.assert_allclose(found, wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(("variant", "rmse"), [("dynamic", 0.03), ("int8", 0.2)])
def test_quantized_files_stay_near_keras(tmp_path, variant, rmse, architecture):
    settings = NetworkSettings(window=20, channels=4, hidden=24, architecture=architecture)
    model, given = network(settings), windows(settings, 64)
    file = tmp_path / f"{variant}.tflite"
    file.write_bytes(exporter(model, settings)(variant, given))

    found = open_model(file, (1, 8, 32)).run(given)

    assert np.sqrt(np.square(found - model.predict(given, verbose=0)).mean()) < rmse


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_files_keep_nothing_from_one_call_to_the_next(tmp_path, architecture):
    settings = NetworkSettings(window=8, channels=2, hidden=6, architecture=architecture)
    given = windows(settings, 2)
    export = exporter(network(settings), settings)
    for variant in VARIANTS:
        file = tmp_path / f"{variant}.tflite"
        file.write_bytes(export(variant, given))
        model = open_model(file)

        first, _, again = (model.run(given[number : number + 1]) for number in (0, 1, 0))

        np.testing.assert_array_equal(first, again)


def test_the_decoder_tells_the_newest_row_first():
    settings = NetworkSettings(window=6, channels=2, hidden=4)
    model = network(settings)
    last_of_decoder = keras.Model(model.inputs, model.get_layer("rows").output)
    given = windows(settings, 3)

    np.testing.assert_array_equal(last_of_decoder.predict(given, verbose=0)[:, ::-1], model.predict(given, verbose=0))


def test_the_forecaster_tells_each_row_from_those_before_it():
    settings = NetworkSettings(window=6, channels=2, hidden=4, architecture="lstm-forecaster")
    model, given = network(settings), windows(settings, 1)
    later = given.copy()
    later[0, 3:] += 1.0

    first, second = (model.predict(one, verbose=0)[0] for one in (given, later))

    np.testing.assert_array_equal(first[0], given[0, 0])
    np.testing.assert_array_equal(first[:4], second[:4])
    assert (np.abs(first[4:] - second[4:]) > 1e-4).all()


@pytest.mark.parametrize("channels", [1, 8])
def test_the_convolutional_code_is_narrower_than_a_window(channels):
    settings = NetworkSettings(window=30, channels=channels, hidden=32, architecture="conv-autoencoder")

    code = build_network(settings).get_layer("code").output

    assert np.prod(code.shape[1:]) < 0.4 * 30 * channels


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


@pytest.mark.parametrize("settings", LONG, ids=str)
def test_a_loop_equals_keras_too(tmp_path, settings):
    model, given = network(settings), windows(settings, 40)
    file = tmp_path / "loop.tflite"
    file.write_bytes(exporter(model, settings)("float32-loop", given))
    wanted = model.predict(given, verbose=0)

    for batch in (1, 8, 32):
        np.testing.assert_allclose(open_model(file, (batch,)).run(given), wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize("settings", LONG, ids=str)
def test_a_loop_rounds_as_the_unrolled_file_does(tmp_path, settings):
    given = windows(settings, 8)
    export = exporter(network(settings), settings)
    for name in ("int8", "int8-loop"):
        (tmp_path / name).write_bytes(export(name, given))

    unrolled, loop = (open_model(tmp_path / name).run(given) for name in ("int8", "int8-loop"))

    np.testing.assert_array_equal(loop, unrolled)


def test_int8_keeps_cells_that_add_up(tmp_path):
    """Forget gates wide open, as training leaves some of them: cells reach 20 and more."""
    settings = NetworkSettings(window=30, channels=4, hidden=16)
    model = network(settings)
    for name in ("encoder_0", "decoder_0"):
        kernel, recurrent, bias = model.get_layer(name).get_weights()
        bias[:16] += 3.0
        bias[16:32] += 4.0
        model.get_layer(name).set_weights([kernel, 0.3 * recurrent, bias])
    given = windows(settings, 64)
    file = tmp_path / "int8.tflite"
    file.write_bytes(exporter(model, settings)("int8", given))
    wanted = model.predict(given, verbose=0)

    found = open_model(file, (32,)).run(given)

    _, ranges = trace(LstmWeights(*model.get_layer("encoder_0").get_weights()), given)
    assert ranges.projected > 8
    assert np.sqrt(np.square(found - wanted).mean()) < 0.09 * wanted.std()  # with cells in 8 bits 0.13


def test_a_long_window_is_a_loop_in_every_variant():
    short, both, long = (NetworkSettings(window=rows, channels=1, hidden=4) for rows in (30, 60, 200))

    assert variants(short) == variants(long) == ("float32", "dynamic", "int8")
    assert variants(both) == ("float32", "dynamic", "int8", "float32-loop", "int8-loop")
    export = exporter(network(long), long)
    assert export("float32", windows(long, 2)) == export("float32-loop", windows(long, 2))
