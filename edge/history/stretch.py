"""Rows of a stream, oldest first, with what the detector made of them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from edge.wire.payload import jsonable


class KeptRow(NamedTuple):
    """One row; NaN where nothing is known."""

    time: float
    """Unix seconds."""
    score: float
    """1.0 is the alarm level."""
    values: Sequence[float] | np.ndarray
    """By channel, in its unit."""
    expected: Sequence[float] | np.ndarray
    tolerance: Sequence[float] | np.ndarray
    """How far normal rows stay from what is expected."""


@dataclass(frozen=True)
class Stretch:
    """Rows of one stream; arrays have NaN where nothing is known."""

    stream: str
    channels: tuple[tuple[str, str], ...]
    """Names with units."""
    times: np.ndarray
    """(rows,) Unix seconds."""
    scores: np.ndarray
    """(rows,); 1.0 is the alarm level."""
    values: np.ndarray
    """(rows, channels), in the channels' units."""
    expected: np.ndarray
    """(rows, channels)."""
    tolerance: np.ndarray
    """(rows, channels): how far normal rows stay from what is expected."""
    event_id: str | None = None
    """Of the episode that the rows are around; None of the latest rows."""
    kind: str | None = None
    """Of that episode."""
    start_time: float | None = None
    """Of that episode, Unix seconds."""
    end_time: float | None = None
    """None while it is open."""
    total: int = field(default=0)
    """Rows that there were before they were thinned."""

    def __len__(self) -> int:
        return len(self.times)

    def rows(self) -> list[KeptRow]:
        """One after the other."""
        parts = (self.times, self.scores, self.values, self.expected, self.tolerance)
        return [KeptRow(*each) for each in zip(*(part.tolist() for part in parts), strict=True)]

    def within(self, since: float = -math.inf, until: float = math.inf) -> "Stretch":
        """The rows of a span, Unix seconds, both ends included."""
        return self._at(np.flatnonzero((self.times >= since) & (self.times <= until)))

    def thinned(self, most: int) -> "Stretch":
        """At most so many rows: the loudest of each of as many spans of equal length."""
        return self if len(self) <= most else self._at(loudest(self.times, self.scores, most))

    def to_dict(self, digits: int = 7) -> dict[str, Any]:
        """Plain JSON, a list for each channel; null where nothing is known."""
        body: dict[str, Any] = {"stream": self.stream, "event_id": self.event_id, "kind": self.kind}
        body |= {"start_time": self.start_time, "end_time": self.end_time, "rows": len(self), "of": self.total}
        body |= {"channels": [{"name": name, "unit": unit} for name, unit in self.channels]}
        body |= {"times": self.times.tolist(), "scores": short(self.scores, 4)}
        for name in ("values", "expected", "tolerance"):
            columns = getattr(self, name).T
            body[name] = {channel: short(columns[n], digits) for n, (channel, _) in enumerate(self.channels)}
        return jsonable(body)

    def _at(self, which: np.ndarray) -> "Stretch":
        names = ("times", "scores", "values", "expected", "tolerance")
        return replace(self, **{name: getattr(self, name)[which] for name in names})


def stretch_of(stream: str, channels: Sequence[tuple[str, str]], rows: Iterable[KeptRow], **about: Any) -> Stretch:
    """A stretch of rows, oldest first; of two at one time the later one counts."""
    ordered = sorted({row.time: row for row in rows}.values(), key=lambda row: row.time)
    width = len(channels)
    values, expected, tolerance = (
        np.array([row[n] for row in ordered], float).reshape(len(ordered), width) for n in (2, 3, 4)
    )
    times, scores = (np.array([row[n] for row in ordered], float) for n in (0, 1))
    about = {"total": len(ordered), **about}
    return Stretch(stream, tuple(channels), times, scores, values, expected, tolerance, **about)


def loudest(times: np.ndarray, scores: np.ndarray, most: int) -> np.ndarray:
    """Positions of at most `most` of these rows: the one with the highest score in each span of equal length."""
    if len(times) <= most:
        return np.arange(len(times))
    span_s = max(float(times[-1] - times[0]), 1e-9)
    bins = np.minimum(((times - times[0]) / span_s * most).astype(int), most - 1)
    order = np.lexsort((np.nan_to_num(scores, nan=-1.0), bins))  # within a span the loudest is the last
    last = np.append(bins[order][1:] != bins[order][:-1], True)
    return np.sort(order[last])


def short(numbers: np.ndarray, digits: int) -> list[float | None]:
    """So many significant digits, as JSON has them; null for what is none.

    >>> short(np.array([1234.56789, np.nan]), 6)
    [1234.57, None]
    """
    return [float(f"{one:.{digits}g}") if math.isfinite(one) else None for one in numbers.tolist()]
