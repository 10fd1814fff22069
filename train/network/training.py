"""Trains the network on windows of normal rows: Adam, early stopping on a tail that is later in time."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from train.network.architecture import NetworkSettings, build_network
from train.network.backend import keras
from train.network.lstm_autoencoder import masked_squared_error
from train.network.windows import WindowSet, filled

BATCH = 128
"""Windows a step; docs/decisions/012-training-settings.md."""
LEARNING_RATE = 1e-2
_LEAST_STEPS = 16
"""Steps in an epoch at least: of few windows each comes round several times, or 40 epochs would teach nothing."""
_CLIP_NORM = 1.0
_HELD_OUT_WINDOWS = 1024
"""Validation windows at most, evenly spread: more change the loss by less than its noise from epoch to epoch."""


@dataclass(frozen=True)
class TrainingSettings:
    """How long to train."""

    epochs: int = 40
    """Epochs at most."""
    windows_per_epoch: int = 4096
    """Neighbouring windows hardly differ: an epoch takes so many at random, and all come round in turn."""
    patience: int = 8
    """Epochs without a better validation loss after which training stops."""
    seed: int = 0
    learning_rate: float = LEARNING_RATE
    """At the start; it falls where the validation loss stands still."""


@dataclass(frozen=True)
class Trained:
    """A trained network with its history; losses are mean squared errors in squared z-units."""

    model: keras.Model
    losses: tuple[float, ...]
    """Per epoch, on the windows trained on."""
    held_out_losses: tuple[float, ...]
    """Per epoch, on the validation tail."""
    best_epoch: int
    """Counted from 0; the weights are this epoch's."""
    seconds: float


def train_network(
    shape: NetworkSettings,
    windows: WindowSet,
    held_out: WindowSet,
    settings: TrainingSettings,
    on_epoch: Callable[[int, float, float], None],
) -> Trained:
    """Train on `windows`, stop by `held_out`; the same seed gives the same weights.

    `on_epoch` is told epoch, loss and held-out loss.
    """
    start = time.monotonic()
    keras.utils.set_random_seed(settings.seed)
    model = build_network(shape)
    model.compile(keras.optimizers.Adam(settings.learning_rate, clipnorm=_CLIP_NORM), masked_squared_error)
    tail = held_out.take(np.linspace(0, len(held_out) - 1, min(len(held_out), _HELD_OUT_WINDOWS)).astype(int))
    history = model.fit(
        _Batches(windows, settings),
        validation_data=(filled(tail), tail),
        validation_batch_size=512,
        epochs=settings.epochs,
        callbacks=_callbacks(settings, on_epoch),
        shuffle=False,
        verbose=0,
    ).history
    return Trained(
        model=model,
        losses=tuple(history["loss"]),
        held_out_losses=tuple(history["val_loss"]),
        best_epoch=int(np.argmin(history["val_loss"])),
        seconds=time.monotonic() - start,
    )


def _callbacks(
    settings: TrainingSettings, on_epoch: Callable[[int, float, float], None]
) -> list[keras.callbacks.Callback]:
    """Report each epoch, stop where the held-out loss does, and slow down before."""
    return [
        keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: on_epoch(epoch, logs["loss"], logs["val_loss"])
        ),
        keras.callbacks.EarlyStopping(
            monitor="val_loss", patience=settings.patience, restore_best_weights=True, start_from_epoch=0
        ),
        keras.callbacks.ReduceLROnPlateau(
            monitor="val_loss", factor=0.4, patience=max(1, settings.patience // 3), min_lr=settings.learning_rate / 50
        ),
    ]


class _Batches(keras.utils.PyDataset):
    """Batches of (filled windows, windows with NaN), in an order drawn anew for each pass over all windows."""

    def __init__(self, windows: WindowSet, settings: TrainingSettings) -> None:
        super().__init__()
        self._windows = windows
        self._batch = min(BATCH, len(windows))
        self._count = max(_LEAST_STEPS, min(settings.windows_per_epoch, len(windows)) // self._batch)
        self._random = np.random.default_rng(settings.seed)
        self._order = np.empty(0, np.intp)
        self.on_epoch_end()

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self._order[number * self._batch : (number + 1) * self._batch]
        windows = self._windows.take(chosen)
        return filled(windows), windows

    def on_epoch_end(self) -> None:
        """Go on in the order; draw the rest of a new one where it does not last."""
        wanted = self._count * self._batch
        self._order = self._order[wanted:]
        for _ in range(math.ceil((wanted - len(self._order)) / len(self._windows))):
            self._order = np.concatenate([self._order, self._random.permutation(len(self._windows))])
