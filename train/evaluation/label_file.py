"""Labels from a file, in whatever form they are: a labelled recording, labels by time, or intervals."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge.readings.labels import find_labels, label_of, outliers_are_minus_one
from train.console.errors import DatasetError
from train.evaluation.found import Anomaly, labels_inside
from train.evaluation.label_windows import as_anomaly, read_windows, windows_of
from train.read.csv_file import CsvFile, read_csv, times_of
from train.read.intervals import inside, is_intervals, read_intervals
from train.read.tables import RawTable, ReadOptions, read_table


def labelled_recording(path: Path, csv: Path, recording: RawTable, options: ReadOptions) -> RawTable:
    """The rows that a file of labels is about, with these labels: its own rows, or those of `recording` from `csv`.

    - CSV with the channels and a label column: a recording of its own.
    - CSV with a time and a label column: labels of the recording's rows at those times.
    - CSV with columns like start and end, two columns of times without a header, or JSON with [["from", "to"], ...] or
      {"folder/file.csv": [["from", "to"], ...]}: intervals of the recording, ends included.

    Raises:
        DatasetError: it cannot be read as any of these.
    """
    try:
        json_text = path.read_text("utf-8", errors="replace").lstrip()[:1] in ("{", "[")
    except OSError as error:
        raise DatasetError(f"{path}: cannot read it ({error.strerror})") from error
    if json_text:
        return _with(recording, _json_intervals(path, csv, options.zone))
    if is_intervals(path, options):
        return replace(recording, labels=inside(recording.times, read_intervals(path, options)))
    file = read_csv(path)
    if options.channels is not None and set(options.channels) <= set(file.header):
        return read_table(path, replace(options, label_column=_label_column(file, options)))
    return _by_time(file, recording, options)


def _json_intervals(path: Path, csv: Path, timezone: str) -> Sequence[Anomaly]:
    try:
        body = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise DatasetError(f"{path}: is not JSON ({error})") from error
    if isinstance(body, dict):
        return windows_of(read_windows(path, timezone), csv)
    try:
        return [as_anomaly(pair, timezone) for pair in body]
    except (TypeError, ValueError, AttributeError) as error:
        raise DatasetError(f'{path}: wanted [["from", "to"], ...] ({error})') from error


def _label_column(file: CsvFile, options: ReadOptions) -> str:
    """The column named, else the first of the usual names that is no channel."""
    if options.label_column is not None:
        return options.label_column
    found = find_labels([name for name in file.header if name not in (options.channels or ())])
    if found is None:
        raise DatasetError(f"{file.path}: no label column among {', '.join(file.header)}; name it with --label-column")
    return found


def _by_time(file: CsvFile, recording: RawTable, options: ReadOptions) -> RawTable:
    label = _label_column(file, options)
    known = replace(options.file, label_column=label, id_column=None, value_column=None)
    times = times_of(file.path, known if options.time_column in file.header else replace(known, time_column=None))
    cells = file.column(label).tolist()
    minus = outliers_are_minus_one(cells)
    anomalous = np.array([bool(label_of(cell, minus)) for cell in cells], bool)
    marked = times[anomalous & np.isfinite(times)]
    return replace(recording, labels=np.isin(np.round(recording.times, 3), np.round(marked, 3)))


def _with(recording: RawTable, anomalies: Sequence[Anomaly]) -> RawTable:
    return replace(recording, labels=labels_inside(recording.times, anomalies))
