"""NAB's own layout of results: a file for each detector and recording, scores in 0..1."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from train.benchmarks.trial import Judgement
from train.evaluation.metrics import Judged
from train.read.tables import RawTable

HEADER = ("timestamp", "value", "anomaly_score", "label")
_AGAIN = 1.5
"""An episode that grows this many times louder than when it was last told is told again."""


@dataclass(frozen=True)
class Recording:
    """One file of the corpus."""

    folder: str
    file: str
    table: RawTable


def write_results(out: Path, recordings: Sequence[Recording], judgement: Judgement) -> None:
    """`OUT/<detector>/<folder>/<detector>_<file>` for every detector and recording, a line for each row."""
    for detector, files in judgement.items():
        for recording, judged in zip(recordings, files, strict=True):
            path = out / detector / recording.folder / f"{detector}_{recording.file}"
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(HEADER)
                writer.writerows(_lines(recording.table, judged))


def one_score_an_episode(judged: Judged) -> np.ndarray:
    """(n,) scores in 0..1: from 0.5 on where an episode starts or grows much louder, under 0.5 outside episodes.

    NAB counts every row above its threshold, so an episode that is told row by row counts
    as many false alarms where one was given: one detection an episode was worth more than
    any change of the network. Rows before the first evaluated one have 0.
    """
    scores = np.nan_to_num(judged.score, nan=0.0).clip(min=0.0)
    told = np.zeros(len(scores))
    loudest = np.inf
    for row in range(judged.first, len(scores)):
        if judged.starts[row]:
            loudest = 0.0
        if not judged.alarm[row]:
            loudest = np.inf
            told[row] = min(scores[row], 0.99)
        elif scores[row] > _AGAIN * loudest or judged.starts[row]:
            loudest = max(scores[row], 1.0)
            told[row] = loudest
    return told / (1 + told)


def _lines(table: RawTable, judged: Judged) -> list[tuple[str, str, str, int]]:
    values = ["" if np.isnan(value) else repr(float(value)) for value in table.values[:, 0]]
    scores = one_score_an_episode(judged)
    return [
        (str(time), value, f"{score:.6f}", int(label))
        for time, value, score, label in zip(table.time_text, values, scores, judged.labels, strict=True)
    ]
