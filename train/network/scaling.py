"""How readings become what the network sees: scaled for the bundle, and in training for each machine by itself."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.detector.bundle.scaler import Scaler, fit_scaler
from edge.detector.learn.runs import Run as StreamRun
from edge.detector.learn.wander import drift_allowance
from edge.detector.rows.season import Calendar
from train.console.errors import FitError
from train.network.streams import as_stream
from train.network.windows import WindowSet, scaled_rows, window_set
from train.read.dataset import Run
from train.read.split import MANY_RUNS, Split


@dataclass(frozen=True)
class Scaling:
    """How readings become what the network sees."""

    scaler: Scaler
    """Of all rows to fit: the bundle's, for devices that are not commissioned on rows of their own."""
    own: Mapping[str, Scaler]
    """Run to the scaler of its own rows; of a run that is not in it the bundle's holds."""
    calendar: Calendar
    max_drift: np.ndarray
    """(channels,) in the channels' units."""
    fitted_range: np.ndarray
    """(2, channels) lowest and highest scaled reading among the rows to fit."""

    def rows(self, run: Run) -> list[np.ndarray]:
        """Each segment of the run in scaled units."""
        return scaled_rows(run, self.own.get(run.name, self.scaler), self.calendar)

    def to_dict(self) -> dict[str, list[Any]]:
        """For the manifest: what a device takes over that commissions itself."""
        return {"max_drift": self.max_drift.tolist(), "fitted_range": self.fitted_range.tolist()}

    def windows(self, runs: Sequence[Run], length: int) -> WindowSet:
        """All windows of the runs in scaled units."""
        return window_set([rows for run in runs if run.rows for rows in self.rows(run)], length)


def fit_scaling(split: Split, channels: Sequence[str], kind: str, calendar: Calendar, block_rows: int) -> Scaling:
    """The bundle's scaler and drift from the rows to fit; with many runs, also a scaler for each.

    `block_rows` are averaged where drift is measured.

    Raises:
        FitError: a channel has no value in the rows to fit.
    """
    fitted = [run for run in (*split.fit, *split.held_out) if run.rows]
    streams = [as_stream(run, calendar) for run in fitted]
    try:
        scaler = _fit_scaler(streams, channels, kind, calendar)
    except ValueError as error:
        raise FitError(str(error)) from error
    own = _own_scalers([*fitted, *(run for run in split.calibrate if run.rows)], channels, kind, calendar)
    scaled = [rows for run in fitted for rows in scaled_rows(run, own.get(run.name, scaler), calendar)]
    both = (np.nanmin(np.concatenate(scaled), axis=0), np.nanmax(np.concatenate(scaled), axis=0))
    return Scaling(scaler, own, calendar, drift_allowance(streams, scaler, block_rows), np.stack(both))


def _own_scalers(parts: Sequence[Run], channels: Sequence[str], kind: str, calendar: Calendar) -> dict[str, Scaler]:
    """With many runs each may be a machine of its own: scaled as the device there will be, by its own rows."""
    by_run: dict[str, list[StreamRun]] = {}
    for part in parts:
        by_run.setdefault(part.name, []).append(as_stream(part, calendar))
    own: dict[str, Scaler] = {}
    for name, streams in by_run.items() if len(by_run) >= MANY_RUNS else ():
        with suppress(ValueError):  # a channel that this run lacks
            own[name] = _fit_scaler(streams, channels, kind, calendar)
    return own


def _fit_scaler(streams: Sequence[StreamRun], channels: Sequence[str], kind: str, calendar: Calendar) -> Scaler:
    values = np.concatenate([stream.values for stream in streams])
    slots = np.concatenate([stream.slots for stream in streams])
    return fit_scaler(values, kind, channels, slots, calendar.slots)
