"""The architectures behind one contract: (batch, window, channels) in scaled units -> the same shape."""

from collections.abc import Callable
from dataclasses import dataclass

from edge.detector.manifest import ARCHITECTURES
from train import conv_autoencoder, lstm_forecaster
from train.backend import keras, tf
from train.export import lstm_autoencoder_graph
from train.network import NetworkSettings, build_lstm_autoencoder, network_weights

Graph = Callable[[tf.Tensor], tf.Tensor]
"""A window to what the network makes of it, written out by hand from trained weights."""


@dataclass(frozen=True)
class Architecture:
    """How one is built to be trained, and written out to be exported."""

    build: Callable[[NetworkSettings], keras.Model]
    graph: Callable[[keras.Model, NetworkSettings], Graph]


_BUILT = (
    Architecture(
        build_lstm_autoencoder, lambda model, settings: lstm_autoencoder_graph(network_weights(model, settings.layers))
    ),
    Architecture(lstm_forecaster.build, lstm_forecaster.graph),
    Architecture(conv_autoencoder.build, conv_autoencoder.graph),
)
BY_NAME = dict(zip(ARCHITECTURES, _BUILT, strict=True))


def build_network(settings: NetworkSettings) -> keras.Model:
    """An untrained network of the architecture that the settings name."""
    return BY_NAME[settings.architecture].build(settings)


def export_graph(model: keras.Model, settings: NetworkSettings) -> tf.types.experimental.ConcreteFunction:
    """The trained network as a function of (batch, window, channels) float32; stateless, for any batch size."""
    signature = tf.TensorSpec((None, settings.window, settings.channels), tf.float32, name="window")
    graph = BY_NAME[settings.architecture].graph(model, settings)

    @tf.function(input_signature=[signature])
    def network(window: tf.Tensor) -> tf.Tensor:
        return graph(window)

    return network.get_concrete_function()
