"""What training found, as plain arrays."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LstmWeights:
    """One LSTM layer; gates in Keras' order: input, forget, candidate, output."""

    kernel: np.ndarray
    """(inputs, 4 * hidden)"""
    recurrent: np.ndarray
    """(hidden, 4 * hidden)"""
    bias: np.ndarray
    """(4 * hidden,)"""


@dataclass(frozen=True)
class NetworkWeights:
    """What training found, as plain arrays: all that the export graph is built from."""

    encoder: tuple[LstmWeights, ...]
    decoder: tuple[LstmWeights, ...]
    dense_kernel: np.ndarray
    """(hidden, channels)"""
    dense_bias: np.ndarray
    """(channels,)"""
