"""Which anomalies a detector found, and which of its episodes were false."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

GRACE_S = 30.0
"""An episode that starts so long after an anomaly's end still finds it, seconds; or `GRACE_ROWS` of a slower stream."""
GRACE_ROWS = 3


@dataclass(frozen=True)
class Anomaly:
    """A known anomaly: its first and last moment, Unix seconds."""

    start: float
    end: float
    onset: float | None = None
    """From where a delay counts; None is the start. Label windows often begin well before the event does."""


@dataclass(frozen=True)
class Match:
    """What n episode starts made of m anomalies."""

    found_by: tuple[int | None, ...]
    """(m,): index of the episode that found each, None where none did."""
    false: tuple[int, ...]
    """Episodes that started outside every anomaly and found none."""


def grace_s(period_s: float) -> float:
    """How long after an anomaly's end an episode may start and still find it, seconds.

    >>> grace_s(1.0), grace_s(1800.0)
    (30.0, 5400.0)
    """
    return max(GRACE_S, GRACE_ROWS * period_s)


def match(anomalies: Sequence[Anomaly], starts: Sequence[float], grace: float) -> Match:
    """Which anomalies the episodes that start at `starts` (ascending, Unix seconds) found.

    An anomaly is found by the first episode that starts inside it, or within `grace`
    seconds after its end. An episode that was on before does not count.
    """
    found_by = tuple(
        next((n for n, start in enumerate(starts) if one.start <= start <= one.end + grace), None) for one in anomalies
    )
    good = {n for n in found_by if n is not None}
    inside = {n for n, start in enumerate(starts) if any(one.start <= start <= one.end for one in anomalies)}
    return Match(found_by, tuple(n for n in range(len(starts)) if n not in good | inside))


def label_runs(times: np.ndarray, labels: np.ndarray) -> tuple[Anomaly, ...]:
    """An anomaly for each stretch of rows with a label; (n,) Unix seconds and (n,) bool."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], labels, [False]])))
    return tuple(Anomaly(float(times[a]), float(times[b - 1])) for a, b in zip(edges[::2], edges[1::2], strict=True))


def labels_inside(times: np.ndarray, anomalies: Sequence[Anomaly]) -> np.ndarray:
    """(n,) bool: the rows from the start to the end of any anomaly."""
    inside = np.zeros(len(times), bool)
    for one in anomalies:
        inside |= (times >= one.start) & (times <= one.end)
    return inside


def episode_starts(episodes: Sequence[str | None]) -> np.ndarray:
    """(n,) bool: the rows on which a new episode id appears; None where no episode is open.

    >>> episode_starts([None, "a", "a", "b", None, "b"]).nonzero()[0].tolist()
    [1, 3]
    """
    seen: set[str] = set()
    starts = np.zeros(len(episodes), bool)
    for row, episode in enumerate(episodes):
        if episode is not None and episode not in seen:
            seen.add(episode)
            starts[row] = True
    return starts


def alarm_starts(alarm: np.ndarray) -> np.ndarray:
    """(n,) bool: the rows on which an alarm (n,) goes on; for detectors that name no episodes."""
    return alarm & ~np.concatenate([[False], alarm[:-1]])
