"""Writes our model files of every size, and their weights for others: `python -m tests.bench.model_files FOLDER`.

Weights are drawn as large as training leaves them. Files of one size hold the same network.
"""

import sys
from pathlib import Path

import numpy as np

from tests.bench.sizes import BATCHES, SIZES, Size
from train.export.lstm import lstm_autoencoder_export, lstm_variants
from train.export.weights import NetworkWeights
from train.network.architecture import NetworkSettings
from train.network.backend import keras
from train.network.lstm_autoencoder import build, network_weights


def network(size: Size) -> keras.Model:
    """The network in Keras, with random weights that repeat."""
    model = build(NetworkSettings(size.window, size.channels, size.hidden))
    random = np.random.default_rng(size.window)
    for variable in model.weights:
        scale = 1.0 / np.sqrt(variable.shape[0]) if len(variable.shape) > 1 else 0.1
        variable.assign(random.normal(0, scale, variable.shape))
    return model


def windows(size: Size) -> np.ndarray:
    """(32, window, channels) in z-units: a walk around 0 with noise."""
    random = np.random.default_rng(1)
    steps = random.normal(0, 1, (max(BATCHES), size.window, size.channels))
    return (steps.cumsum(axis=1) / np.sqrt(size.window) + 0.3 * steps).astype(np.float32)


def named(weights: NetworkWeights) -> dict[str, np.ndarray]:
    """A one-layer network's weights by name, as `arrays` gives them."""
    (encoder,), (decoder,) = weights.encoder, weights.decoder
    parts = {f"{name}_{part}": getattr(layer, part) for name, layer in (("encoder", encoder), ("decoder", decoder))
             for part in ("kernel", "recurrent", "bias")}  # fmt: skip
    return {**parts, "dense_kernel": weights.dense_kernel, "dense_bias": weights.dense_bias}


def write(folder: Path, size: Size) -> None:
    """`<size>.npz` and `<size>_<variant>.tflite`."""
    model, given = network(size), windows(size)
    weights = network_weights(model, 1)
    wanted = model.predict(given, verbose=0)
    np.savez(folder / f"{size.name}.npz", windows=given, wanted=wanted, **named(weights))  # type: ignore[arg-type]
    export = lstm_autoencoder_export(weights, size.window)
    for variant in lstm_variants(size.window):
        (folder / f"{size.name}_{variant}.tflite").write_bytes(export(variant, given))


if __name__ == "__main__":
    for one in SIZES:
        write(Path(sys.argv[1]), one)
