"""What `score` writes and says: a line for each row of a file, and its episodes."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.wire.events import Event, event_to_dict
from train.console.errors import DatasetError
from train.evaluation.playback import Played

HEADER = ("time", "score", "alarm", "episode", "top_channel")


@dataclass(frozen=True)
class EpisodeSummary:
    """One anomaly episode of a file; times are Unix seconds of the readings."""

    id: str
    start: float
    """First row in alarm; the onset inside the window may lie before it."""
    onset: float
    end: float
    top_score: float
    top_channel: str
    """The channel with the largest share when its score was highest."""


def write_scores(path: str | Path, played: Played) -> None:
    """One line for each row of the file, in its order; `time` as it was written there.

    Raises:
        DatasetError: the file cannot be written.
    """
    replay = played.replay
    columns = (played.table.time_text, replay.score, replay.alarm, replay.episode, replay.top_channel)
    try:
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(HEADER)
            for time, score, alarm, episode, channel in zip(*columns, strict=True):
                shown = "" if np.isnan(score) else f"{score:.6g}"
                writer.writerow((time, shown, int(alarm), episode or "", channel or ""))
    except OSError as error:
        raise DatasetError(f"{path}: cannot write it ({error.strerror})") from error


def write_events(path: str | Path, events: Sequence[Event]) -> None:
    """All events, a JSON object a line, as the device would send them but for its own name and numbering.

    Raises:
        DatasetError: the file cannot be written.
    """
    lines = [json.dumps(event_to_dict(event), allow_nan=False) + "\n" for event in events]
    try:
        Path(path).write_text("".join(lines), encoding="utf-8")
    except OSError as error:
        raise DatasetError(f"{path}: cannot write it ({error.strerror})") from error


def episodes_of(played: Played) -> list[EpisodeSummary]:
    """The anomaly episodes of a file, oldest first."""
    by_id: dict[str, list[Event]] = {}
    for event in played.replay.events:
        if event.kind == "anomaly":
            by_id.setdefault(event.id, []).append(event)
    return [_summary(events, played) for events in by_id.values()]


def _summary(events: Sequence[Event], played: Played) -> EpisodeSummary:
    first, last = events[0], events[-1]
    rows = np.array([name == first.id for name in played.replay.episode])
    loudest = _loudest(played, rows)
    return EpisodeSummary(
        id=first.id,
        start=first.time,
        onset=first.start_time,
        end=last.time if last.end_time is None else last.end_time,
        top_score=last.top_score or 0.0,
        top_channel=loudest or (first.contributors[0].channel if first.contributors else ""),
    )


def _loudest(played: Played, rows: np.ndarray) -> str | None:
    """The top channel of the row with the highest score among (n,) bool `rows`."""
    scores = np.where(rows, np.nan_to_num(played.replay.score, nan=-1.0), -2.0)
    return played.replay.top_channel[int(np.argmax(scores))] if rows.any() else None
