"""Tables of the report of `fit`."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from edge.detector.rows.aligner import AlignerSettings
from train.console.words import count, number, percent, size, when
from train.fitting.contamination import WorstStretch
from train.plots import signals
from train.read.data_report import DataReport, oddities
from train.report.page import keys, paragraph, picture, table
from train.report_card.card import Card, ColumnFinding

if TYPE_CHECKING:
    from train.fitting.fit import FitResult  # brings TensorFlow

_MOST_DRAWN = 3
"""Stretches that are drawn."""


def data_parts(reports: Sequence[DataReport], timezone: str) -> list[str]:
    """A line for each file, and a note for whatever is odd in it."""
    header = ("file", "rows", "used", "grid rows", "gaps", "repeated", "out of order", "from", "to")
    lines = [
        (
            one.name,
            count(one.rows_read),
            count(one.rows_used),
            count(one.grid_rows),
            count(one.gaps),
            count(one.repeated_times),
            count(one.out_of_order),
            when(one.start, timezone) if one.grid_rows else "-",
            when(one.end, timezone) if one.grid_rows else "-",
        )
        for one in reports
    ]
    odd = [paragraph(f"{one.name}: {line}", note=True) for one in reports for line in oddities(one)]
    return [table(header, lines), *odd]


def card_parts(card: Card) -> list[str]:
    """A line for each finding of each column, and a note for what is about all of them."""
    lines = []
    for line in card.lines:
        for place, finding in enumerate(line.findings or (ColumnFinding(""),)):
            first = ("", "") if place else (line.name, line.grade)
            lines.append((*first, finding.text, finding.option))
    header = ("column", "grade", "found", "option that changes it")
    # A finding is a sentence, and its option a word without a place to break it.
    return [table(header, lines, stacked=True), *(paragraph(note, note=True) for note in card.notes)]


def worst_parts(result: "FitResult") -> list[str]:
    """The stretches, and a note where one of them is suspicious."""
    if not result.worst:
        return [paragraph("No stretch stands out.")]
    timezone = result.settings.timezone
    lines = [
        (one.run, when(one.start, timezone), when(one.end, timezone), f"{one.times_median:.1f}", one.channel)
        for one in result.worst
    ]
    parts = [table(("run", "from", "to", "error over the median", "channel"), lines), _worst_figure(result)]
    for one in result.worst:
        if one.suspicious:
            span = f"{when(one.start, timezone)}..{when(one.end, timezone)}"
            text = (
                f"The stretch of {one.run} on {one.channel} stands out far from the rest. If it was not normal "
                f"operation, leave it out with --exclude '{span}' and fit again."
            )
            parts.append(paragraph(text, note=True))
    return parts


def _worst_figure(result: "FitResult") -> str:
    excerpts = [_excerpt(result, one) for one in result.worst[:_MOST_DRAWN]]
    draw = partial(signals.excerpts, excerpts, result.settings.timezone)
    return picture(draw, "The worst stretches among the rows around them", keys([("truth", "reproduced badly")]))


def _excerpt(result: "FitResult", one: WorstStretch) -> signals.Excerpt:
    """The channel that is worst in a stretch, with some windows before and after."""
    settings = result.settings
    margin = max(one.end - one.start, 4 * settings.window * settings.period_s)
    segments = [
        segment
        for run in (*result.split.fit, *result.split.held_out)
        if run.name == one.run
        for segment in run.segments
    ]
    times = np.concatenate([segment.times for segment in segments])
    values = np.concatenate([segment.values for segment in segments])[:, settings.channels.index(one.channel)]
    order = np.argsort(times, kind="stable")
    near = order[(times[order] >= one.start - margin) & (times[order] <= one.end + margin)]
    unit = settings.units.get(one.channel, "")
    gap_s = AlignerSettings(settings.period_s).gap_s
    return signals.Excerpt(f"{one.run}: {one.channel}", unit, times[near], values[near], (one.start, one.end), gap_s)


def variant_parts(result: "FitResult") -> list[str]:
    """The parity table, and why a variant is not used somewhere."""
    header = ("variant", "size", "difference", "same alarms as float32", "score correlation", "µs a window", "runs in")
    lines = []
    for row in result.parity:
        ran = next((trial for trial in row.trials if trial.runtime in row.runtimes), None)
        correlated = result.score_correlation.get(row.variant)
        lines.append(
            (
                row.variant,
                size(row.size_bytes),
                number(row.rmse_to_float32, 2),
                percent(row.score_agreement),
                "-" if correlated is None else f"{correlated:.3f}",
                f"{ran.us_per_window[1]:.0f}" if ran else "-",
                ", ".join(row.runtimes) or "nowhere",
            )
        )
    problems = [
        paragraph(f"{row.variant} not in {problem}", note=True) for row in result.parity for problem in row.problems
    ]
    return [table(header, lines), *problems]


def settings_part(result: "FitResult") -> str:
    """What the user chose."""
    chosen = result.settings
    lines = [
        ("window", f"{chosen.window} rows"),
        ("stride", f"{chosen.stride} rows between two inferences"),
        ("LSTM units and layers", f"{chosen.hidden}, {chosen.layers}"),
        ("dropout", f"{chosen.dropout:g}"),
        ("scaler", chosen.scaler),
        ("season", chosen.season or "none"),
        ("time zone", chosen.timezone),
        ("seed", str(chosen.training.seed)),
        ("epochs", f"{len(result.trained.losses)} of at most {chosen.training.epochs}"),
        ("training time", f"{result.trained.seconds:.0f} s"),
    ]
    return table(("setting", "value"), lines)
