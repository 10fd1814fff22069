"""SKAB's protocol: fleet model from the first rows of some runs, each other run commissioned on its own first rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge.detector.aligner import AlignerSettings
from train.benchmarks.figures import Figures, Outcome, Tally, figures_of
from train.benchmarks.folder import read_labelled, recordings
from train.benchmarks.models import Workshop
from train.benchmarks.playing import played
from train.blind import always, best_row, clock
from train.dataset import Run, Selection, align, usual_period
from train.errors import DatasetError
from train.fit import FitSettings
from train.found import grace_s
from train.metrics import Judged, measure
from train.tables import RawTable

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


@dataclass(frozen=True)
class Fold:
    """Runs that a fleet model is fitted on, and the numbers of the files that it is tried on."""

    name: str
    runs: tuple[Run, ...]
    tried: tuple[int, ...]


@dataclass(frozen=True)
class _Data:
    tables: tuple[RawTable, ...]
    folds: tuple[Fold, ...]
    model: FitSettings


def fits(settings: SkabSettings) -> int:
    """Models that are fitted for a seed."""
    return FOLDS if settings.fit is None else 1


def benchmark(settings: SkabSettings, seeds: Sequence[int], workshop: Workshop) -> Outcome:
    """The figures over all files together, for each seed.

    Raises:
        DatasetError: files or folders that cannot be used.
        FitError: rows that no model can be fitted on.
    """
    data = _read(settings)
    grace = grace_s(data.model.period_s)
    figures: list[Figures] = []
    for seed in seeds:
        files = _try(data, settings, seed, workshop)
        figures.append(figures_of(measure(files, grace)))
    blind = {"always": always(files), "clock": clock(files)}
    detectors = {"offbeat": Tally(tuple(figures))}
    detectors |= {name: Tally((figures_of(measure(one, grace)),) * len(seeds)) for name, one in blind.items()}
    notes = (f"clock: in alarm from row {best_row(files)} of every file on, the row that suits it best",)
    return Outcome(detectors, _told(settings, data), notes)


def _try(data: _Data, settings: SkabSettings, seed: int, workshop: Workshop) -> list[Judged]:
    """All files beside their truth, in the order of their names."""
    found: dict[int, Judged] = {}
    model = replace(data.model, training=replace(data.model.training, seed=seed))
    for fold in data.folds:
        bundle = workshop.bundle(f"skab-{fold.name}-seed{seed}", fold.runs, model)
        tables = [data.tables[number] for number in fold.tried]
        workshop.stage(f"playing {fold.name}, seed {seed}")
        judged = played(bundle, workshop.variant, tables, workshop.tuning, settings.rows)
        found |= dict(zip(fold.tried, judged, strict=True))
        workshop.done()
    return [found[number] for number in sorted(found)]


def _read(settings: SkabSettings) -> _Data:
    tables = [
        table
        for table in read_labelled(recordings(settings.folder), settings.label_column, settings.timezone)
        if table.labels is not None
    ]
    if len(tables) < fits(settings):
        raise DatasetError(
            f"{settings.folder}: {len(tables)} files with a column {settings.label_column!r}, wanted "
            f"{FOLDS} and more to fit on some and try the others, or --fit DIR with other recordings"
        )
    period_s = settings.period_s or usual_period(tables)
    model = replace(settings.model, channels=tables[0].channels, period_s=period_s, timezone=settings.timezone)
    return _Data(tuple(tables), tuple(_folds(settings, tables, period_s)), model)


def _folds(settings: SkabSettings, tables: Sequence[RawTable], period_s: float) -> list[Fold]:
    if settings.fit is None:
        parts = [range(part, len(tables), FOLDS) for part in range(FOLDS)]
        runs = [_normal(settings, [tables[number] for number in part], period_s) for part in parts]
        return [Fold(f"fold{part}", runs[1 - part], tuple(parts[part])) for part in range(FOLDS)]
    others = read_labelled(recordings(settings.fit), settings.label_column, settings.timezone, tables[0].channels)
    return [Fold("other", _normal(settings, others, period_s), tuple(range(len(tables))))]


def _normal(settings: SkabSettings, tables: Sequence[RawTable], period_s: float) -> tuple[Run, ...]:
    """The rows known to be normal: the first ones of a file with labels, all of a file without."""
    aligner = AlignerSettings(period_s)
    first = Selection(slice(0, settings.rows))
    return tuple(
        align(replace(table, labels=None), Selection() if table.labels is None else first, aligner) for table in tables
    )


def _told(settings: SkabSettings, data: _Data) -> dict[str, str]:
    fitted = (
        f"rows 0 to {settings.rows - 1} of the other fold, {FOLDS} folds"
        if settings.fit is None
        else f"{settings.fit}: all rows of files without {settings.label_column!r}, else 0 to {settings.rows - 1}"
    )
    return {
        "files": str(len(data.tables)),
        "channels": ", ".join(data.model.channels),
        "fitted on": fitted,
        "commissioned on": f"rows 0 to {settings.rows - 1} of each file",
        "evaluated": f"rows {settings.rows} to the end",
        "period": f"{data.model.period_s:g} s",
        "window": f"{data.model.window} rows",
        "hidden units": str(data.model.hidden),
    }
