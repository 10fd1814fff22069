"""The manifest of a fitted bundle, as plain JSON types; its keys are the contract with the device."""

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

import edge
from edge.detector.bundle.calibration import Calibration
from edge.detector.bundle.peaks import Peaks
from edge.detector.bundle.rules import rules_to_dict
from train.fitting.learned_rules import learn_rules
from train.fitting.parity import Parity
from train.fitting.probe import BATCHES
from train.network.architecture import ARCHITECTURES
from train.network.scaling import Scaling
from train.network.training import Trained
from train.read.normal import mean_and_sd
from train.read.row_hashes import sample_hashes
from train.read.split import Split

if TYPE_CHECKING:
    from train.fitting.fit import FitSettings

_VERSIONS_OF = ("tensorflow", "keras", "numpy", "ai-edge-litert")


def manifest(
    settings: "FitSettings",
    scaling: Scaling,
    trained: Trained,
    split: Split,
    parity: Sequence[Parity],
    calibrations: Mapping[str, Calibration],
    fleet: Mapping[int, Peaks],
) -> dict[str, Any]:
    """All keys but `format` and the files' hashes, which `write_bundle` fills in."""
    return {
        "name": settings.name,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "channels": [{"name": name, "unit": settings.units.get(name, "")} for name in settings.channels],
        "rates": list(settings.rates),
        "missing": {name: list(codes) for name, codes in settings.missing.items()},
        "period_s": settings.period_s,
        **({} if settings.hold_s is None else {"hold_s": settings.hold_s}),
        "timezone": settings.timezone,
        "season": settings.season,
        "window": settings.window,
        "stride": settings.stride,
        "architecture": settings.architecture,
        "signed": ARCHITECTURES[settings.architecture].signed,
        "scaler": scaling.scaler.to_dict(),
        "variants": [_variant(row, calibrations[row.variant]) for row in parity if row.variant in calibrations],
        "alarm": {**scaling.to_dict(), "threshold": settings.threshold.to_dict()},
        "memory": _memory(calibrations),
        "fleet": {str(rows): peaks.to_dict() for rows, peaks in fleet.items()},
        "rules": rules_to_dict(learn_rules((*split.fit, *split.held_out), settings.channels, settings.period_s)),
        "training": _training(settings, trained, split),
    }


def _memory(calibrations: Mapping[str, Calibration]) -> dict[str, Any] | None:
    """Remembered windows are readings, the same for every variant."""
    kept = [one.memory for one in calibrations.values() if one.memory is not None]
    return kept[0].to_dict() if kept else None


def _variant(row: Parity, calibration: Calibration) -> dict[str, Any]:
    return {
        "name": row.variant,
        "file": f"{row.variant}.tflite",
        "batch": list(BATCHES),
        "runtimes": list(row.runtimes),
        "rmse_to_float32": row.rmse_to_float32,
        "score_agreement": row.score_agreement,
        "calibration": calibration.to_dict(),
    }


def _normal(split: Split) -> dict[str, Any]:
    """Plain mean and sd by channel of all rows that were given; the sd is null of a channel without a value."""
    mean, sd = mean_and_sd([segment.values for run in split.every for segment in run.segments])
    return {"mean": mean.tolist(), "sd": [one if np.isfinite(one) else None for one in sd.tolist()]}


def _training(settings: "FitSettings", trained: Trained, split: Split) -> dict[str, Any]:
    fitted = (*split.fit, *split.held_out)
    return {
        "rows": sum(run.rows for run in fitted),
        "runs": len(fitted),
        "calibration_rows": sum(run.rows for run in split.calibrate),
        "seed": settings.training.seed,
        "hidden": settings.hidden,
        "layers": settings.layers,
        "dropout": settings.dropout,
        "learning_rate": settings.training.learning_rate,
        "settings_tried": settings.tried,
        "epochs": len(trained.losses),
        "seconds": round(trained.seconds, 1),
        "loss": trained.losses[trained.best_epoch],
        "val_loss": trained.held_out_losses[trained.best_epoch],
        "normal": _normal(split),
        "row_hashes": sample_hashes(fitted),
        "versions": {
            "offbeat": edge.__version__,
            "python": platform.python_version(),
            **{name: version(name) for name in _VERSIONS_OF},
        },
    }
