"""How a stream comes by its calibration: from its bundle, or from its own first rows."""

from collections.abc import Sequence

import numpy as np

from edge.detector.bundle import Bundle, BundleError, Variant
from edge.detector.calibrate import CalibrationError, Run, calibrate
from edge.detector.calibration import Calibration, calibration_from_dict
from edge.detector.engine import Engine, Shape
from edge.detector.rows import Row
from edge.detector.runtime import Network
from edge.detector.scaler import fit_scaler
from edge.detector.season import Calendar
from edge.detector.tuning import Tuning


def bundle_calibration(bundle: Bundle, variant: Variant) -> Calibration:
    """The calibration that came with a variant.

    Raises:
        BundleError: there is none, or it is malformed.
    """
    if variant.calibration is None:
        raise BundleError(
            f"{bundle.folder}: variant {variant.name} has no calibration; set calibrate_rows or fit the bundle again"
        )
    try:
        return calibration_from_dict(variant.calibration, len(bundle.channels))
    except (KeyError, TypeError, ValueError) as error:
        what = f"{type(error).__name__} {error}"
        raise BundleError(
            f"{bundle.folder}: the calibration of {variant.name} is malformed ({what}); fit the bundle again"
        ) from error


def commission(bundle: Bundle, network: Network, rows: Sequence[Row], tuning: Tuning) -> tuple[Calibration, Engine]:
    """A stream's own calibration from its normal rows, and the engine as it stands after them.

    Raises:
        CalibrationError: too few rows without a gap, or a channel without a value in all of them.
    """
    times = np.array([row.time for row in rows])
    values = np.stack([row.values for row in rows])
    restart = np.array([row.restart for row in rows])
    calendar = Calendar(bundle.season, bundle.timezone)
    slots = calendar.slots_of(times)
    try:
        scaler = fit_scaler(values, bundle.scaler.kind, bundle.channel_names, slots, calendar.slots)
    except ValueError as error:
        raise CalibrationError(str(error)) from error
    max_drift = np.asarray(bundle.alarm["max_drift"], np.float64) / scaler.scale.mean(axis=0)
    return calibrate(
        network, shape_of(bundle, calendar), scaler, [Run(times, values, slots, restart)], max_drift, tuning
    )


def shape_of(bundle: Bundle, calendar: Calendar) -> Shape:
    """The sizes that an engine for this bundle has."""
    return Shape(bundle.window, len(bundle.channels), calendar.slots, bundle.stride)
