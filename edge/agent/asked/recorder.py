"""The last rows of every stream, and of open episodes those around start and peak: what a snapshot shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from edge.detector.outcome import Outcome
from edge.wire.events import Contributor, Event
from edge.wire.snapshot import Part, Series

ROWS = 60
"""Rows that are kept of a stream, and shown around start and peak: twice the window of the pump, some 3 kB of seven
channels. Twice of it doubles what a thousand streams take, half of it shows no more than the window itself."""
_MOST_EPISODES = 40
"""Open episodes of a stream whose start is kept; those of very many rules at once look alike."""


@dataclass(frozen=True)
class Rows:
    """Consecutive rows, (n,) and (n, channels)."""

    times: np.ndarray
    scores: np.ndarray
    values: np.ndarray
    expected: np.ndarray


class Ring:
    """The last `ROWS` rows of one stream."""

    def __init__(self, channels: int) -> None:
        self._times: np.ndarray = np.full(ROWS, np.nan)
        self._figures: np.ndarray = np.full((ROWS, 1 + 2 * channels), np.nan, np.float32)
        self._count = 0

    def add(self, time: float, score: float, values: np.ndarray, expected: np.ndarray | None) -> None:
        """The next row; `expected` is None where no network ran."""
        at, channels = self._count % ROWS, len(values)
        row = self._figures[at]
        self._times[at], row[0], row[1 : 1 + channels] = time, score, values
        row[1 + channels :] = np.nan if expected is None else expected
        self._count += 1

    def rows(self) -> Rows:
        """A copy, the oldest first."""
        first = self._count % ROWS if self._count > ROWS else 0
        order = (np.arange(min(self._count, ROWS)) + first) % ROWS
        figures, channels = self._figures[order], self._figures.shape[1] // 2
        return Rows(self._times[order], figures[:, 0], figures[:, 1 : 1 + channels], figures[:, 1 + channels :])


@dataclass
class _Peak:
    score: float
    rows: Rows
    left: int = ROWS // 2
    """Rows that still belong to it."""


@dataclass
class Track:
    """What is kept of one stream."""

    channels: Sequence[tuple[str, str]]
    """Names with units."""
    ring: Ring
    tolerance: np.ndarray
    """(channels,): how far from expected normal rows stay, NaN where not known."""
    starts: dict[str, Rows] = field(default_factory=dict)
    peak: _Peak | None = None
    shown: dict[str, tuple[Contributor, ...]] = field(default_factory=dict)

    def row(self, outcome: Outcome) -> None:
        """The next row, before its events."""
        assert outcome.values is not None
        found = outcome.explanation
        expected = None if found is None else found.step.scored.expected[found.n]
        self.ring.add(outcome.time, outcome.score, outcome.values, expected)
        if not outcome.alarm and self.peak is None:
            return
        if outcome.alarm and (self.peak is None or outcome.score > self.peak.score):
            self.peak = _Peak(outcome.score, self.ring.rows())
        elif self.peak is not None and self.peak.left > 0:
            self.peak.left -= 1
            self.peak.rows = self.ring.rows()

    def begin(self, event: Event) -> None:
        """An episode begins with the last row."""
        if len(self.starts) < _MOST_EPISODES:
            self.starts[event.id] = self.ring.rows()

    def end(self, event: Event) -> None:
        """An episode is over, and was shown."""
        self.starts.pop(event.id, None)
        if event.kind == "anomaly":
            self.peak = None

    def parts(self, event: Event | None, begins: bool) -> tuple[Part, ...]:
        """What is shown of an episode, or of the last rows where there is none."""
        if event is None:
            return (self._part("now", self.ring.rows(), ()),)
        told = event.contributors if event.peak is None else (*event.peak.contributors, *event.contributors)
        first = [one.channel for one in told] + ([event.rule.channel] if event.rule else [])
        parts = [self._part("start", self.starts[event.id], first)] if event.id in self.starts else []
        if event.kind == "anomaly" and self.peak is not None and not begins:
            parts.append(self._part("peak", self.peak.rows, first))
        return tuple(parts or [self._part("now", self.ring.rows(), first)])

    def _part(self, around: str, rows: Rows, first: Sequence[str]) -> Part:
        names = [name for name, _ in self.channels]
        order = sorted(range(len(names)), key=lambda at: first.index(names[at]) if names[at] in first else len(first))
        return Part(
            around,  # type: ignore[arg-type]
            tuple(rows.times.tolist()),
            _figures(rows.scores),
            tuple(self._series(at, rows) for at in order),
        )

    def _series(self, at: int, rows: Rows) -> Series:
        name, unit = self.channels[at]
        tolerance = _figures(np.full(len(rows.times), self.tolerance[at]))
        return Series(name, unit, _figures(rows.values[:, at]), _figures(rows.expected[:, at]), tolerance)


def tolerances(outcome: Outcome, channels: Sequence[tuple[str, str]], before: np.ndarray) -> np.ndarray:
    """(channels,): as the outcome has them, else as before."""
    known: Mapping[str, float] = outcome.tolerance
    return np.array([known.get(name, float(old)) for (name, _), old in zip(channels, before, strict=True)])


def _figures(values: np.ndarray) -> tuple[float | None, ...]:
    return tuple(float(f"{value:.5g}") if np.isfinite(value) else None for value in values.tolist())
