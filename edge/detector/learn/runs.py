"""Recorded runs, replayed in lockstep through an engine: what calibration learns from."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np

from edge.detector.members.registry import MEMBERS
from edge.detector.score.calibrations import Shape
from edge.detector.score.engine import Engine

T = TypeVar("T")
Steps = Generator[None, None, T]
"""Work in small steps, each at most one call of the network, so that a device can do something else in between."""


def finished(steps: Steps[T]) -> T:
    """What steps return, all of them done at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@dataclass(frozen=True)
class Run:
    """Consecutive grid rows of one machine: (n,) times, (n, channels) values, (n,) season slots, (n,) restarts."""

    times: np.ndarray
    values: np.ndarray
    slots: np.ndarray
    restart: np.ndarray
    lead: int = 0
    """First rows that only bring charts and baseline to where they would be; nothing is learned from them."""
    unseen: bool = True
    """Whether the network that judges it was fitted on none of them."""
    by_second: bool = False
    """Whether a second network judges it, since the first was fitted on it."""

    @property
    def learned(self) -> "Run":
        """What follows the lead, by itself."""
        if not self.lead:
            return self
        restart = self.restart[self.lead :].copy()
        restart[:1] = True
        times, values, slots = (part[self.lead :] for part in (self.times, self.values, self.slots))
        return replace(self, times=times, values=values, slots=slots, restart=restart, lead=0)

    def windows(self, shape: Shape) -> int:
        """How often the network runs on it after its lead: once a stride, in stretches that hold a whole window."""
        edges = np.flatnonzero(np.append(self.learned.restart, True))
        stretches = np.diff(edges, prepend=0)
        return int(np.maximum(0, (stretches - shape.window) // shape.stride + 1)[stretches >= shape.window].sum())


def joined(parts: Sequence[Run]) -> Run:
    """One run of its parts, one after another."""
    times, values, slots, restart = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("times", "values", "slots", "restart")
    )
    return Run(times, values, slots, restart)


@dataclass(frozen=True)
class Seen:
    """What every window of some runs gave, run after run."""

    parts: np.ndarray
    """(n, members, channels), as `edge.detector.score.engine.Scored` has them."""
    values: np.ndarray
    """(n, members)."""
    last: np.ndarray
    """(n, channels): residuals of last rows, residual scales."""
    away: np.ndarray
    """(n, channels): their distances from the baseline, z-units, unsigned."""
    stream: np.ndarray
    """(n,): which run."""
    row: np.ndarray
    """(n,): which row of it completed the window."""

    def of(self, stream: int) -> "Seen":
        """What the windows of one run gave."""
        return self.between(stream, stream + 1)

    def between(self, first: int, after: int) -> "Seen":
        """What the windows of consecutive runs gave, the first of them run 0."""
        own = slice(*np.searchsorted(self.stream, [first, after]))
        seen = Seen(**{part.name: getattr(self, part.name)[own] for part in fields(self)})
        return replace(seen, stream=seen.stream - first)

    def per_row(self, scores: np.ndarray, runs: Sequence[Run]) -> list[np.ndarray]:
        """Scores (n,) of the windows as (rows,) for each run, NaN where a row completed none."""
        whole = [np.full(len(run.times), np.nan) for run in runs]
        for stream, one in enumerate(whole):
            of = self.stream == stream
            one[self.row[of]] = scores[of]
        return whole


def in_lockstep(runs: Sequence[Run]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Row after row of all runs side by side: (k,) those that have one, (k, channels) values, (k,) slots, restarts."""
    lengths = np.array([len(run.times) for run in runs])
    longest, channels = int(lengths.max()), runs[0].values.shape[1]
    values = np.zeros((longest, len(runs), channels))
    slots, restart = np.zeros((longest, len(runs)), np.intp), np.zeros((longest, len(runs)), bool)
    for at, run in enumerate(runs):
        rows = slice(None, len(run.times))
        values[rows, at], slots[rows, at], restart[rows, at] = run.values, run.slots, run.restart
    ends = set(lengths.tolist())
    live = np.arange(len(runs))
    for row in range(longest):
        if row in ends:
            live = np.flatnonzero(lengths > row)
        yield live, values[row, live], slots[row, live], restart[row, live]


def played(engine: Engine, runs: Sequence[Run]) -> Steps[Seen]:
    """All runs in lockstep, each a stream of the engine; a step a row. What leads gave is left out."""
    found: list[tuple[np.ndarray, ...]] = []
    leads = np.array([run.lead for run in runs])
    for row, (live, values, slots, restart) in enumerate(in_lockstep(runs)):
        scored = engine.step(live, values, slots, restart)
        if scored.ran.any():
            ran = live[scored.ran]
            counts = row >= leads[ran]
            given = (ran, scored.parts, scored.values, scored.last, np.abs(scored.away), np.full(len(ran), row))
            found.append(tuple(part[counts] for part in given))
        yield
    return _in_order(found, engine.shape.channels)


def _in_order(found: Sequence[tuple[np.ndarray, ...]], channels: int) -> Seen:
    if not found:
        none, members = np.zeros(0, np.intp), len(MEMBERS)
        rows = np.zeros((0, channels))
        return Seen(np.zeros((0, members, channels)), np.zeros((0, members)), rows, rows, none, none)
    stream = np.concatenate([part[0] for part in found])
    order = np.argsort(stream, kind="stable")
    parts, values, last, away, row = (np.concatenate([part[i] for part in found])[order] for i in (1, 2, 3, 4, 5))
    return Seen(parts, values, last, away, stream[order], row)
