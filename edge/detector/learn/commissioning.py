"""How a stream comes by its calibration: from its bundle, or from its own first rows."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from edge.detector.bundle.calibration import Calibration, OlderCalibrationError, calibration_from_dict, range_from
from edge.detector.bundle.files import Bundle, BundleError, Variant
from edge.detector.bundle.peaks import Peaks
from edge.detector.bundle.scaler import fit_scaler
from edge.detector.learn.calibrate import engine_after, learning_steps
from edge.detector.learn.prepare import FOLDS, LEAD_WINDOWS, CalibrationError, NormalRows
from edge.detector.learn.runs import Run, Steps, finished
from edge.detector.members.registry import NAMES, wanted_rows
from edge.detector.members.tuning import Tuning
from edge.detector.rows.row import Row
from edge.detector.rows.season import Calendar
from edge.detector.score.calibrations import Shape
from edge.detector.score.engine import Engine
from edge.detector.score.runtime import Network

_LEAST_PART_ROWS = 10
_MOST_WINDOWS = 20
"""Rows kept while they do not suffice to commission, windows beyond twice as many as were asked for."""


def bundle_calibration(bundle: Bundle, variant: Variant) -> Calibration:
    """The calibration that came with a variant.

    Raises:
        BundleError: there is none, it is of an older version, or malformed.
    """
    if variant.calibration is None:
        raise BundleError(
            f"{bundle.folder}: variant {variant.name} has no calibration; set calibrate_rows or fit the bundle again"
        )
    try:
        calibration = calibration_from_dict(variant.calibration, len(bundle.channels), bundle.memory)
    except OlderCalibrationError as error:
        raise BundleError(
            f"{bundle.folder}: variant {variant.name}: {error}; `offbeat-train calibrate {bundle.folder} NORMAL.csv "
            "--out DIR` makes it anew, `offbeat-train fit` the whole bundle"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        what = f"{type(error).__name__} {error}"
        raise BundleError(
            f"{bundle.folder}: the calibration of {variant.name} is malformed ({what}); fit the bundle again"
        ) from error
    if not calibration.judges:
        raise BundleError(
            f"{bundle.folder}: variant {variant.name} was calibrated on {calibration.rows} rows, too few for any "
            "member to take part; set calibrate_rows, or fit on more rows"
        )
    return calibration


OwnCalibration = tuple[Calibration, Engine]
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
        self._steps: Steps[OwnCalibration] | None = None

    @property
    def under_way(self) -> bool:
        """Whether there is something for `go_on` to do."""
        return self._steps is not None

    def add(self, row: Row) -> None:
        """Keep a row."""
        self.rows.append(row)
        if len(self.rows) >= self._try_at:
            self._steps = commissioning_steps(self._bundle, self._network, self.rows, self._tuning)

    def go_on(self) -> OwnCalibration | None:
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


def commission(bundle: Bundle, network: Network, rows: Sequence[Row], tuning: Tuning) -> OwnCalibration:
    """A stream's own calibration from its normal rows, and the engine as it stands after them.

    Its level is `alarm.level` of the bundle times what the rows give.

    Raises:
        CalibrationError: too few rows without a gap, or a channel without a value in all of them.
    """
    return finished(commissioning_steps(bundle, network, rows, tuning))


def commissioning_steps(bundle: Bundle, network: Network, rows: Sequence[Row], tuning: Tuning) -> Steps[OwnCalibration]:
    """`commission`, step by step."""
    tuning = replace(tuning, threshold=bundle.threshold)
    times = np.array([row.time for row in rows])
    values = np.stack([row.values for row in rows])
    restart = np.array([row.restart for row in rows])
    calendar = Calendar(bundle.season, bundle.timezone)
    slots = calendar.slots_of(times)
    run, shape = Run(times, values, slots, restart), shape_of(bundle, calendar)
    normal = normal_rows(bundle, run, calendar)
    learned = yield from learning_steps(network, shape, normal, tuning)
    if not learned.calibration.judges:
        wanted = min(wanted_rows(name, bundle.window, tuning) for name in NAMES)
        raise CalibrationError(
            f"{len(rows)} rows are too few for any statistic to take part: give at least {wanted} rows in a row"
        )
    calibration = replace(learned.calibration, level=learned.calibration.level * level_factor(bundle))
    engine = yield from engine_after(network, shape, calibration, run, tuning)
    return calibration, engine


def normal_rows(bundle: Bundle, run: Run, calendar: Calendar) -> NormalRows:
    """What a device learns from its first rows, with what the fleet did after as many.

    Raises:
        CalibrationError: a channel has no value in them.
    """
    try:
        scaler = fit_scaler(run.values, bundle.scaler.kind, bundle.channel_names, run.slots, calendar.slots)
    except ValueError as error:
        raise CalibrationError(str(error)) from error
    return NormalRows(
        in_parts(run, bundle.window),
        scaler,
        np.asarray(bundle.alarm["max_drift"], np.float64) / scaler.scale.mean(axis=0),
        own_scaler=True,
        fitted_range=range_from(bundle.alarm.get("fitted_range"), len(bundle.channels)),
        fleet=fleet_after(bundle, len(run.times)),
    )


def fleet_after(bundle: Bundle, rows: int) -> Peaks | None:
    """What the machines that the bundle was fitted on reached later, each commissioned on no more rows than these."""
    known = [count for count in bundle.fleet if count <= rows]
    return bundle.fleet[max(known)] if known else None


def in_parts(run: Run, window: int) -> list[Run]:
    """A run in `FOLDS` parts of like length, each with its lead; fewer where a part would hold no window."""
    parts = max(1, min(FOLDS, len(run.times) // max(_LEAST_PART_ROWS, window)))
    edges = np.linspace(0, len(run.times), parts + 1).astype(int)
    return [part_of(run, start, end, window) for start, end in pairwise(edges.tolist())]


def part_of(run: Run, start: int, end: int, window: int) -> Run:
    """Rows of a run from `start` up to `end`, with the windows before them as their lead."""
    first = max(0, start - LEAD_WINDOWS * window)
    rows = slice(first, end)
    restart = run.restart[rows].copy()
    restart[:1] = True
    times, values, slots = run.times[rows], run.values[rows], run.slots[rows]
    return replace(run, times=times, values=values, slots=slots, restart=restart, lead=start - first)


def level_factor(bundle: Bundle) -> float:
    """What a bundle multiplies every calibrated level by: chosen by a budget or by labels, 1 where by neither."""
    return float(bundle.alarm.get("level", 1.0))


def shape_of(bundle: Bundle, calendar: Calendar) -> Shape:
    """The sizes that an engine for this bundle has."""
    return Shape(bundle.window, len(bundle.channels), calendar.slots, bundle.stride)
