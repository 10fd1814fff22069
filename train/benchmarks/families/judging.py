"""What alarms are worth beside labels of three kinds: anomalous, normal, and not judged."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from statistics import median
from typing import Any

import numpy as np

from train.benchmarks.figures import Figures
from train.evaluation import blind
from train.evaluation.found import GRACE_ROWS, GRACE_S, alarm_starts

ANOMALOUS, NORMAL, NOT_JUDGED = 1, 0, -1
"""Labels. What is not judged is no false alarm and no miss, and an episode that starts there is not false."""


@dataclass(frozen=True)
class Truth:
    """What is known of the rows of a recording."""

    times: np.ndarray
    """(n,) Unix seconds, all finite."""
    labels: np.ndarray
    """(n,) of `ANOMALOUS`, `NORMAL`, `NOT_JUDGED`."""
    first: int = 0
    """The first row that is judged: those before commission the stream."""

    @property
    def step_s(self) -> float:
        """The median step between two rows, seconds."""
        return float(np.median(np.diff(self.times))) if len(self.times) > 1 else 0.0

    @property
    def grace_rows(self) -> int:
        """So many rows after an anomaly's end an episode may start and still find it."""
        return max(GRACE_ROWS, round(GRACE_S / self.step_s)) if self.step_s > 0 else GRACE_ROWS

    @property
    def normal_s(self) -> float:
        """Time of the judged rows that are normal, seconds."""
        return int((self.labels[self.first :] == NORMAL).sum()) * self.step_s


@dataclass(frozen=True)
class Counts:
    """What can be added up over recordings."""

    normal: int = 0
    """Rows."""
    false: int = 0
    """Of them in alarm."""
    anomalous: int = 0
    hits: int = 0
    """Of them in alarm."""
    events: int = 0
    events_found: int = 0
    false_episodes: int = 0
    normal_s: float = 0.0
    """Time of the normal rows, seconds."""
    delays: tuple[tuple[int, float], ...] = ()
    """Of each event found: from its first anomalous row to the start of the first episode that found it, rows and
    seconds; negative where that began on rows that are not judged."""


def together(counts: Sequence[Counts]) -> Counts:
    """All of them added up.

    >>> together([Counts(normal=2), Counts(normal=3, delays=((4, 8.0),))])
    Counts(normal=5, false=0, anomalous=0, hits=0, events=0, events_found=0, false_episodes=0, normal_s=0.0, \
delays=((4, 8.0),))
    """
    added: dict[str, Any] = {
        one.name: sum((getattr(each, one.name) for each in counts), start=one.default)  # type: ignore[arg-type]
        for one in fields(Counts)
    }
    return Counts(**added)


def judge(alarm: np.ndarray, truth: Truth) -> Counts:
    """Count what (n,) alarms of a recording are worth.

    An event is a stretch of rows that are not normal of which at least one is anomalous. It
    is found where an alarm goes on during it, or within the grace after it; an alarm that
    was on before does not count. One that goes on outside of all stretches is false.
    """
    labels, alarm = truth.labels[truth.first :], np.asarray(alarm, bool)
    starts = np.flatnonzero(alarm_starts(alarm)[truth.first :])
    alarm = alarm[truth.first :]
    stretches = _stretches(labels)
    events = [(start, end) for start, end in stretches if (labels[start:end] == ANOMALOUS).any()]
    delays = [_delay(labels, truth.times[truth.first :], starts, event, truth.grace_rows) for event in events]
    found = tuple(delay for delay in delays if delay is not None)
    inside = np.zeros(len(labels) + truth.grace_rows, bool)
    for start, end in stretches:
        inside[start : end + truth.grace_rows] = True
    return Counts(
        normal=int((labels == NORMAL).sum()),
        false=int((alarm & (labels == NORMAL)).sum()),
        anomalous=int((labels == ANOMALOUS).sum()),
        hits=int((alarm & (labels == ANOMALOUS)).sum()),
        events=len(events),
        events_found=len(found),
        false_episodes=int((~inside[starts]).sum()),
        normal_s=truth.normal_s,
        delays=found,
    )


def figures(counts: Counts) -> Figures:
    """Rates as fractions, None where there is nothing to divide by; delays are medians over the events found."""
    far, hit = _ratio(counts.false, counts.normal), _ratio(counts.hits, counts.anomalous)
    return {
        "j": None if far is None or hit is None else hit - far,
        "far": far,
        "mar": None if hit is None else 1 - hit,
        "events": counts.events,
        "events_found": counts.events_found,
        "false_episodes": counts.false_episodes,
        "false_episodes_per_1000_rows": _ratio(1000 * counts.false_episodes, counts.normal),
        "false_episodes_per_day": _ratio(86400 * counts.false_episodes, counts.normal_s),
        "delay_rows": median(rows for rows, _ in counts.delays) if counts.delays else None,
        "delay_s": median(seconds for _, seconds in counts.delays) if counts.delays else None,
    }


def silence(truth: Truth) -> np.ndarray:
    """(n,) alarms of whoever says nothing."""
    return np.zeros(len(truth.times), bool)


def always(truth: Truth) -> np.ndarray:
    """(n,) alarms of whoever is in alarm on every judged row."""
    return from_row(truth, 0)


def from_row(truth: Truth, row: int) -> np.ndarray:
    """(n,) alarms that are on from a row on, at the earliest from the first judged one."""
    return np.arange(len(truth.times)) >= max(row, truth.first)


def clock_row(truths: Sequence[Truth]) -> int:
    """The row of every recording from which on an alarm suits all of them best; see `blind.best_row`."""
    judged = [truth.first + np.flatnonzero(truth.labels[truth.first :] != NOT_JUDGED) for truth in truths]
    labels = [truth.labels[rows] == ANOMALOUS for truth, rows in zip(truths, judged, strict=True)]
    return blind.best_start(np.concatenate(judged), np.concatenate(labels))


def _stretches(labels: np.ndarray) -> list[tuple[int, int]]:
    """Start and end of each stretch of rows that are not normal."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], labels != NORMAL, [False]]).astype(int)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _delay(
    labels: np.ndarray, times: np.ndarray, starts: np.ndarray, event: tuple[int, int], grace_rows: int
) -> tuple[int, float] | None:
    """Rows and seconds from an event's first anomalous row to the alarm that found it, None where none did."""
    finding = starts[(starts >= event[0]) & (starts < event[1] + grace_rows)]
    if not len(finding):
        return None
    onset = event[0] + int(np.argmax(labels[event[0] : event[1]] == ANOMALOUS))
    return int(finding[0]) - onset, float(times[finding[0]] - times[onset])


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
