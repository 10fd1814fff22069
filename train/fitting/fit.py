"""From runs of normal rows to a calibrated bundle: split, scale, train, export, compare, calibrate, write."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from edge.detector.bundle.calibration import Calibration
from edge.detector.bundle.files import Bundle, write_bundle
from edge.detector.bundle.peaks import Peaks
from edge.detector.bundle.scaler import Scaler
from edge.detector.members.threshold import PEAKS, Threshold
from edge.detector.members.tuning import DEFAULT
from edge.detector.rows.season import Calendar
from edge.detector.score.calibrations import Shape
from edge.detector.score.runtime import available_runtimes, open_model
from train.console.errors import FitError
from train.console.quiet import quiet_native_output
from train.fitting.calibrated import ScoredRows, agreement, calibrate_variants, correlation
from train.fitting.contamination import WorstStretch, worst_stretches
from train.fitting.fleet import fleet
from train.fitting.manifest import manifest
from train.fitting.parity import PARITY_WINDOWS, Parity, compare
from train.fitting.probe import BATCHES
from train.fitting.second import SecondModels, second_split
from train.fitting.trials import Interpreter
from train.fitting.window import telling_how_many
from train.network import architecture as architectures
from train.network.scaling import Scaling, fit_scaling
from train.network.training import Trained, TrainingSettings, train_network
from train.network.variants import representative
from train.network.windows import filled
from train.read.dataset import Run
from train.read.split import Split, split_runs


@dataclass(frozen=True)
class FitSettings:
    """What the user chose for a bundle."""

    name: str
    channels: tuple[str, ...]
    period_s: float
    window: int = 30
    """Rows in a window."""
    stride: int = 1
    """Rows between two inferences on the device."""
    architecture: str = architectures.DEFAULT
    hidden: int = 32
    layers: int = 1
    dropout: float = 0.0
    scaler: str = "robust"
    season: str | None = None
    timezone: str = "UTC"
    units: Mapping[str, str] = field(default_factory=dict)
    """Channel to its unit, for messages only; of a rate that of the rate."""
    rates: tuple[str, ...] = ()
    """Channels that the device is sent as counters; in the runs they are rates already."""
    missing: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Channel to readings that the device takes for none; in the runs they are missing already."""
    hold_s: float | None = None
    """How long a value stands until the next one, seconds, as the runs were made; None for the aligner's default."""
    threshold: Threshold = PEAKS
    """How the alarm level is taken from the rows to calibrate on."""
    calibration_part: float = 0.25
    """Part of the rows kept from training, to calibrate on."""
    training: TrainingSettings = field(default_factory=TrainingSettings)
    tried: int = 1
    """Settings that were tried to find these."""

    @property
    def network(self) -> architectures.NetworkSettings:
        """Size and shape of the network."""
        channels = len(self.channels)
        return architectures.NetworkSettings(
            self.window, channels, self.hidden, self.layers, self.dropout, self.architecture
        )


@dataclass(frozen=True)
class Listener:
    """Who is told how far it is."""

    stage: Callable[[str], None]
    epoch: Callable[[int, float, float], None]
    """Epoch counted from 0, loss, loss on the held-out tail."""


@dataclass(frozen=True)
class FitResult:
    """All that fitting found, for the report."""

    settings: FitSettings
    bundle: Bundle
    split: Split
    scaler: Scaler
    max_drift: np.ndarray
    """(channels,) how far a baseline may drift, in the channels' units."""
    trained: Trained
    parity: tuple[Parity, ...]
    score_correlation: Mapping[str, float]
    """Variant to the correlation of its scores with float32's."""
    worst: tuple[WorstStretch, ...]
    windows: np.ndarray
    """(n, window, channels) windows of the calibration rows, scaled, relative to their baseline; NaN where missing."""
    reconstructions: np.ndarray
    """What the network makes of them."""
    calibrations: Mapping[str, Calibration]
    scored: Mapping[str, ScoredRows]
    """Variant to its scores on the calibration rows."""
    second: SecondModels | None
    """A second network, which taught limits, too, where rows were few."""


def fit(
    runs: Sequence[Run],
    settings: FitSettings,
    out: Path,
    interpreters: Sequence[Interpreter],
    listener: Listener,
    variants: Sequence[str] | None = None,
) -> FitResult:
    """Fit a bundle on normal rows into the folder `out`; `variants` hold float32, None takes those worth having.

    Raises:
        FitError: too few rows, a channel without values, or no variant that runs here.
    """
    with telling_how_many(runs, settings.window, settings.calibration_part):
        return _fit(runs, settings, out, interpreters, listener, variants)


def _fit(
    runs: Sequence[Run],
    settings: FitSettings,
    out: Path,
    interpreters: Sequence[Interpreter],
    listener: Listener,
    variants: Sequence[str] | None,
) -> FitResult:
    split = split_runs([run for run in runs if run.rows], settings.calibration_part, settings.window)
    scaling = _scaling(split, settings)
    trained = _train(split, scaling, settings, listener)
    windows = _calibration_windows(split, scaling, settings)
    reconstructions = _reconstruct(trained, windows)
    models, parity = _export(trained, windows, reconstructions, settings, interpreters, variants, listener)
    second = _second(runs, split, scaling, windows, models, settings, listener)
    listener.stage("calibrating")
    calibrations, scored, taught = _calibrate(models, second, split, scaling, settings)
    parity = [replace(row, score_agreement=_agreement(row.variant, scored)) for row in parity]
    body = manifest(settings, scaling, trained, split, parity, calibrations, taught)
    return FitResult(
        settings=settings,
        bundle=write_bundle(out, body, {f"{name}.tflite": model for name, model in models.items()}),
        split=split,
        scaler=scaling.scaler,
        max_drift=scaling.max_drift,
        trained=trained,
        parity=tuple(parity),
        score_correlation={name: correlation(one, scored["float32"]) for name, one in scored.items()},
        worst=tuple(_worst(trained, split, scaling, settings)),
        windows=windows,
        reconstructions=reconstructions,
        calibrations=calibrations,
        scored=scored,
        second=second,
    )


def _scaling(split: Split, settings: FitSettings) -> Scaling:
    calendar = Calendar(settings.season, settings.timezone)
    return fit_scaling(split, settings.channels, settings.scaler, calendar, 10 * settings.window)


def _train(
    split: Split, scaling: Scaling, settings: FitSettings, listener: Listener, doing: str = "training"
) -> Trained:
    fitted, held_out = (scaling.windows(runs, settings.window) for runs in (split.fit, split.held_out))
    listener.stage(f"{doing} on {len(fitted)} windows")
    return train_network(settings.network, fitted, held_out, settings.training, listener.epoch)


def _calibration_windows(split: Split, scaling: Scaling, settings: FitSettings) -> np.ndarray:
    """Windows spread evenly over the calibration rows."""
    every = scaling.windows(split.calibrate, settings.window)
    return every.take(np.unique(np.linspace(0, len(every) - 1, PARITY_WINDOWS).astype(int)))


def _reconstruct(trained: Trained, windows: np.ndarray) -> np.ndarray:
    return trained.model.predict(filled(windows), batch_size=256, verbose=0)


def _export(
    trained: Trained,
    windows: np.ndarray,
    wanted: np.ndarray,
    settings: FitSettings,
    interpreters: Sequence[Interpreter],
    variants: Sequence[str] | None,
    listener: Listener,
) -> tuple[dict[str, bytes], list[Parity]]:
    """The model files that run in this interpreter, and the table of all."""
    variants = variants or architectures.variants(settings.network)
    listener.stage(f"exporting {' and '.join(variants)}")
    export = architectures.exporter(trained.model, settings.network)
    given = filled(windows)
    models = {name: export(name, representative(given)) for name in variants}
    parity = compare(models, interpreters, given, wanted)
    here = set(available_runtimes())
    models = {row.variant: models[row.variant] for row in parity if here & set(row.runtimes)}
    if "float32" not in models:
        reasons = "; ".join(problem for row in parity for problem in row.problems)
        raise FitError(f"the float32 model runs in no runtime here ({reasons}); pip install ai-edge-litert")
    return models, parity


def _second(
    runs: Sequence[Run],
    split: Split,
    scaling: Scaling,
    windows: np.ndarray,
    variants: Iterable[str],
    settings: FitSettings,
    listener: Listener,
) -> SecondModels | None:
    """A network that is fitted on other rows, in these variants, where one is of use."""
    other = second_split(runs, split, settings.window)
    if other is None:
        return None
    trained = _train(other, scaling, settings, listener, "training a second network, for limits,")
    export = architectures.exporter(trained.model, settings.network)
    return SecondModels({name: export(name, representative(filled(windows))) for name in variants}, other)


def _calibrate(
    models: Mapping[str, bytes],
    second: SecondModels | None,
    split: Split,
    scaling: Scaling,
    settings: FitSettings,
) -> tuple[dict[str, Calibration], dict[str, ScoredRows], dict[int, Peaks]]:
    """Each variant's calibration and scores, and what the fleet teaches, by the float32 network."""
    shape = Shape(settings.window, len(settings.channels), scaling.calendar.slots, settings.stride)
    with TemporaryDirectory(prefix="offbeat-fit-") as folder, quiet_native_output():
        files = {name: Path(folder) / f"{name}.tflite" for name in models}
        for name, file in files.items():
            file.write_bytes(models[name])
        seconds = {} if second is None else second.opened(Path(folder))
        tuning = replace(DEFAULT, threshold=settings.threshold)
        taught = fleet(open_model(files["float32"], BATCHES), shape, scaling, split, settings.scaler, tuning)
        calibrated = calibrate_variants(files, shape, scaling, split, tuning, seconds)
    return (
        {name: one for name, (one, _) in calibrated.items()},
        {name: one for name, (_, one) in calibrated.items()},
        taught,
    )


def _agreement(variant: str, scored: Mapping[str, ScoredRows]) -> float | None:
    return agreement(scored[variant], scored["float32"]) if variant in scored else None


def _worst(trained: Trained, split: Split, scaling: Scaling, settings: FitSettings) -> list[WorstStretch]:
    runs = [run for run in (*split.fit, *split.held_out) if run.rows]
    return worst_stretches(
        runs,
        [scaling.rows(run) for run in runs],
        settings.channels,
        settings.window,
        lambda windows: _reconstruct(trained, windows),
    )
