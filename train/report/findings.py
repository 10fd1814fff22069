"""The part of an evaluation's report about the known anomalies: which were found, and what of the others."""

from collections.abc import Sequence

import numpy as np

from edge.detector.bundle.files import Bundle
from train.console.words import duration, number, when
from train.evaluation.evaluation import Evaluation
from train.evaluation.metrics import Finding
from train.evaluation.playback import Played
from train.evaluation.table import NAMES, WINDOW_DELAYS
from train.report.episodes import close_up
from train.report.page import Section, heading, paragraph, table

_MOST_MISSED = 6
"""Missed anomalies that are drawn; all are listed."""


def findings_sections(bundle: Bundle, played: Sequence[Played], result: Evaluation) -> list[Section]:
    """All known anomalies, then those that were missed, with times."""
    missed = [one for one in result.detectors["offbeat"].findings if one.found_at is None]
    sections = [_all(bundle, result)]
    return [*sections, _missed(bundle, played, result, missed)] if missed else sections


def _all(bundle: Bundle, result: Evaluation) -> Section:
    limits = result.detectors.get("limits")
    lines = []
    for at, one in enumerate(result.detectors["offbeat"].findings):
        found = "missed" if one.found_at is None else when(one.found_at, bundle.timezone)
        line = {**_where(bundle, result, one), "found at": found, "delay": duration(one.delay_s)}
        if limits is not None:
            line[NAMES["limits"]] = "missed" if limits.findings[at].found_at is None else "found"
        lines.append(line)
    text = (
        "An anomaly counts as found when an episode starts inside it, or shortly after its end (30 seconds, or three "
        "rows of a slower stream). An alarm that was on before does not count."
    )
    if result.windows:
        text += f" {WINDOW_DELAYS}"
    return Section("Anomalies", text, (_table(lines),))


def _where(bundle: Bundle, result: Evaluation, one: Finding) -> dict[str, str]:
    """The first cells of a line about an anomaly; the file only where there are several."""
    span = {"from": when(one.start, bundle.timezone), "to": when(one.end, bundle.timezone)}
    return {"file": one.file, **span} if len(result.files) > 1 else span


def _table(lines: Sequence[dict[str, str]]) -> str:
    return table(list(lines[0]), [list(line.values()) for line in lines]) if lines else paragraph("There were none.")


def _missed(bundle: Bundle, played: Sequence[Played], result: Evaluation, missed: Sequence[Finding]) -> Section:
    files = {one.table.name: one for one in played}
    truth = {one.name: one.anomalies for one in result.files}
    lines = []
    for one in missed:
        highest = {"highest score": number(_highest(files[one.file], one))}
        lines.append({**_where(bundle, result, one), "lasted": duration(one.end - one.start), **highest})
    parts = [_table(lines)]
    for one in missed[:_MOST_MISSED]:
        parts.append(heading(f"{one.file}, {when(one.start, bundle.timezone)} to {when(one.end, bundle.timezone)}"))
        parts.append(close_up(bundle, files[one.file], truth[one.file], (one.start, one.end)))
    if len(missed) > _MOST_MISSED:
        parts.append(paragraph(f"{len(missed) - _MOST_MISSED} more are in the figures of all time only."))
    text = (
        "No episode began in these. A highest score just below 1.0 is a change that the detector saw and held for "
        "normal; one like those before and after is a change that the readings do not show it."
    )
    return Section("Missed", text, tuple(parts))


def _highest(played: Played, one: Finding) -> float | None:
    """The highest score inside an anomaly; None where there is no score."""
    times = played.table.times
    inside = played.replay.score[(times >= one.start) & (times <= one.end)]
    return float(np.nanmax(inside)) if np.isfinite(inside).any() else None
