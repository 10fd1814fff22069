"""Files as streams: recorded readings through the very code that scores live ones."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from edge.detector.aligner import Aligner, AlignerSettings
from edge.detector.group import Outcome, StreamGroup
from edge.detector.rows import Row
from edge.wire.events import Event


@dataclass(frozen=True)
class Recording:
    """Readings in the file's order: (n,) times in Unix seconds, (n, channels) values, NaN where missing."""

    times: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Replay:
    """What the detector said of each of the n rows of a file."""

    score: np.ndarray
    """(n,): NaN while a window fills or the stream is commissioning."""
    alarm: np.ndarray
    """(n,) bool: whether an anomaly episode is open."""
    episode: tuple[str | None, ...]
    """Id of the open episode."""
    top_channel: tuple[str | None, ...]
    events: tuple[Event, ...]
    aligned: np.ndarray
    """(n,): grid row that each file row fell into, counted from 0; -1 where it came too late for any."""


def grid_rows(recording: Recording, channels: Sequence[str], settings: AlignerSettings) -> tuple[list[Row], np.ndarray]:
    """The grid rows of a recording, and for each file row the index of its grid row, -1 for none."""
    aligner = Aligner(channels, settings)
    rows: list[Row] = []
    place = np.full(len(recording.times), -1, np.intp)
    waiting: list[tuple[int, int]] = []  # file row, grid slot
    opened = 0
    for number, (time, values) in enumerate(zip(recording.times, recording.values, strict=True)):
        late = aligner.counts["late"] + aligner.counts["future"]
        present = {name: float(value) for name, value in zip(channels, values, strict=True) if not math.isnan(value)}
        rows += aligner.add(float(time), present)
        if aligner.counts["late"] + aligner.counts["future"] == late:
            waiting.append((number, aligner.slot_of(float(time))))
        opened = _place(waiting, rows, opened, place, settings.period_s)
    rows += aligner.flush()
    _place(waiting, rows, opened, place, settings.period_s)
    return rows, place


def _place(waiting: list[tuple[int, int]], rows: list[Row], opened: int, place: np.ndarray, period_s: float) -> int:
    """Give file rows the grid rows that have closed since; the number of grid rows seen."""
    if len(rows) == opened:
        return opened
    closed = {round(row.time / period_s): index for index, row in enumerate(rows[opened:], opened)}
    for number, slot in waiting:
        place[number] = closed.get(slot, -1)
    waiting[:] = [(number, slot) for number, slot in waiting if slot not in closed]
    return len(rows)


def replay(
    group: StreamGroup,
    recordings: Sequence[Recording],
    settings: AlignerSettings,
    progress: Callable[[int, int], None] | None = None,
) -> list[Replay]:
    """All recordings in lockstep, the n-th as the n-th stream of the group, each row by row.

    `progress` is told grid rows done and in all.
    """
    aligned = [grid_rows(one, group.bundle.channel_names, settings) for one in recordings]
    outcomes: list[list[Outcome]] = [[] for _ in recordings]
    longest = max(len(rows) for rows, _ in aligned)
    for step in range(longest):
        batch = [(stream, rows[step]) for stream, (rows, _) in enumerate(aligned) if step < len(rows)]
        for outcome in group.process(batch):
            outcomes[outcome.stream].append(outcome)
        if progress is not None:
            progress(step + 1, longest)
    return [_by_file_row(group, stream, outcomes[stream], place) for stream, (_, place) in enumerate(aligned)]


def _by_file_row(group: StreamGroup, stream: int, outcomes: Sequence[Outcome], place: np.ndarray) -> Replay:
    events = [event for outcome in outcomes for event in outcome.events]
    if outcomes:
        events += group.close(stream, outcomes[-1].time)
    score = np.array([outcome.score for outcome in outcomes] + [np.nan])
    alarm = np.array([outcome.anomaly == "ON" for outcome in outcomes] + [False])
    # A row that came too late for the grid has no score of its own; the episode's state goes on through it.
    before = np.maximum.accumulate(place) if len(place) else place
    ids = [outcome.event_id for outcome in outcomes] + [None]
    tops = [outcome.top_channel for outcome in outcomes] + [None]
    return Replay(
        score=score[place],
        alarm=alarm[before],
        episode=tuple(ids[index] for index in before),
        top_channel=tuple(tops[index] for index in place),
        events=tuple(events),
        aligned=place,
    )
