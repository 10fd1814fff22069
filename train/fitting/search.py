"""Settings of the network by trial: each is trained like the last one will be, and judged by unlabelled rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import optuna
from rich.console import Console
from rich.table import Table

from edge.detector.rows.season import Calendar
from train.console.terminal import echo
from train.console.words import number
from train.fitting.fit import FitSettings, Listener
from train.fitting.progress import show_progress
from train.fitting.window import telling_how_many
from train.network.scaling import fit_scaling
from train.network.training import train_network
from train.network.windows import WindowSet
from train.read.dataset import Run
from train.read.split import split_runs

_SLOWEST, _FASTEST = 1e-3, 2e-2
_MOST_DROPOUT = 0.3
_FULL_TRIES = 3
"""Settings that are trained to their end before any is given up for doing worse than the median."""
_LEAST_EPOCHS = 5


@dataclass(frozen=True)
class Tried:
    """One setting."""

    settings: FitSettings
    epochs: int
    loss: float
    """Lowest on the rows held out, squared z-units."""
    given_up: bool
    """Whether training was stopped because the loss lay above the median of the others."""


def search(runs: Sequence[Run], settings: FitSettings, tries: int, listener: Listener) -> list[Tried]:
    """Try `tries` settings, the given one first; the best is never worse than that.

    Hidden units, layers, dropout and learning rate, by a tree of Parzen estimators (Bergstra
    et al. 2011). Not the window and not the architecture: their losses do not compare. The
    seed of training is the search's as well.

    Raises:
        FitError: as `train.fitting.fit.fit`.
    """
    with telling_how_many(runs, settings.window, settings.calibration_part):
        split = split_runs([run for run in runs if run.rows], settings.calibration_part, settings.window)
    calendar = Calendar(settings.season, settings.timezone)
    scaling = fit_scaling(split, settings.channels, settings.scaler, calendar, 10 * settings.window)
    windows, held_out = (scaling.windows(part, settings.window) for part in (split.fit, split.held_out))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=settings.training.seed),
        pruner=optuna.pruners.MedianPruner(_FULL_TRIES, _LEAST_EPOCHS),
    )
    study.enqueue_trial(_values(settings))
    tried: list[Tried] = []
    for turn in range(tries):
        trial = study.ask()
        chosen = _chosen(trial, settings)
        listener.stage(f"training setting {turn + 1} of {tries}: {_told(chosen)}")
        tried.append(_try(study, trial, chosen, windows, held_out, listener))
    return tried


def searched(runs: Sequence[Run], settings: FitSettings, tries: int, console: Console) -> FitSettings:
    """The best of `tries` settings, printed with the others."""
    with show_progress(console, settings.training.epochs) as listener:
        tried = search(runs, settings, tries, listener)
    print_search(tried, console)
    return replace(best_of(tried).settings, tried=len(tried))


def best_of(tried: Sequence[Tried]) -> Tried:
    """The setting with the lowest loss, the earliest of several."""
    return min(tried, key=lambda one: one.loss)


def print_search(tried: Sequence[Tried], console: Console) -> None:
    """A line for each setting, the best one marked."""
    table = Table(title="Settings tried", title_justify="left")
    for name in ("", "hidden", "layers", "dropout", "learning rate", "epochs", "loss on held-out rows", ""):
        table.add_column(name, justify="left" if not name else "right")
    best = best_of(tried)
    for turn, one in enumerate(tried, 1):
        net, note = one.settings, "best" if one is best else "given up" if one.given_up else ""
        values = (net.hidden, net.layers, net.dropout, net.training.learning_rate, one.epochs, one.loss)
        table.add_row(str(turn), *(number(value) for value in values), note)
    console.print(table)
    echo(console, f"fitting the best of {len(tried)}: {_told(best.settings)}")


def _try(
    study: optuna.Study,
    trial: optuna.Trial,
    chosen: FitSettings,
    windows: WindowSet,
    held_out: WindowSet,
    listener: Listener,
) -> Tried:
    losses: list[float] = []

    def on_epoch(epoch: int, loss: float, held_out_loss: float) -> None:
        losses.append(held_out_loss)
        listener.epoch(epoch, loss, held_out_loss)
        trial.report(held_out_loss, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    given_up = not _trained(lambda: train_network(chosen.network, windows, held_out, chosen.training, on_epoch))
    # Of one given up Optuna takes the last loss that was reported.
    study.tell(trial, None if given_up else min(losses), optuna.trial.TrialState.PRUNED if given_up else None)
    return Tried(chosen, len(losses), min(losses), given_up)


def _trained(train: Callable[[], object]) -> bool:
    try:
        train()
    except optuna.TrialPruned:
        return False
    return True


def _values(settings: FitSettings) -> dict[str, object]:
    return {
        "hidden": settings.hidden,
        "layers": settings.layers,
        "dropout": settings.dropout,
        "learning_rate": settings.training.learning_rate,
    }


def _chosen(trial: optuna.Trial, settings: FitSettings) -> FitSettings:
    """Units are at most doubled: the larger the network the lower its loss, and the more it costs on the device."""
    hidden = sorted({max(1, settings.hidden // 4), max(1, settings.hidden // 2), settings.hidden, 2 * settings.hidden})
    rate = settings.training.learning_rate
    return replace(
        settings,
        hidden=trial.suggest_categorical("hidden", hidden),
        layers=trial.suggest_int("layers", 1, 2),
        dropout=trial.suggest_float("dropout", 0.0, max(_MOST_DROPOUT, settings.dropout)),
        training=replace(
            settings.training,
            learning_rate=trial.suggest_float("learning_rate", min(_SLOWEST, rate), max(_FASTEST, rate), log=True),
        ),
    )


def _told(settings: FitSettings) -> str:
    return (
        f"hidden {settings.hidden}, layers {settings.layers}, dropout {number(settings.dropout)}, "
        f"learning rate {number(settings.training.learning_rate)}"
    )
