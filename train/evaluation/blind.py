"""What it takes to beat: detectors that see no readings.

`always` is in alarm on every row; `clock` from one fixed row of every file on, the row
that suits it best. On recordings whose anomalies all begin late, both have a fine F1.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edge.detector.events.alarm import EpisodeDetector
from edge.detector.members.tuning import DEFAULT, Tuning
from train.evaluation.found import alarm_starts
from train.evaluation.metrics import Judged, judged_rows


def always(files: Sequence[Judged]) -> list[Judged]:
    """In alarm on every evaluated row."""
    return [_from_row(one, one.first, np.ones(len(one.times))) for one in files]


def clock(files: Sequence[Judged]) -> list[Judged]:
    """In alarm from the fixed row of every file on that gives the largest F1; its score is the row number."""
    row = best_row(files)
    return [_from_row(one, max(row, one.first), np.arange(len(one.times), dtype=float)) for one in files]


def best_row(files: Sequence[Judged]) -> int:
    """The row, counted from each file's first, from which on an alarm has the largest F1 over all files together.

    The earliest of several equals. Found from the labels: no detector could know it.
    """
    labels, _, _ = judged_rows(files)
    return best_start(np.concatenate([np.flatnonzero(one.counted) for one in files]), labels)


def best_start(rows: np.ndarray, labels: np.ndarray) -> int:
    """The same of (n,) judged rows, each with its number in its file, and (n,) bool whether it is anomalous."""
    if not len(rows):
        return 0
    length = int(rows.max()) + 1
    alarms = np.bincount(rows, minlength=length)[::-1].cumsum()[::-1]
    hits = np.bincount(rows[labels], minlength=length)[::-1].cumsum()[::-1]
    return int(np.argmax(2 * hits / (labels.sum() + alarms)))


def in_episodes(file: Judged, score: np.ndarray, window: int, tuning: Tuning = DEFAULT) -> Judged:
    """The same file as judged by scores (n,), NaN for none, with the detector's own episodes; 1.0 is the level."""
    detector = EpisodeDetector(1, window, tuning)
    stream = np.zeros(1, np.intp)
    alarm = np.zeros(len(score), bool)
    starts = np.zeros(len(score), bool)
    for row in range(file.first, len(score)):
        starts[row] = detector.update(stream, score[row : row + 1]).opened[0]
        alarm[row] = detector.on[0]
    return replace(file, score=score, alarm=alarm, starts=starts)


def _from_row(file: Judged, row: int, score: np.ndarray) -> Judged:
    alarm = np.arange(len(file.times)) >= row
    return replace(file, score=score, alarm=alarm, starts=alarm_starts(alarm))
