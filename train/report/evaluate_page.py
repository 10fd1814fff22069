"""The report of `evaluate`: how good the detector was, beside what it has to beat."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from edge.detector.bundle.files import Bundle, Variant
from train.console.words import count, duration, number, often, percent, plural
from train.evaluation.evaluation import Evaluation, Quiet
from train.evaluation.found import Anomaly
from train.evaluation.metrics import Metrics, judged_rows
from train.evaluation.playback import Played
from train.evaluation.scores import episodes_of
from train.evaluation.table import NAMES, NO_LIMITS, cells
from train.plots.curves import Mark, ranking_curves
from train.plots.training import score_histogram
from train.report.episodes import MOST_CLOSE_UPS, MOST_FILES, close_ups, file_parts
from train.report.findings import findings_sections
from train.report.page import Fact, Section, paragraph, picture, table, write_page
from train.report.score_page import CLOSER, HOW_TO_READ


def write_evaluate_report(
    path: str | Path, bundle: Bundle, variant: Variant, played: Sequence[Played], result: Evaluation | Quiet
) -> None:
    """Write the page, with metrics where there were labels.

    Raises:
        DatasetError: the file cannot be written.
    """
    sizes = f"{plural(len(bundle.channels), 'channel')}, {plural(len(played), 'file')}"
    subtitle = f"Variant {variant.name}, {sizes}"
    if isinstance(result, Evaluation):
        facts, sections = _facts(result.detectors["offbeat"]), _labelled(bundle, played, result)
    else:
        facts, sections = _quiet_facts(result), [_distribution(played)]
    sections.append(_over_time(bundle, played, result))
    if any(episodes_of(one) for one in played):
        sections.append(_closer(bundle, played, result))
    write_page(path, f"Evaluation of {bundle.name}", subtitle, facts, sections)


def _facts(metrics: Metrics) -> list[Fact]:
    return [
        Fact("Anomalies found", f"{metrics.events_found} of {metrics.events}", f"after {duration(metrics.delay_s)}"),
        Fact("False episodes", count(metrics.false_episodes), f"of {metrics.episodes} in all"),
        Fact("J", number(metrics.j), "1 knows, 0 guesses"),
        Fact("F1", number(metrics.f1), "by rows"),
        Fact("False alarm rows", percent(metrics.far), "of the normal rows"),
    ]


def _quiet_facts(found: Quiet) -> list[Fact]:
    return [
        Fact("Episodes", count(found.episodes), often(found.episodes_per_day)),
        Fact("Time evaluated", duration(86400 * found.days), "without long gaps"),
        Fact("Time in alarm", percent(found.alarm_rows / found.rows if found.rows else None), "of the rows"),
        Fact("Median score", number(found.quantiles.get("0.5")), "1.0 is the alarm level"),
    ]


def _labelled(bundle: Bundle, played: Sequence[Played], result: Evaluation) -> list[Section]:
    sections = [_baselines(result), _confusion(result.detectors["offbeat"])]
    labels, score, _ = judged_rows(result.files)
    if labels.any() and not labels.all():
        sections.append(_curves(labels, score, result))
    return [*sections, *findings_sections(bundle, played, result)]


def _baselines(result: Evaluation) -> Section:
    header, lines = cells(result)
    known = "limits" in result.detectors
    text = (
        f"“{NAMES['limits']}” is what a control system does without a model: an alarm while any channel is further "
        "from its normal mean than that. "
        if known
        else ""
    )
    text += (
        "The last two see no readings at all: “always” is in alarm on every row, "
        f"“clock” from row {result.clock_row} of every file on, the row that suits it best. A detector is worth "
        "something where it beats them all; where anomalies come late in every file a clock reaches a fine F1, so J "
        "and false episodes are the figures to look at."
    )
    parts = [table(header, lines, stacked=False), *([] if known else [paragraph(f"{NO_LIMITS}.", note=True)])]
    return Section("Results beside the baselines", text, tuple(parts))


def _confusion(metrics: Metrics) -> Section:
    false = metrics.alarm_rows - metrics.hits
    missed = metrics.anomalous_rows - metrics.hits
    cells = [
        '<div class="head"></div><div class="head">in alarm</div><div class="head">no alarm</div>',
        '<div class="head">anomalous rows</div>',
        _cell("right", metrics.hits, "right"),
        _cell("wrong", missed, "missed"),
        '<div class="head">normal rows</div>',
        _cell("wrong", false, "false alarm"),
        _cell("right", metrics.normal_rows - false, "right"),
    ]
    text = (
        "Every judged row once: what it was, and what the detector said. Rows count one by one, so a late start "
        "and a late end of an episode show here although the anomaly was found."
    )
    return Section("Confusion matrix", text, (f'<div class="matrix">{"".join(cells)}</div>',))


def _cell(kind: str, rows: int, meaning: str) -> str:
    return f'<div class="{kind}"><b>{count(rows)}</b>{meaning}</div>'


def _curves(labels: np.ndarray, score: np.ndarray, result: Evaluation) -> Section:
    marks = [
        Mark(NAMES[name], one.far or 0.0, one.recall or 0.0, one.precision, own=name == "offbeat")
        for name, one in result.detectors.items()
    ]
    text = (
        "If every row with a score above some level were an alarm: how many anomalous rows that would catch, against "
        "how many normal ones, for every level. The points are the detectors as they are, with their episodes, which "
        "hold an alarm through quieter rows; they need not lie on the curve of the bare scores."
    )
    drawn = picture(partial(ranking_curves, labels, score, marks), "ROC and precision-recall curves")
    return Section("ROC and precision-recall", text, (drawn,))


def _distribution(played: Sequence[Played]) -> Section:
    scores = np.concatenate([one.replay.score[one.first :] for one in played])
    text = "How often each score came. Without labels nobody can say which alarms were right, only how many there were."
    drawn = picture(partial(score_histogram, scores, "rows"), "Histogram of the score")
    return Section("Distribution of the score", text, (drawn,))


def _over_time(bundle: Bundle, played: Sequence[Played], result: Evaluation | Quiet) -> Section:
    truth = _truth(result)
    most_channels = 8 if len(played) == 1 else 4
    parts: list[str] = []
    for one in played[:MOST_FILES]:
        parts += file_parts(bundle, one, truth.get(one.table.name, ()), most_channels)
    if len(played) > MOST_FILES:
        parts.append(paragraph(f"{len(played) - MOST_FILES} more files are not drawn."))
    return Section("Episodes over time", HOW_TO_READ, tuple(parts))


def _closer(bundle: Bundle, played: Sequence[Played], result: Evaluation | Quiet) -> Section:
    truth, parts = _truth(result), []
    shown = [one for one in played[:MOST_FILES] if episodes_of(one)]
    for one in shown:
        name = f"{one.table.name}, " if len(played) > 1 else ""
        parts += close_ups(bundle, one, truth.get(one.table.name, ()), max(2, MOST_CLOSE_UPS // len(shown)), name)
    return Section("A closer look", CLOSER, tuple(parts))


def _truth(result: Evaluation | Quiet) -> Mapping[str, Sequence[Anomaly]]:
    """Known anomalies by file."""
    return {one.name: one.anomalies for one in result.files} if isinstance(result, Evaluation) else {}
