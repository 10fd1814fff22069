"""Bundles that benchmarks fit, kept in a folder so that a change of the detector alone needs no training."""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge.detector.bundle.files import Bundle, BundleError, load_bundle
from edge.detector.members.tuning import Tuning
from edge.detector.rows.season import Calendar
from edge.detector.score.calibrations import Shape
from edge.detector.score.runtime import Network, open_model
from train.benchmarks.progress import Stages
from train.console.quiet import quiet_native_output
from train.fitting.calibrated import calibrate_network
from train.fitting.fit import FitSettings, Listener, fit
from train.fitting.fleet import fleet
from train.fitting.probe import BATCHES
from train.fitting.second import Second, second_file, second_split
from train.fitting.trials import Interpreter
from train.network.scaling import fit_scaling
from train.read.dataset import Run
from train.read.row_hashes import row_hashes
from train.read.split import split_runs

# Fitting many models in one process makes TensorFlow warn of retracing, which nobody can do anything about.
logging.getLogger("tensorflow").setLevel(logging.ERROR)

_INPUTS = "inputs.json"
"""Beside a bundle: what it was fitted on and how."""
_OF_CALIBRATION = ("threshold",)
"""Settings that no weight depends on."""


@dataclass(frozen=True)
class Workshop:
    """Where benchmarks get their models from."""

    folder: Path
    """Holds a folder for each bundle; one whose rows and settings are the same is used again."""
    interpreters: tuple[Interpreter, ...]
    variant: str
    tuning: Tuning
    stages: Stages
    """Who is told how far it is."""
    jobs: int = 1
    """Processes side by side."""
    detectors: tuple[str, ...] | None = None
    """Names of those that are tried, `offbeat` among them; None tries all."""

    def bundle(self, name: str, runs: Sequence[Run], settings: FitSettings, commission_rows: int = 0) -> Bundle:
        """A bundle fitted on `runs`, calibrated by the code of today even where its network is an old one.

        Of what the fleet teaches it has what a device takes that commissions itself on `commission_rows`.

        Raises:
            FitError: as `train.fitting.fit.fit`.
        """
        folder = self.folder / name
        inputs = _inputs(runs, settings)
        bundle = _kept(folder, inputs, self.variant)
        if bundle is not None and not _has_second(bundle, self.variant, runs, settings):
            bundle = None
        if bundle is None:
            listener = Listener(lambda text: self.stages.stage(f"{name}: {text}"), lambda *_: None)
            variants = tuple(
                dict.fromkeys(("float32", self.variant))
            )  # to convert the others takes longer than to train
            fitted = fit(runs, settings, folder, self.interpreters, listener, variants)
            bundle = fitted.bundle
            if fitted.second is not None:
                fitted.second.opened(folder)
            (folder / _INPUTS).write_text(json.dumps(inputs, indent=1) + "\n", encoding="utf-8")
        with quiet_native_output():
            network = open_model(bundle.folder / bundle.variant(self.variant).file, BATCHES)
            return recalibrated(bundle, self.variant, network, runs, settings, self.tuning, commission_rows)


def recalibrated(
    bundle: Bundle,
    variant: str,
    network: Network,
    runs: Sequence[Run],
    settings: FitSettings,
    tuning: Tuning,
    commission_rows: int = 0,
) -> Bundle:
    """The bundle with one variant calibrated anew, on the rows that `fit` calibrates on, and its bounds of drift.

    A second network teaches limits, too, where its model lies beside the bundle.

    Raises:
        BundleError: the bundle has no such variant.
        FitError: too few rows.
    """
    split = split_runs([run for run in runs if run.rows], settings.calibration_part, settings.window)
    calendar = Calendar(settings.season, settings.timezone)
    scaling = fit_scaling(split, settings.channels, settings.scaler, calendar, 10 * settings.window)
    shape = Shape(settings.window, len(settings.channels), calendar.slots, settings.stride)
    tuning = replace(tuning, threshold=settings.threshold)
    other = second_split(runs, split, settings.window)
    second = None
    if other is not None and (bundle.folder / second_file(variant)).exists():
        second = Second(open_model(bundle.folder / second_file(variant), BATCHES), other)
    found, _ = calibrate_network(network, shape, scaling, split, tuning, second)
    taught = fleet(network, shape, scaling, split, settings.scaler, tuning, commission_rows)
    anew = replace(bundle.variant(variant), calibration=found.to_dict())
    variants = tuple(anew if one.name == variant else one for one in bundle.variants)
    alarm = {**scaling.to_dict(), "threshold": settings.threshold.to_dict()}
    memory = None if found.memory is None else found.memory.to_dict()
    return replace(bundle, variants=variants, alarm={**bundle.alarm, **alarm}, memory=memory, fleet=taught)


def _inputs(runs: Sequence[Run], settings: FitSettings) -> dict[str, str]:
    """What the weights depend on; the code of training itself is not in it.

    Of the settings only what differs from the defaults: one that is added later leaves kept models valid.
    """
    rows = " ".join(digest for run in runs for digest in row_hashes(run))
    usual = vars(FitSettings("", (), 0.0))
    chosen = {
        name: value for name, value in vars(settings).items() if value != usual[name] and name not in _OF_CALIBRATION
    }
    return {"rows_sha256": hashlib.sha256(rows.encode()).hexdigest(), "settings": repr(chosen)}


def _has_second(bundle: Bundle, variant: str, runs: Sequence[Run], settings: FitSettings) -> bool:
    """Whether the model of a second network lies beside the bundle, where there has to be one."""
    split = split_runs([run for run in runs if run.rows], settings.calibration_part, settings.window)
    return second_split(runs, split, settings.window) is None or (bundle.folder / second_file(variant)).exists()


def _kept(folder: Path, inputs: dict[str, str], variant: str) -> Bundle | None:
    """The bundle of a folder, where it has the variant and was fitted on the same rows with the same settings."""
    try:
        if json.loads((folder / _INPUTS).read_text("utf-8")) != inputs:
            return None
        bundle = load_bundle(folder)
        bundle.variant(variant)
    except (OSError, ValueError, BundleError):
        return None
    return bundle
