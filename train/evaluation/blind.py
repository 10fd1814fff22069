"""What it takes to beat: detectors that see no readings, and fixed limits on each channel.

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

LIMIT_SDS = 3.0
"""Fixed limits stand at the mean plus and minus so many standard deviations."""


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


def fixed_limits(
    files: Sequence[Judged],
    values: Sequence[np.ndarray],
    normal: Sequence[tuple[np.ndarray, np.ndarray]],
    window: int,
    tuning: Tuning = DEFAULT,
) -> list[Judged]:
    """In alarm where a channel is outside mean +- 3 sd, with the detector's own episodes.

    `values` are the (n, channels) readings of each file, `normal` the (channels,) mean
    and sd of its normal rows. The score is the largest distance over the limit, so
    1.0 is the limit; a missing value is never outside.
    """
    plain = replace(tuning, surplus=0.0)  # a limit that somebody sets is one, however little it is passed by
    return [
        in_episodes(one, _distance(value, *mean_sd), window, plain)
        for one, value, mean_sd in zip(files, values, normal, strict=True)
    ]


def mean_and_sd(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(channels,) each, of normal rows (n, channels), NaN ignored; a channel without a value has limits nowhere."""
    known = np.maximum((~np.isnan(values)).sum(axis=0), 1)
    mean = np.nansum(values, axis=0) / known
    sd = np.sqrt(np.nansum((values - mean) ** 2, axis=0) / known)
    return mean, np.where(np.isnan(values).all(axis=0), np.inf, sd)


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


def _distance(values: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """(n,): the worst channel's distance from its mean, in limits; (n, channels) values."""
    floor = 1e-9 * np.maximum(np.abs(mean), 1.0)  # a channel that never changes alarms on any change
    return np.nan_to_num(np.abs(values - mean) / (LIMIT_SDS * np.maximum(sd, floor)), nan=0.0).max(axis=1)
