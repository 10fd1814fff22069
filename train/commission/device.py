"""What `calibrate` does between reading its files and writing a bundle: the device's rows, and the level's choice."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge.detector.bundle.calibration import Calibration
from edge.detector.bundle.files import Bundle
from edge.detector.bundle.tail import EXTRAPOLATION
from edge.detector.learn.commissioning import level_factor
from edge.detector.score.runtime import load_model
from train.commission.commissioned import Commissioned
from train.commission.label_level import Labelled, best_level
from train.console.errors import DatasetError, FitError
from train.console.quiet import quiet_native_output
from train.console.times import format_time
from train.console.words import count, number, percent, plural
from train.evaluation.found import label_runs
from train.evaluation.label_file import labelled_recording
from train.evaluation.playback import play, read_for
from train.read.dataset import Run, Selection, align, selected
from train.read.tables import RawTable, ReadOptions

_DAY_S = 86400.0
_LEAST_PEAKS = 6
"""Peaks over the tail's threshold, at least: the fewer, the more its far end is a guess."""
_WINDOWS_A_PEAK = 4
"""Windows of rows that give one such peak: a peak is the highest of two windows, and every other counts."""


def level_for(calibration: Calibration, per_day: float, bundle: Bundle) -> float:
    """The fused statistic that normal rows pass about `per_day` times a day, by peaks over threshold.

    Raises:
        FitError: the rows are too few to tell of alarms so rare; the message says how many it takes.
    """
    wanted_s, tail = _DAY_S / per_day, calibration.tail
    needed = max(
        math.ceil(wanted_s / EXTRAPOLATION / bundle.period_s), (_LEAST_PEAKS + 1) * _WINDOWS_A_PEAK * bundle.window
    )
    if tail is None or tail.peaks < _LEAST_PEAKS or wanted_s > EXTRAPOLATION * tail.span_s:
        raise FitError(
            f"{plural(calibration.rows, 'row')} cannot support {number(per_day)} false alarms a day: that takes about "
            f"{count(needed)} normal rows without an anomaly (a tail wants {_LEAST_PEAKS} peaks, and tells of "
            f"{EXTRAPOLATION:g} times as long as it was learned on)"
        )
    most = tail.peaks * _DAY_S / tail.span_s
    if per_day > most:
        raise FitError(
            f"{number(per_day)} false alarms a day is no budget: on these rows even the usual peaks of the score come "
            f"only {number(most)} times a day; give less"
        )
    return tail.level(wanted_s)


@dataclass(frozen=True)
class Device:
    """A device's recording."""

    table: RawTable
    run: Run
    """The rows to commission on, on the grid."""
    used: np.ndarray
    """(n,) bool: which rows of the file these are."""
    labelled: RawTable | None
    """A recording with labels, perhaps the same one; None without."""

    def file_rows(self, start: float, end: float) -> tuple[int, int]:
        """The first and last file row within these times."""
        inside = np.flatnonzero((self.table.times >= start - 1e-6) & (self.table.times <= end + 1e-6))
        return (int(inside[0]), int(inside[-1])) if len(inside) else (0, len(self.table.times) - 1)


@dataclass(frozen=True)
class Chosen:
    """An alarm level that was chosen."""

    factor: Mapping[str, float]
    """Variant to what its level is multiplied by."""
    alarm: Mapping[str, Any]
    """For the manifest: `level`, by which a device that commissions itself multiplies too, and where it is from."""
    lines: tuple[str, ...]
    """For the user."""


def read_device(
    bundle: Bundle, csv: Path, options: ReadOptions, selection: Selection, labels: Path | None = None
) -> Device:
    """Read a device's recording and choose its normal rows; rows that are labelled as anomalous are not among them.

    Raises:
        DatasetError: a file cannot be read, or no rows are left.
    """
    # The label column may be that of the labels' own file.
    own = options if labels is None else replace(options, label_column=None)
    (table,) = read_for(bundle, [csv], own)
    labelled = None if labels is None else labelled_recording(labels, csv, table, options)
    if labelled is not None and np.array_equal(labelled.times, table.times, equal_nan=True):
        table = labelled  # the same rows: what is known to be anomalous must not commission
    run = align(table, selection, bundle.aligner)
    if not run.rows:
        raise DatasetError(f"{csv}: no rows left after --rows, --until, --exclude and labels")
    return Device(table, run, selected(table, selection), labelled)


def facts(device: Device, commissioned: Commissioned) -> dict[str, Any]:
    """For the manifest: what the bundle was commissioned on."""
    times = [time for segment in device.run.segments for time in (segment.times[0], segment.times[-1])]
    return {
        "file": device.table.name,
        "rows": commissioned.first.rows,
        "from": format_time(float(times[0]), "UTC"),
        "to": format_time(float(times[-1]), "UTC"),
    }


def by_budget(bundle: Bundle, commissioned: Commissioned, per_day: float) -> Chosen:
    """The level of every variant that its normal rows pass `per_day` times a day.

    Raises:
        FitError: the rows cannot support it.
    """
    factor = {name: level_for(one, per_day, bundle) / one.level for name, one in commissioned.calibrations.items()}
    line = f"{number(per_day)} false alarms a day: peaks over threshold of {_peaks(commissioned)}"
    return Chosen(factor, _alarm(bundle, factor, {"false_alarms_per_day": per_day}), (line,))


def by_labels(bundle: Bundle, commissioned: Commissioned, device: Device, beta: float) -> Chosen:
    """The level with the best F-beta on the labelled recording; rows commissioned on are not judged.

    Raises:
        FitError: no row with a score is anomalous, or none is normal.
    """
    table = device.labelled
    if table is None or table.labels is None:
        raise ValueError("by_labels wants a device with labels")
    counts = ~device.used if table is device.table else np.ones(len(table.times), bool)
    score = _scores(bundle, commissioned, table)
    best = best_level(Labelled(score, table.labels, counts), beta, bundle.window // bundle.stride or 1)
    anomalies = len(label_runs(table.times[counts], table.labels[counts]))
    factor = dict.fromkeys(commissioned.calibrations, best.level)
    source = {"labels": table.name, "beta": beta, "anomalies": anomalies, "f": round(best.f, 4)}
    lines = (
        f"labels: {plural(anomalies, 'anomaly', 'anomalies')} in {plural(int(counts.sum()), 'row')} of {table.name}; "
        f"F{number(beta)} {number(best.f_before)} at the default level, {number(best.f)} at "
        f"{number(best.level)} times it (precision {percent(best.precision)}, recall {percent(best.recall)})",
        "A level is only as good as the labels it rests on: test it on another file, "
        "offbeat-train evaluate DIR OTHER.csv --label-column NAME",
    )
    return Chosen(factor, _alarm(bundle, factor, source), lines)


def _scores(bundle: Bundle, commissioned: Commissioned, table: RawTable) -> np.ndarray:
    """(n,) scores of a recording with the preferred variant."""
    name = next(iter(commissioned.calibrations))
    with quiet_native_output():
        variant, model = load_model(bundle, name)
    variant = replace(variant, calibration=commissioned.first.to_dict())
    (played,) = play(bundle, variant, model, [table])
    return played.replay.score


def _alarm(bundle: Bundle, factor: Mapping[str, float], source: Mapping[str, Any]) -> dict[str, Any]:
    return {"level": level_factor(bundle) * next(iter(factor.values())), "level_from": dict(source)}


def _peaks(commissioned: Commissioned) -> str:
    tail = commissioned.first.tail
    return plural(0 if tail is None else tail.peaks, "peak of normal scores", "peaks of normal scores")
