"""What LSTM layers meet on given windows, in NumPy: the ranges that 8 bits are spread over."""

import numpy as np

from train.export.lstm_nodes import Ranges
from train.export.weights import LstmWeights


def trace(layer: LstmWeights, rows: np.ndarray) -> tuple[np.ndarray, Ranges]:
    """(n, steps, inputs) -> the states (n, steps, hidden), and the ranges with the candidate gate doubled."""
    hidden = layer.recurrent.shape[0]
    doubled = np.repeat([1.0, 1.0, 2.0, 1.0], hidden)
    projected = rows @ layer.kernel + layer.bias
    state = cell = np.zeros((len(rows), hidden))
    states, largest = np.empty((*rows.shape[:2], hidden)), 0.0
    for number in range(rows.shape[1]):
        product = state @ layer.recurrent
        largest = max(largest, float(np.abs(product * doubled).max()))
        into, forget, candidate, out = np.split(projected[:, number] + product, 4, axis=-1)
        cell = _sigmoid(forget) * cell + _sigmoid(into) * np.tanh(candidate)
        state = _sigmoid(out) * np.tanh(cell)
        states[:, number] = state
    return states, Ranges(float(np.abs(projected * doubled).max()), largest)


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * values)
