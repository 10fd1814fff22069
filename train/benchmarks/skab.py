"""SKAB's protocol: fleet model from the first rows of some runs, each other run commissioned on its own first rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge.detector.rows.aligner import AlignerSettings
from train.benchmarks.case import Case
from train.benchmarks.figures import BenchmarkResult, figures_of
from train.benchmarks.folder import read_labelled, recordings
from train.benchmarks.models import Workshop
from train.benchmarks.trial import try_all
from train.console.errors import DatasetError
from train.evaluation.blind import best_row
from train.evaluation.found import grace_s
from train.evaluation.metrics import measure
from train.fitting.fit import FitSettings
from train.read.dataset import Run, Selection, align, usual_period
from train.read.tables import RawTable

FOLDS = 2


@dataclass(frozen=True)
class SkabSettings:
    """What is set, all of it a user's to say."""

    folder: Path
    fit: Path | None = None
    """Other recordings to fit the fleet model on, in place of the other fold."""
    label_column: str = "anomaly"
    rows: int = 400
    """First rows of each file that are known to be normal."""
    period_s: float | None = None
    """None is the median step."""
    timezone: str = "UTC"
    model: FitSettings = field(default_factory=lambda: FitSettings("skab", (), 1.0))
    """Window and training; its name, channels and period are filled in."""


def benchmark(settings: SkabSettings, seeds: Sequence[int], workshop: Workshop) -> BenchmarkResult:
    """The figures over all files together, for each seed.

    Raises:
        DatasetError: files or folders that cannot be used.
        FitError: rows that no model can be fitted on.
    """
    tables = _tables(settings)
    cases = _cases(settings, tables)
    trials = try_all(cases, seeds, workshop)
    grace = grace_s(cases[0].model.period_s)
    detectors = trials.tallies(lambda files: figures_of(measure(files, grace)))
    row = best_row(trials.seeds[0]["offbeat"])
    return BenchmarkResult(
        detectors,
        {"files": str(len(tables)), **_told(settings, cases[0].model)},
        (f"clock: in alarm from row {row} of every file on, the row that suits it best", *trials.notes),
    )


def _tables(settings: SkabSettings) -> list[RawTable]:
    tables = [
        table
        for table in read_labelled(recordings(settings.folder), settings.label_column, settings.timezone)
        if table.labels is not None
    ]
    wanted = FOLDS if settings.fit is None else 1
    if len(tables) < wanted:
        raise DatasetError(
            f"{settings.folder}: {len(tables)} files with a column {settings.label_column!r}, wanted {wanted} and more"
            + (" to fit on some and try the others, or --fit DIR with other recordings" if wanted > 1 else "")
        )
    return tables


def _cases(settings: SkabSettings, tables: Sequence[RawTable]) -> list[Case]:
    period_s = settings.period_s or usual_period(tables)
    model = replace(settings.model, channels=tables[0].channels, period_s=period_s, timezone=settings.timezone)
    if settings.fit is not None:
        others = read_labelled(recordings(settings.fit), settings.label_column, settings.timezone, tables[0].channels)
        return [Case("skab-other", _normal(settings, others, period_s), model, tables, settings.rows)]
    parts = [tables[fold::FOLDS] for fold in range(FOLDS)]
    return [
        Case(f"skab-fold{fold}", _normal(settings, parts[1 - fold], period_s), model, parts[fold], settings.rows)
        for fold in range(FOLDS)
    ]


def _normal(settings: SkabSettings, tables: Sequence[RawTable], period_s: float) -> tuple[Run, ...]:
    """The rows known to be normal: the first ones of a file with labels, all of a file without."""
    aligner = AlignerSettings(period_s)
    first = Selection(slice(0, settings.rows))
    return tuple(
        align(replace(table, labels=None), Selection() if table.labels is None else first, aligner) for table in tables
    )


def _told(settings: SkabSettings, model: FitSettings) -> dict[str, str]:
    fitted = (
        f"rows 0 to {settings.rows - 1} of the other fold, {FOLDS} folds"
        if settings.fit is None
        else f"{settings.fit}: all rows of files without {settings.label_column!r}, else 0 to {settings.rows - 1}"
    )
    return {
        "channels": ", ".join(model.channels),
        "fitted on": fitted,
        "commissioned on": f"rows 0 to {settings.rows - 1} of each file",
        "evaluated": f"rows {settings.rows} to the end",
        "period": f"{model.period_s:g} s",
        "window": f"{model.window} rows",
        "network": f"{model.architecture}, {model.hidden} hidden units",
    }
