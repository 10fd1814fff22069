"""The networks that runtimes are compared on: the same weights for every runtime, and what they must give."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Size:
    """An LSTM autoencoder by its size."""

    window: int
    channels: int
    hidden: int

    @property
    def name(self) -> str:
        """As in file names and tables."""
        return f"{self.window}x{self.channels}x{self.hidden}"


SIZES = (Size(60, 4, 32), Size(60, 8, 64), Size(336, 1, 64), Size(30, 8, 16))
BATCHES = (1, 8, 32)
WITHIN = {"float32": 1e-5, "dynamic": 0.15, "int8": 0.3}
"""Error up to which a file may be measured: for quantized ones the parity bound that a bundle's variants have."""


def within(kind: str) -> float:
    """The bound for a kind of file: `int8-loop`, `ort-dynamic`."""
    return next(bound for precision, bound in WITHIN.items() if precision in kind)


def sizes(names: str) -> tuple[Size, ...]:
    """Those that `60x8x64,30x8x16` names, all where it is empty.

    >>> sizes("30x8x16")
    (Size(window=30, channels=8, hidden=16),)
    """
    return tuple(size for size in SIZES if not names or size.name in names.split(","))


def arrays(folder: Path, size: Size) -> dict[str, np.ndarray]:
    """Weights, `windows` (32, window, channels) and what Keras makes of them (`wanted`); from `model_files`."""
    with np.load(folder / f"{size.name}.npz") as saved:
        return dict(saved)


def error(found: np.ndarray, wanted: np.ndarray) -> float:
    """RMSE over the spread of what is wanted, a flat output counting as one of 0.1, as in `train.fitting.parity`."""
    return float(np.sqrt(np.square(found - wanted).mean()) / max(wanted.std(), 0.1))
