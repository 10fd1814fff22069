"""The architectures behind one contract: (batch, window, channels) in scaled units -> the same shape."""

from collections.abc import Callable
from dataclasses import dataclass

from edge.detector.bundle.manifest import ARCHITECTURES
from train.export.lstm import Export, lstm_autoencoder_export, lstm_variants
from train.network import conv_autoencoder, lstm_forecaster
from train.network.backend import keras
from train.network.lstm_autoencoder import NetworkSettings, build_lstm_autoencoder, network_weights
from train.network.variants import VARIANTS


@dataclass(frozen=True)
class Architecture:
    """How one is built to be trained, and written out to be exported."""

    build: Callable[[NetworkSettings], keras.Model]
    export: Callable[[keras.Model, NetworkSettings], Export]
    variants: Callable[[int], tuple[str, ...]]
    """Rows of a window to the variants worth having."""


def _export_autoencoder(model: keras.Model, settings: NetworkSettings) -> Export:
    return lstm_autoencoder_export(network_weights(model, settings.layers), settings.window)


_BUILT = (
    Architecture(build_lstm_autoencoder, _export_autoencoder, lstm_variants),
    Architecture(lstm_forecaster.build, lstm_forecaster.export, lstm_variants),
    Architecture(conv_autoencoder.build, conv_autoencoder.export, lambda _: VARIANTS),
)
BY_NAME = dict(zip(ARCHITECTURES, _BUILT, strict=True))


def build_network(settings: NetworkSettings) -> keras.Model:
    """An untrained network of the architecture that the settings name."""
    return BY_NAME[settings.architecture].build(settings)


def exporter(model: keras.Model, settings: NetworkSettings) -> Export:
    """Writes the trained network as a file, (batch, window, channels) float32; stateless, for any batch size."""
    return BY_NAME[settings.architecture].export(model, settings)


def variants(settings: NetworkSettings) -> tuple[str, ...]:
    """The variants worth having of such a network, float32 first."""
    return BY_NAME[settings.architecture].variants(settings.window)
