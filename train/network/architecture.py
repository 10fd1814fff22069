"""The architectures by name, behind one contract: (batch, window, channels) in scaled units -> the same shape.

To add one: a file in this folder with `build`, `export` and `variants`, and a line in `ARCHITECTURES`.
tests/train/export/test_export.py fails until its files equal what was trained.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from train.export.lstm import Export
    from train.network.backend import keras


@dataclass(frozen=True)
class Registered:
    """An architecture: window minus output are its residuals."""

    module: str
    """Has the functions of `Architecture`; imported when it is used, since it loads tensorflow."""
    signed: bool = False
    """Whether residuals are prediction errors, so that which way they go says something."""


ARCHITECTURES: Mapping[str, Registered] = {
    "lstm-autoencoder": Registered("train.network.lstm_autoencoder"),
    "lstm-forecaster": Registered("train.network.lstm_forecaster", signed=True),
    "conv-autoencoder": Registered("train.network.conv_autoencoder"),
}
DEFAULT = "lstm-autoencoder"


@dataclass(frozen=True)
class NetworkSettings:
    """Size and shape of the network."""

    window: int
    """Rows in a window."""
    channels: int
    hidden: int = 32
    """Units in each LSTM, filters in each convolution; an LSTM decoder starts from a code of as many numbers."""
    layers: int = 1
    """LSTM layers each way, 1 or 2; convolutions halve the rows once more than that."""
    dropout: float = 0.0
    """Part of the code (and of the rows between two layers) left out at random while training, 0 to below 1."""
    architecture: str = DEFAULT
    """One of `ARCHITECTURES`."""


class Architecture(Protocol):
    """How one is built to be trained, and written out for the device."""

    def build(self, settings: NetworkSettings) -> "keras.Model":
        """An untrained network, (batch, window, channels) -> the same shape, in scaled units."""

    def export(self, model: "keras.Model", settings: NetworkSettings) -> "Export":
        """Writes the trained network as a file, (batch, window, channels) float32; stateless, for any batch size."""

    def variants(self, window: int) -> tuple[str, ...]:
        """The variants worth having for windows of so many rows, float32 first."""


def build_network(settings: NetworkSettings) -> "keras.Model":
    """An untrained network of the architecture that the settings name."""
    return _named(settings.architecture).build(settings)


def exporter(model: "keras.Model", settings: NetworkSettings) -> "Export":
    """Writes the trained network as a file; see `Architecture.export`."""
    return _named(settings.architecture).export(model, settings)


def variants(settings: NetworkSettings) -> tuple[str, ...]:
    """The variants worth having of such a network, float32 first."""
    return _named(settings.architecture).variants(settings.window)


def _named(name: str) -> Architecture:
    return cast(Architecture, cast(Any, import_module(ARCHITECTURES[name].module)))
