"""How good a detector was where the anomalies are known: rates by rows, findings by episodes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from train.evaluation.found import Anomaly, Match, match


@dataclass(frozen=True)
class Judged:
    """What a detector said of the rows of one file, beside the truth; rows before `first` are not evaluated."""

    name: str
    times: np.ndarray
    """(n,) Unix seconds, all finite."""
    labels: np.ndarray
    """(n,) bool: rows that are anomalous."""
    anomalies: tuple[Anomaly, ...]
    score: np.ndarray
    """(n,): higher is more unusual, NaN where there is none."""
    alarm: np.ndarray
    """(n,) bool."""
    starts: np.ndarray
    """(n,) bool: first rows of episodes."""
    first: int = 0
    top_channel: tuple[str | None, ...] = ()
    """(n,) the channel blamed for each row; empty for detectors that blame none."""
    drift: tuple[float, ...] = ()
    """Times at which a drift was told of, Unix seconds."""
    unjudged: np.ndarray | None = None
    """(n,) bool: rows of which nobody knows whether they are anomalous, left out of all figures; None for none."""

    @property
    def counted(self) -> np.ndarray:
        """(n,) bool: the rows that figures are about."""
        counted = np.arange(len(self.times)) >= self.first
        return counted if self.unjudged is None else counted & ~self.unjudged


@dataclass(frozen=True)
class Finding:
    """One anomaly and whether it was found."""

    file: str
    start: float
    end: float
    onset: float
    """Unix seconds."""
    found_at: float | None
    """First alarm row of the episode that found it, Unix seconds."""
    channel: str | None = None
    """The channel that was blamed on that row."""

    @property
    def delay_s(self) -> float | None:
        """From onset to alarm, seconds; negative where a label window begins before the event and an alarm too."""
        return None if self.found_at is None else self.found_at - self.onset


@dataclass(frozen=True)
class Metrics:
    """All metrics over several files; rates are fractions, None where there is nothing to divide by."""

    rows: int
    """That were evaluated and judged."""
    normal_rows: int
    anomalous_rows: int
    alarm_rows: int
    hits: int
    """Anomalous rows in alarm."""
    f1: float | None
    precision: float | None
    recall: float | None
    far: float | None
    """Alarm rows among the normal rows."""
    mar: float | None
    """Rows without alarm among the anomalous rows."""
    j: float | None
    """1 - far - mar: 0 for whoever guesses, 1 for whoever knows."""
    far_before_onset: float | None
    """Alarm rows among the normal rows between the first evaluated row and a file's first onset."""
    roc_auc: float | None
    pr_auc: float | None
    """Average precision."""
    events: int
    events_found: int
    files: int
    files_with_events: int
    files_found: int
    """Files of which at least one anomaly was found."""
    episodes: int
    false_episodes: int
    delay_s: float | None
    """Mean over the anomalies found."""
    findings: tuple[Finding, ...]
    unjudged_rows: int = 0
    """Evaluated rows that nobody judged; no other figure counts them."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        body = asdict(self)
        body["findings"] = [{**asdict(one), "delay_s": one.delay_s} for one in self.findings]
        return body


def measure(files: Sequence[Judged], grace: float | Sequence[float]) -> Metrics:
    """All metrics: rates and curves over the rows of all files together, episodes file by file.

    `grace` is how long after an anomaly's end an episode still finds it, seconds; of
    each file where their periods differ.
    """
    labels, score, alarm = judged_rows(files)
    graces = [grace] * len(files) if isinstance(grace, int | float) else grace
    matches = [_match(one, own) for one, own in zip(files, graces, strict=True)]
    findings = [finding for one, found in zip(files, matches, strict=True) for finding in _findings(one, found)]
    found = [one for one in findings if one.found_at is not None]
    delays = [one.delay_s for one in found if one.delay_s is not None]
    return Metrics(
        **_rates(labels, alarm),
        far_before_onset=_far_before_onset(files),
        roc_auc=_auc(roc_auc_score, labels, score),
        pr_auc=_auc(average_precision_score, labels, score),
        events=len(findings),
        events_found=len(found),
        files=len(files),
        files_with_events=len({one.file for one in findings}),
        files_found=len({one.file for one in found}),
        episodes=int(sum(one.starts[one.first :].sum() for one in files)),
        false_episodes=sum(len(one.false) for one in matches),
        delay_s=float(np.mean(delays)) if delays else None,
        findings=tuple(findings),
        unjudged_rows=sum(len(one.times) - one.first - int(one.counted.sum()) for one in files),
    )


def judged_rows(files: Sequence[Judged]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, scores and alarms of the evaluated rows of all files, one after another; no score counts as 0.

    Rows that nobody judged are not among them.
    """
    labels, score, alarm = (
        np.concatenate([getattr(one, name)[one.counted] for one in files]) for name in ("labels", "score", "alarm")
    )
    return labels, np.nan_to_num(score, nan=0.0), alarm


def evaluated_anomalies(file: Judged) -> tuple[Anomaly, ...]:
    """The anomalies that do not end before the first evaluated row."""
    if file.first >= len(file.times):
        return ()
    return tuple(one for one in file.anomalies if one.end >= file.times[file.first])


def false_starts(file: Judged, grace: float) -> np.ndarray:
    """Times at which false episodes start, Unix seconds."""
    return _start_times(file)[list(_match(file, grace).false)]


def _match(file: Judged, grace: float) -> Match:
    """What its episodes found; one that starts where nobody judged is not false."""
    found = match(evaluated_anomalies(file), _start_times(file).tolist(), grace)
    if file.unjudged is None:
        return found
    unknown = file.unjudged[file.first :][file.starts[file.first :]]
    return replace(found, false=tuple(number for number in found.false if not unknown[number]))


def _start_times(file: Judged) -> np.ndarray:
    return file.times[file.first :][file.starts[file.first :]]


def _findings(file: Judged, found: Match) -> list[Finding]:
    starts = _start_times(file)
    rows = file.first + np.flatnonzero(file.starts[file.first :])
    blamed = [file.top_channel[row] for row in rows] if file.top_channel else [None] * len(rows)
    return [
        Finding(
            file=file.name,
            start=one.start,
            end=one.end,
            onset=one.start if one.onset is None else one.onset,
            found_at=None if episode is None else float(starts[episode]),
            channel=None if episode is None else blamed[episode],
        )
        for one, episode in zip(evaluated_anomalies(file), found.found_by, strict=True)
    ]


def _rates(labels: np.ndarray, alarm: np.ndarray) -> dict[str, Any]:
    anomalous, alarms, hits = int(labels.sum()), int(alarm.sum()), int((labels & alarm).sum())
    normal = len(labels) - anomalous
    far, mar = _ratio(alarms - hits, normal), _ratio(anomalous - hits, anomalous)
    return {
        "rows": len(labels),
        "normal_rows": normal,
        "anomalous_rows": anomalous,
        "alarm_rows": alarms,
        "hits": hits,
        "f1": _ratio(2 * hits, anomalous + alarms),
        "precision": _ratio(hits, alarms),
        "recall": _ratio(hits, anomalous),
        "far": far,
        "mar": mar,
        "j": None if far is None or mar is None else 1 - far - mar,
    }


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _far_before_onset(files: Sequence[Judged]) -> float | None:
    """Files without an anomaly have no onset and are left out."""
    normal = alarms = 0
    for file in files:
        anomalies = evaluated_anomalies(file)
        if anomalies:
            onset = min(one.start if one.onset is None else one.onset for one in anomalies)
            before = (file.times < onset) & ~file.labels
            before &= file.counted
            normal += int(before.sum())
            alarms += int((before & file.alarm).sum())
    return _ratio(alarms, normal)


def _auc(measure_curve: Any, labels: np.ndarray, score: np.ndarray) -> float | None:
    """None where all rows are of one kind: there is no curve then."""
    return None if labels.all() or not labels.any() else float(measure_curve(labels, score))
