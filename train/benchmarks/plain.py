"""Classical detectors under the protocol of the network: same rows to fit and calibrate, same level, same episodes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.detector.bundle.scaler import Scaler, fit_scaler
from edge.detector.bundle.tail import cluster_peaks, fit_tail
from edge.detector.learn.runs import Run as StreamRun
from edge.detector.members.tuning import Tuning
from edge.detector.replay import Recording, grid_rows
from edge.detector.rows.aligner import AlignerSettings
from edge.detector.rows.season import Calendar
from train.benchmarks.case import Case
from train.benchmarks.statistics import Statistic
from train.evaluation.blind import in_episodes
from train.evaluation.metrics import Judged
from train.evaluation.playback import grid_rows_before
from train.network.scaling import Scaling, fit_scaling
from train.network.streams import as_stream
from train.network.windows import filled
from train.read.split import Split, split_runs
from train.read.tables import RawTable

Fit = Callable[[list[np.ndarray], int, int], Statistic]
"""Segments of scaled rows, window and seed to a statistic."""


_OUTLOOK = 10.0
"""A level is what normal rows should reach once in this many times the calibration."""


@dataclass(frozen=True)
class _Level:
    """Per member: the usual value, which scores 0, and the alarm level, which scores 1."""

    usual: np.ndarray
    alarm: np.ndarray

    def score(self, members: np.ndarray) -> np.ndarray:
        """(m,) of (m, members): the loudest counts; NaN while a window fills."""
        return ((members - self.usual) / (self.alarm - self.usual)).max(axis=1)


def judged_plainly(case: Case, fit: Fit, seed: int, tuning: Tuning, files: Sequence[Judged]) -> list[Judged]:
    """The case's recordings as judged by a statistic; `files` are the same recordings beside their truth."""
    model = case.model
    calendar = Calendar(model.season, model.timezone)
    split = split_runs([run for run in case.runs if run.rows], model.calibration_part, model.window)
    scaling = fit_scaling(split, model.channels, model.scaler, calendar, 10 * model.window)
    fitted = [run for run in (*split.fit, *split.held_out) if run.rows]
    statistic = fit([filled(rows) for run in fitted for rows in scaling.rows(run)], model.window, seed)
    common = None if case.calibrate_rows else _fleet_level(case, split, scaling, statistic)
    return [
        in_episodes(file, _scores(case, table, statistic, scaling, common), model.window, tuning)
        for table, file in zip(case.tables, files, strict=True)
    ]


def _fleet_level(case: Case, split: Split, scaling: Scaling, statistic: Statistic) -> _Level:
    """From the rows that calibrate the bundle."""
    streams = [as_stream(run, scaling.calendar) for run in split.calibrate if run.rows]
    return _level([_members(one, scaling.scaler, statistic, case.model.window) for one in streams], case)


def _scores(case: Case, table: RawTable, statistic: Statistic, scaling: Scaling, level: _Level | None) -> np.ndarray:
    """(n,) a score for each file row, NaN while a window fills."""
    settings = AlignerSettings(case.model.period_s)
    rows, place = grid_rows(Recording(table.times, table.values), table.channels, settings)
    times = np.array([row.time for row in rows])
    stream = StreamRun(
        times,
        np.stack([row.values for row in rows]),
        scaling.calendar.slots_of(times),
        np.array([row.restart for row in rows]),
    )
    scaler = scaling.scaler
    if level is None:
        own = _part(stream, slice(0, grid_rows_before(table, case.calibrate_rows, settings)))
        scaler, level = _commission(own, statistic, case, scaling.calendar)
    scores = level.score(_members(stream, scaler, statistic, case.model.window))
    return np.append(scores, np.nan)[place]


def _commission(own: StreamRun, statistic: Statistic, case: Case, calendar: Calendar) -> tuple[Scaler, _Level]:
    """As a device does: scaler of all rows, level of each half as the other half would center it."""
    scaler = _scaler(own, case, calendar)
    middle = len(own.times) // 2
    halves = [_part(own, slice(None, middle)), _part(own, slice(middle, None))]
    centers = [_scaler(half, case, calendar).center for half in reversed(halves)]
    members = [
        _members(half, replace(scaler, center=center), statistic, case.model.window)
        for half, center in zip(halves, centers, strict=True)
    ]
    return scaler, _level(members, case)


def _members(stream: StreamRun, scaler: Scaler, statistic: Statistic, window: int) -> np.ndarray:
    """(m, members) of m grid rows; no window reaches over a gap."""
    z = filled(scaler.transform(stream.values, stream.slots))
    starts = np.flatnonzero(stream.restart)
    pieces = np.split(np.arange(len(z)), starts[starts > 0])
    found = [(piece[window - 1 :], statistic(z[piece], window)) for piece in pieces if len(piece) >= window]
    members = np.full((len(z), found[0][1].shape[1] if found else 1), np.nan)
    for rows, values in found:
        members[rows] = values
    return members


def _level(parts: Sequence[np.ndarray], case: Case) -> _Level:
    """What peaks over threshold expects once in `_OUTLOOK` times the calibration; see `edge.detector.bundle.tail`."""
    every = np.concatenate(parts)
    span_s = len(every) * case.model.period_s
    usual = np.nanmedian(every, axis=0)
    alarm = [
        fit_tail(
            np.concatenate([cluster_peaks(part[:, member], 2 * case.model.window) for part in parts]), span_s
        ).level(_OUTLOOK * span_s)
        for member in range(every.shape[1])
    ]
    # A member that is nothing, such as Q of a single channel, must not alarm on rounding.
    return _Level(usual, np.maximum(alarm, usual + np.maximum(1e-3 * np.abs(usual), 1e-6)))


def _scaler(stream: StreamRun, case: Case, calendar: Calendar) -> Scaler:
    return fit_scaler(stream.values, case.model.scaler, case.model.channels, stream.slots, calendar.slots)


def _part(stream: StreamRun, rows: slice) -> StreamRun:
    return StreamRun(stream.times[rows], stream.values[rows], stream.slots[rows], stream.restart[rows])
