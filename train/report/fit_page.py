"""The report of `fit`: what the model was trained on, what it expects, and where its alarm level lies."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge.detector.bundle.calibration import Calibration
from edge.detector.bundle.tail import cluster_peaks, peaks_apart
from edge.detector.learn.standing import standings
from edge.detector.rows.aligner import AlignerSettings
from edge.detector.score.runtime import load_model
from train.console.words import count, duration, number, percent, plural
from train.evaluation.trace import Trace, trace
from train.plots.signals import MOST_CHANNELS, Expectation, Recorded, reconstruction, timeline
from train.plots.tail import return_levels
from train.plots.tracks import runs_of
from train.plots.training import losses, score_histogram
from train.read.data_report import DataReport
from train.read.dataset import Segment
from train.report.fit_tables import card_parts, data_parts, settings_part, variant_parts, worst_parts
from train.report.page import Fact, Section, keys, paragraph, picture, write_page
from train.report_card.card import Card

if TYPE_CHECKING:
    from train.fitting.fit import FitResult  # brings TensorFlow

_BAND_ROWS = 400
"""Rows over which readings and expectation are drawn: more, and the lines cannot be told apart."""
_TRACK_ROWS = 3000
"""Rows that are played once more, for what was expected of them."""


def write_report(
    path: str | Path, result: "FitResult", data: Sequence[DataReport] = (), card: Card | None = None
) -> None:
    """Write the page; `data` says what was found in the files, `card` what in their columns.

    Raises:
        DatasetError: the file cannot be written.
    """
    settings, bundle = result.settings, result.bundle
    subtitle = (
        f"{plural(len(settings.channels), 'channel')} every {duration(settings.period_s)}, fitted {bundle.created[:10]}"
    )
    variant, model = load_model(bundle)
    calibration = result.calibrations[variant.name]
    longest = _longest(result)
    seen = trace(bundle, model, calibration, longest.part(max(0, len(longest) - _TRACK_ROWS)))
    sections = [
        *([Section("The readings", _DATA, tuple(data_parts(data, settings.timezone)))] if data else []),
        *([Section("The columns", _COLUMNS, tuple(card_parts(card)))] if card else []),
        Section("Training", _TRAINING, (_losses(result),)),
        Section("What it expects", _EXPECTS, (_reconstruction(result, seen.last(_BAND_ROWS)),)),
        Section("Alarm level", _LEVEL, tuple(_level_parts(result, variant.name, calibration))),
        Section("Score over time", _OVER_TIME, (_timeline(result, variant.name, seen),)),
        Section("Training rows that stand out", _WORST, tuple(worst_parts(result))),
        Section("Model files", _VARIANTS, tuple(variant_parts(result))),
        Section(
            "Settings",
            "Fitting again with the same files and settings gives the same bundle.",
            (settings_part(result),),
        ),
    ]
    write_page(path, f"Model {bundle.name}", subtitle, _facts(result, variant.name), sections)


_DATA = (
    "What was found in the files. Rows are put on a regular grid; a value that is missing is held for a few rows and "
    "then left out, and after a longer gap a new run begins."
)
_COLUMNS = (
    "A report card of the columns before training. “left out”: it became no channel, since it counts, labels or says "
    "nothing. “look”: it is a channel, but something about it may make alarms that nobody wants, or hide those that "
    "somebody would. The option changes it: fit again with it."
)
_TRAINING = (
    "The network is squeezed: it has to reproduce windows of readings from a few numbers, so it only learns to "
    "reproduce what it has met often. Its error falls with every pass over the training rows. The error on later "
    "rows, which it is not trained on, decides when to stop; where that line rises while the other falls, the network "
    "learns by heart."
)
_EXPECTS = (
    "The last rows that were kept from training: readings, and what the network expects them to be. The band is its "
    "tolerance to each side, which one in a thousand normal rows leaves. Where the band follows the readings closely, "
    "small changes will be noticed; where it is wide, only large ones."
)
_LEVEL = (
    "Scores of normal rows that the network was not fitted on. 1.0 is the alarm level; an alarm needs several scores "
    "above it in a row. The further this hump stays below the level, the rarer false alarms are, and the larger a "
    "change must be to be seen."
)
_OVER_TIME = (
    "The longest run of rows that the level was set from, all of it: readings above, the score below, and what was "
    "expected where it ends. There should be no alarm here, and no trend: a score that climbs slowly says that the "
    "machine changed while it was recorded."
)
_WORST = (
    "Anomalies among the training rows are the commonest mistake: the network learns them as normal. These are the "
    "stretches that it reproduces worst although it was trained on them. Look at them; leave out what was not normal "
    "operation with --exclude and fit again."
)
_VARIANTS = (
    "The same network as files for the device. “dynamic” keeps its weights in 8 bits, “int8” calculates in 8 bits too: "
    "smaller and often faster, a little less exact. “difference” is that of the reconstruction to the float32 file, in "
    "standard deviations of a channel. A file is only used in runtimes in which it was really run."
)
_SETTINGS = "Fitting again with the same files and settings gives the same weights."


def _facts(result: "FitResult", variant: str) -> list[Fact]:
    fitted = sum(run.rows for run in (*result.split.fit, *result.split.held_out))
    kept = sum(run.rows for run in result.split.calibrate)
    scores = result.scored[variant].scores
    above = float((scores[np.isfinite(scores)] > 1).mean()) if np.isfinite(scores).any() else None
    every = standings(result.calibrations[variant], result.settings.window)
    judging = [one.name for one in every if one.takes_part]
    waiting = [f"{one.name} wants {one.missing} rows more" for one in every if not one.takes_part]
    return [
        Fact("Rows trained on", count(fitted), f"in {plural(len(result.split.fit), 'run')}"),
        Fact("Rows calibrated on", count(kept), "never trained on"),
        Fact("Window", f"{result.settings.window} rows", duration(result.settings.window * result.settings.period_s)),
        Fact("Error", number(result.trained.held_out_losses[result.trained.best_epoch]), "on rows held out"),
        Fact("Above the level", percent(above), "of the calibration rows"),
        Fact("Members that judge", f"{len(judging)} of {len(every)}", "; ".join([", ".join(judging), *waiting])),
    ]


def _longest(result: "FitResult") -> Segment:
    """The longest unbroken stretch of the calibration rows."""
    return max((segment for run in result.split.calibrate for segment in run.segments), key=len)


def _whole(result: "FitResult", variant: str, seen: Trace) -> Recorded:
    """The longest stretch with its scores as they were calibrated on, and what was expected in the part `seen`.

    That part alone where several runs have rows at the same times: a score could be any one's.
    """
    longest, scored = _longest(result), result.scored[variant]
    score_of = dict(zip(scored.times.tolist(), scored.scores.tolist(), strict=True))
    if len(score_of) < len(scored.times):
        longest = longest.part(len(longest) - len(seen.times))
        score_of = dict(zip(seen.times.tolist(), seen.score.tolist(), strict=True))
    score = np.array([score_of.get(time, np.nan) for time in longest.times.tolist()])
    expected, tolerance = np.full((2, *longest.values.shape), np.nan)
    at = np.searchsorted(longest.times, seen.times)
    expected[at], tolerance[at] = seen.expected, seen.tolerance
    flagged = runs_of(longest.times, score > 1)
    return Recorded(longest.times, longest.values, score, flagged, expected=expected, tolerance=tolerance)


def _losses(result: "FitResult") -> str:
    trained = result.trained
    draw = partial(losses, trained.losses, trained.held_out_losses, trained.best_epoch)
    return picture(draw, "Loss over the epochs, on rows trained on and on rows held out")


def _reconstruction(result: "FitResult", seen: Trace) -> str:
    shown = _shown(result)
    part = Expectation(seen.times, seen.values[:, shown], seen.expected[:, shown], seen.tolerance[:, shown])
    draw = partial(reconstruction, part, _names(result, shown), _gap_s(result), result.settings.timezone)
    legend = keys([("observed", "reading"), ("expected", "expected, and its tolerance")])
    return picture(draw, "Readings and what the network expects, for each channel", legend + _left_out(result))


def _timeline(result: "FitResult", variant: str, seen: Trace) -> str:
    shown = _shown(result)
    record = _whole(result, variant, seen).of_channels(shown)
    draw = partial(timeline, record, _names(result, shown), _gap_s(result), result.settings.timezone)
    meanings = [("observed", "reading"), ("expected", "expected, and its tolerance")]
    meanings += [("alarm", "score above the alarm level")] if record.flagged else []
    return picture(draw, "Readings and score over time", keys(meanings))


_TAIL = (
    "Each point is the highest score of two windows of normal rows. The line is the tail fitted to the highest of "
    "them; an event's return period is read off it, and is not told further than ten times the normal rows reach."
)


def _level_parts(result: "FitResult", variant: str, calibration: Calibration) -> list[str]:
    scores = result.scored[variant].scores
    tail = calibration.tail
    period = None if tail is None else tail.return_period_s(calibration.level)
    span = duration(calibration.span_s)
    if period is None:
        rare = f"How rare a score of 1.0 is on normal data cannot be told from {span} of it."
    else:
        rare = f"On normal data a score of 1.0 comes about once in {duration(period)}, as far as {span} of it can tell."
    draw = partial(score_histogram, scores, "rows")
    parts = [picture(draw, "Histogram of scores on normal rows, with the alarm level"), paragraph(rare)]
    if tail is not None:
        apart = peaks_apart(result.settings.window, result.settings.stride)
        drawn = partial(return_levels, cluster_peaks(scores * calibration.level, apart), tail, calibration.level)
        parts += [picture(drawn, "Scores against the time in which normal rows reach them once"), paragraph(_TAIL)]
    return parts


def _shown(result: "FitResult") -> list[int]:
    return list(range(min(len(result.settings.channels), MOST_CHANNELS)))


def _names(result: "FitResult", shown: Sequence[int]) -> list[tuple[str, str]]:
    return [(result.bundle.channels[number].name, result.bundle.channels[number].unit) for number in shown]


def _left_out(result: "FitResult") -> str:
    more = len(result.settings.channels) - len(_shown(result))
    return f" <span>{more} more channels are not drawn</span>" if more > 0 else ""


def _gap_s(result: "FitResult") -> float:
    return AlignerSettings(result.settings.period_s).gap_s
