"""Files as streams: recorded readings through the very code that scores live ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.detector.group import Outcome, StreamGroup
from edge.detector.rows.aligner import Aligner, AlignerSettings
from edge.detector.rows.row import Row
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
    """(n,) bool: whether the score is in alarm."""
    episode: tuple[str | None, ...]
    """Id of the open episode."""
    top_channel: tuple[str | None, ...]
    events: tuple[Event, ...]
    aligned: np.ndarray
    """(n,): grid row that each file row fell into, counted from 0; -1 where it came too late for any."""
    expected: np.ndarray | None = None
    """(n, channels): what was expected, in the channels' units; NaN where nothing was. None where not asked for."""
    tolerance: np.ndarray | None = None
    """(n, channels): how far normal rows stay from it."""


def grid_rows(recording: Recording, channels: Sequence[str], settings: AlignerSettings) -> tuple[list[Row], np.ndarray]:
    """The grid rows of a recording, and for each file row the index of its grid row, -1 for none."""
    aligner = Aligner(channels, settings)
    rows: list[Row] = []
    index: dict[int, int] = {}  # slot -> its grid row
    place = np.full(len(recording.times), -1, np.intp)
    waiting: list[tuple[int, int]] = []  # file row, slot
    for number, (time, values) in enumerate(zip(recording.times.tolist(), recording.values.tolist(), strict=True)):
        before = dict(aligner.counts)
        closed = aligner.add(
            time, {name: value for name, value in zip(channels, values, strict=True) if value == value}
        )
        if _taken(before, aligner.counts):
            waiting.append((number, aligner.slot_of(time)))
            if aligner.counts["repeated"] == before["repeated"]:
                index.pop(waiting[-1][1], None)  # of a run before the clock was set back
        _enter(closed, rows, index, aligner)
        waiting = _place(waiting, index, place)
    _enter(aligner.flush(), rows, index, aligner)
    _place(waiting, index, place)
    return rows, place


def _taken(before: Mapping[str, int], after: Mapping[str, int]) -> bool:
    return (before["late"], before["future"]) == (after["late"], after["future"])


def _enter(closed: Sequence[Row], rows: list[Row], index: dict[int, int], aligner: Aligner) -> None:
    """Add grid rows, with their slots in the index."""
    for row in closed:
        index[aligner.slot_of(row.time)] = len(rows)
        rows.append(row)


def _place(waiting: list[tuple[int, int]], index: Mapping[int, int], place: np.ndarray) -> list[tuple[int, int]]:
    """Give file rows their grid rows, where these are closed; those that still wait."""
    for number, slot in waiting:
        place[number] = index.get(slot, -1)
    return [(number, slot) for number, slot in waiting if slot not in index]


def replay(
    group: StreamGroup,
    recordings: Sequence[Recording],
    settings: AlignerSettings,
    progress: Callable[[int, int], None] | None = None,
    explained: bool = False,
    after: Callable[[Outcome], None] | None = None,
) -> list[Replay]:
    """All recordings in lockstep, the n-th as the n-th stream of the group, each row by row.

    `progress` is told grid rows done and in all. `explained`: what was expected of every
    row is kept as well, which takes time and memory. `after` is told what each row gave,
    before the next ones are played.
    """
    aligned = [grid_rows(one, group.bundle.channel_names, settings) for one in recordings]
    outcomes: list[list[Outcome]] = [[] for _ in recordings]
    told = [_Told.of(len(rows), group) if explained else None for rows, _ in aligned]
    longest = max((len(rows) for rows, _ in aligned), default=0)
    for step in range(longest):
        batch = [(stream, rows[step]) for stream, (rows, _) in enumerate(aligned) if step < len(rows)]
        for outcome in group.process(batch):
            if (kept := told[outcome.stream]) is not None:
                kept.take(len(outcomes[outcome.stream]), outcome)
            outcomes[outcome.stream].append(replace(outcome, explanation=None))  # which holds a step's arrays
            if after is not None:
                after(outcome)
        if progress is not None:
            progress(step + 1, longest)
    return [
        _by_file_row(group, stream, outcomes[stream], place, told[stream]) for stream, (_, place) in enumerate(aligned)
    ]


@dataclass(frozen=True)
class _Told:
    """What was expected of grid rows, and its tolerance; the last one stands for no row."""

    expected: np.ndarray
    tolerance: np.ndarray

    @classmethod
    def of(cls, rows: int, group: StreamGroup) -> "_Told":
        """Of so many rows, nothing yet."""
        shape = (rows + 1, len(group.bundle.channels))
        return cls(*(np.full(shape, np.nan, np.float32) for _ in range(2)))

    def take(self, row: int, outcome: Outcome) -> None:
        if outcome.explanation is not None:
            _, self.expected[row], self.tolerance[row] = outcome.explanation.explained()


def _by_file_row(
    group: StreamGroup, stream: int, outcomes: Sequence[Outcome], place: np.ndarray, told: _Told | None
) -> Replay:
    events = [event for outcome in outcomes for event in outcome.events]
    if outcomes:
        events += group.close(stream, outcomes[-1].time)
    score = np.array([outcome.score for outcome in outcomes] + [np.nan])
    alarm = np.array([outcome.alarm for outcome in outcomes] + [False])
    ids = [outcome.event_id if outcome.alarm else None for outcome in outcomes] + [None]
    tops = [outcome.top_channel for outcome in outcomes] + [None]
    # A row that came too late for the grid has no score of its own; the episode's state goes on through it.
    state = np.where(place >= 0, place, np.maximum.accumulate(place)) if len(place) else place
    return Replay(
        score=score[place],
        alarm=alarm[state],
        episode=tuple(ids[index] for index in state),
        top_channel=tuple(tops[index] for index in place),
        events=tuple(events),
        aligned=place,
        expected=None if told is None else told.expected[place],
        tolerance=None if told is None else told.tolerance[place],
    )
