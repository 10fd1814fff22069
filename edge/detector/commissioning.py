"""How a stream comes by its calibration: from its bundle, or from its own first rows."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edge.detector.bundle import Bundle, BundleError, Variant
from edge.detector.calibrate import CalibrationError, NormalRows, calibration_steps, engine_after
from edge.detector.calibration import Calibration, calibration_from_dict, range_from
from edge.detector.engine import Engine, Shape
from edge.detector.rows import Row
from edge.detector.runs import Run, Steps, finished
from edge.detector.runtime import Network
from edge.detector.scaler import Scaler, fit_scaler
from edge.detector.season import Calendar
from edge.detector.tuning import Tuning

_MOST_WINDOWS = 20
"""Rows kept while they do not suffice to commission, windows beyond twice as many as were asked for."""


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


Commissioned = tuple[Calibration, Engine]
"""A stream's own calibration from its normal rows, and the engine as it stands after them."""


class Commissioning:
    """The first rows of one stream, until they suffice for a calibration of its own.

    That takes seconds to a minute, so it is done in steps; rows that come meanwhile must wait.
    """

    def __init__(self, bundle: Bundle, network: Network, rows_wanted: int, tuning: Tuning) -> None:
        self.rows: list[Row] = []
        """Collected so far."""
        self._bundle, self._network, self._tuning = bundle, network, tuning
        self._rows_wanted, self._try_at = rows_wanted, rows_wanted
        self._steps: Steps[Commissioned] | None = None

    @property
    def under_way(self) -> bool:
        """Whether there is something for `go_on` to do."""
        return self._steps is not None

    def add(self, row: Row) -> None:
        """Keep a row."""
        self.rows.append(row)
        if len(self.rows) >= self._try_at:
            self._steps = commissioning_steps(self._bundle, self._network, self.rows, self._tuning)

    def go_on(self) -> Commissioned | None:
        """Do one step; what came of it, with the last one. Where the rows do not suffice, collecting goes on."""
        assert self._steps is not None, "nothing is under way"
        try:
            next(self._steps)
        except StopIteration as end:
            self.begin(())
            return end.value
        except CalibrationError:  # too few rows, too many gaps or a dead channel
            self._steps = None
            if len(self.rows) > 2 * self._rows_wanted + _MOST_WINDOWS * self._bundle.window:
                del self.rows[: len(self.rows) // 2]
            self._try_at = len(self.rows) + self._bundle.window
        return None

    def begin(self, rows: Sequence[Row]) -> None:
        """Collect anew, from these rows on."""
        self._steps, self._try_at = None, self._rows_wanted
        self.rows = list(rows)


def commission(bundle: Bundle, network: Network, rows: Sequence[Row], tuning: Tuning) -> Commissioned:
    """A stream's own calibration from its normal rows, and the engine as it stands after them.

    Its level is `alarm.level` of the bundle times what the rows give.

    Raises:
        CalibrationError: too few rows without a gap, or a channel without a value in all of them.
    """
    return finished(commissioning_steps(bundle, network, rows, tuning))


def commissioning_steps(bundle: Bundle, network: Network, rows: Sequence[Row], tuning: Tuning) -> Steps[Commissioned]:
    """`commission`, step by step."""
    tuning = replace(tuning, threshold=bundle.threshold)
    times = np.array([row.time for row in rows])
    values = np.stack([row.values for row in rows])
    restart = np.array([row.restart for row in rows])
    calendar = Calendar(bundle.season, bundle.timezone)
    slots = calendar.slots_of(times)
    run, shape = Run(times, values, slots, restart), shape_of(bundle, calendar)
    try:
        scaler = _scaler(bundle, calendar, run)
    except ValueError as error:
        raise CalibrationError(str(error)) from error
    max_drift = np.asarray(bundle.alarm["max_drift"], np.float64) / scaler.scale.mean(axis=0)
    halves = _halves(run, scaler, bundle, calendar)
    fitted = range_from(bundle.alarm.get("fitted_range"), shape.channels)
    parts, own = zip(*halves, strict=True)
    normal = NormalRows(parts, scaler, max_drift, own, fitted, bundle.fitted_windows)
    calibration, _ = yield from calibration_steps(network, shape, normal, tuning)
    calibration = replace(calibration, level=calibration.level * level_factor(bundle))
    engine = yield from engine_after(network, shape, calibration, run, tuning)
    return calibration, engine


def level_factor(bundle: Bundle) -> float:
    """What a bundle multiplies every calibrated level by: chosen by a budget or by labels, 1 where by neither."""
    return float(bundle.alarm.get("level", 1.0))


def _halves(run: Run, scaler: Scaler, bundle: Bundle, calendar: Calendar) -> list[tuple[Run, Scaler]]:
    """Each half of a run, with the centers of the other half and the scales of both.

    Raises:
        CalibrationError: a channel has no value in one of the halves.
    """
    middle = len(run.times) // 2
    first, second = _part(run, slice(None, middle)), _part(run, slice(middle, None))
    try:
        centers = [_scaler(bundle, calendar, other).center for other in (second, first)]
    except ValueError as error:
        raise CalibrationError(str(error)) from error
    return [(one, replace(scaler, center=center)) for one, center in zip((first, second), centers, strict=True)]


def _part(run: Run, rows: slice) -> Run:
    restart = run.restart[rows].copy()
    restart[:1] = True
    return Run(run.times[rows], run.values[rows], run.slots[rows], restart)


def _scaler(bundle: Bundle, calendar: Calendar, run: Run) -> Scaler:
    return fit_scaler(run.values, bundle.scaler.kind, bundle.channel_names, run.slots, calendar.slots)


def shape_of(bundle: Bundle, calendar: Calendar) -> Shape:
    """The sizes that an engine for this bundle has."""
    return Shape(bundle.window, len(bundle.channels), calendar.slots, bundle.stride)
