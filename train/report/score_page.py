"""The report of `score`: one file, its episodes and its scores."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from edge.detector.bundle.files import Bundle, Variant
from train.console.words import count, number, often, percent, plural
from train.evaluation.evaluation import Quiet, summarize
from train.evaluation.found import Anomaly, label_runs
from train.evaluation.playback import Played
from train.evaluation.scores import episodes_of
from train.plots.training import score_histogram
from train.report.episodes import close_ups, file_parts
from train.report.page import Fact, Section, picture, write_page

HOW_TO_READ = (
    "The model learned what normal readings look like and, for every row, works out what it would have expected. "
    "The score says how far the readings are from that, measured so that 1.0 is the alarm level, "
    "which was set from normal rows that it was calibrated on. An episode begins after several scores above 1.0 in a "
    "row and ends when the score has come down again. The channel blamed is the one with the largest part in the score."
)

CLOSER = (
    "Each episode, the loudest where there are many, on the channels that lead the score there, with what went before "
    "and came after. The band is what the detector expected of the channel at that moment, its tolerance to both "
    "sides: hardly any normal row leaves it. A relation between channels or a rhythm can be wrong inside the band."
)


def write_score_report(path: str | Path, bundle: Bundle, variant: Variant, played: Played) -> None:
    """Write the page.

    Raises:
        DatasetError: the file cannot be written.
    """
    subtitle = f"Model {bundle.name}, variant {variant.name}, {plural(len(bundle.channels), 'channel')}"
    labels = played.table.labels
    truth = () if labels is None else label_runs(played.table.times, labels)
    sections = [_over_time(bundle, played, truth)]
    if episodes_of(played):
        sections.append(_closer(bundle, played, truth))
    sections.append(_scores(played))
    write_page(path, f"Scores of {played.table.name}", subtitle, _facts(bundle, played), sections)


def _facts(bundle: Bundle, played: Played) -> list[Fact]:
    found: Quiet = summarize(bundle, [played], played.first)
    top = np.nanmax(played.replay.score) if found.scored_rows else None
    return [
        Fact("Rows", count(found.rows), f"{count(found.scored_rows)} with a score"),
        Fact("Episodes", count(found.episodes), often(found.episodes_per_day)),
        Fact("Time in alarm", percent(found.alarm_rows / found.rows if found.rows else None), "of the rows"),
        Fact("Highest score", number(top), "1.0 is the alarm level"),
    ]


def _over_time(bundle: Bundle, played: Played, truth: Sequence[Anomaly]) -> Section:
    return Section("Episodes over time", HOW_TO_READ, tuple(file_parts(bundle, played, truth)[1:]))


def _closer(bundle: Bundle, played: Played, truth: Sequence[Anomaly]) -> Section:
    return Section("A closer look", CLOSER, tuple(close_ups(bundle, played, truth)))


def _scores(played: Played) -> Section:
    scores = played.replay.score[played.first :]
    text = (
        "How often each score came. On a quiet recording nearly all rows lie well to the left of the alarm level; "
        "a hump beyond it is either a real change of the machine or a calibration that has seen too little of normal."
    )
    return Section(
        "Distribution of the score",
        text,
        (picture(partial(score_histogram, scores, "rows"), "Histogram of the score"),),
    )
