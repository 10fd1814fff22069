"""What played files are worth: metrics beside the baselines where labels are known, plain counts where not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edge.detector.bundle.files import Bundle
from edge.detector.bundle.tail import peaks_apart
from edge.detector.rows.aligner import AlignerSettings
from train.evaluation import blind, limits
from train.evaluation.found import Anomaly, episode_starts, grace_s, label_runs, labels_inside
from train.evaluation.metrics import Judged, Metrics, measure
from train.evaluation.playback import Played
from train.evaluation.return_check import Claim, claims
from train.read.tables import RawTable

QUANTILES = (0.5, 0.9, 0.99, 0.999, 1.0)


@dataclass(frozen=True)
class Evaluation:
    """Metrics of the detector and of what it has to beat."""

    detectors: dict[str, Metrics]
    """`offbeat`, `limits` (mean +- 3 sd on each channel, where these are known), `always` and `clock`."""
    files: tuple[Judged, ...]
    """The detector's own."""
    clock_row: int
    """From where on `clock` is in alarm."""
    windows: bool
    """Whether label windows say what an anomaly is: delays count from the window's start then."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "detectors": {name: metrics.to_dict() for name, metrics in self.detectors.items()},
            "clock_row": self.clock_row,
        }


@dataclass(frozen=True)
class Quiet:
    """What can be said without labels."""

    rows: int
    scored_rows: int
    alarm_rows: int
    days: float
    """Time evaluated, long gaps left out."""
    episodes: int
    episodes_per_day: float | None
    quantiles: dict[str, float]
    """Of the score: part of the scored rows below it to score."""

    claims: tuple[Claim, ...] = ()
    """Return periods beside what was seen of them, taken as if all rows were normal."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**vars(self), "claims": [claim.to_dict() for claim in self.claims]}


def judge(played: Played, anomalies: Sequence[Anomaly] | None, first: int) -> Judged:
    """One file as the detector judged it beside its truth; see `truth`."""
    return replace(
        truth(played.table, anomalies, first),
        score=played.replay.score,
        alarm=played.replay.alarm,
        starts=episode_starts(played.replay.episode),
    )


def truth(table: RawTable, anomalies: Sequence[Anomaly] | None, first: int) -> Judged:
    """A file of which nothing was said: label windows where given, else the rows that its label column marks.

    With both, windows say what is found and labels what is right row by row.
    """
    times = filled_times(table.times)
    labels = table.labels
    if labels is None:
        labels = labels_inside(times, anomalies or ())
    return Judged(
        name=table.name,
        times=times,
        labels=labels,
        anomalies=label_runs(times, labels) if anomalies is None else tuple(anomalies),
        score=np.full(len(times), np.nan),
        alarm=np.zeros(len(times), bool),
        starts=np.zeros(len(times), bool),
        first=first,
        unjudged=table.unjudged,
    )


def evaluate(bundle: Bundle, played: Sequence[Played], files: Sequence[Judged], windows: bool = False) -> Evaluation:
    """The detector's metrics beside those of fixed limits and of the blind baselines, on the same rows."""
    judged = {
        "offbeat": list(files),
        **_limits(bundle, played, files),
        "always": blind.always(files),
        "clock": blind.clock(files),
    }
    grace = grace_s(bundle.period_s)
    return Evaluation(
        detectors={name: measure(one, grace) for name, one in judged.items()},
        files=tuple(files),
        clock_row=blind.best_row(files),
        windows=windows,
    )


def _limits(bundle: Bundle, played: Sequence[Played], files: Sequence[Judged]) -> dict[str, list[Judged]]:
    """Nothing where there is a file of whose normal rows nobody knows mean and sd."""
    values = [one.table.values for one in played]
    normal = [limits.normal_of(bundle, value, file) for value, file in zip(values, files, strict=True)]
    known = [one for one in normal if one is not None]
    if len(known) < len(normal):
        return {}
    return {"limits": limits.fixed_limits(files, values, known, limits.hold_s(bundle.period_s))}


def summarize(bundle: Bundle, played: Sequence[Played], first: int) -> Quiet:
    """Episodes and the score's distribution, from row `first` of every file on."""
    scores = np.concatenate([one.replay.score[first:] for one in played])
    scored = scores[np.isfinite(scores)]
    longest = AlignerSettings(bundle.period_s).gap_s
    seconds = sum(float(np.clip(np.diff(filled_times(one.table.times)[first:]), 0, longest).sum()) for one in played)
    episodes = sum(int(episode_starts(one.replay.episode)[first:].sum()) for one in played)
    days = seconds / 86400
    return Quiet(
        rows=len(scores),
        scored_rows=len(scored),
        alarm_rows=sum(int(one.replay.alarm[first:].sum()) for one in played),
        days=days,
        episodes=episodes,
        episodes_per_day=episodes / days if days else None,
        quantiles={f"{part:g}": float(np.quantile(scored, part)) for part in QUANTILES} if len(scored) else {},
        claims=claims(
            [(one.replay.score[first:], one.calibration) for one in played],
            peaks_apart(bundle.window, bundle.stride),
            bundle.period_s,
        ),
    )


def filled_times(times: np.ndarray) -> np.ndarray:
    """(n,) times where a row without one takes that of the row above it, the first ones that of the row below."""
    known = np.isfinite(times)
    last = np.maximum.accumulate(np.where(known, np.arange(len(times)), -1))
    return times[np.where(last < 0, int(np.argmax(known)), last)]
