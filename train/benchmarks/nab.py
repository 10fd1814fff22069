"""NAB's protocol: every file is fitted on its own probation and scored row by row after it, in 0..1."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge.detector.rows.aligner import AlignerSettings
from train.benchmarks.case import Case
from train.benchmarks.figures import BenchmarkResult, Figures, figures_of
from train.benchmarks.folder import recordings
from train.benchmarks.models import Workshop
from train.benchmarks.nab_results import Recording, write_results
from train.benchmarks.trial import try_all
from train.evaluation.found import Anomaly, grace_s
from train.evaluation.label_windows import read_windows, windows_of
from train.evaluation.metrics import Judged, measure
from train.fitting.fit import FitSettings
from train.read.dataset import Selection, align, usual_period
from train.read.tables import ReadOptions, read_table

PROBATION_PART, MOST_PROBATION_ROWS = 0.15, 750
"""As in NAB's own scorer."""
VALUE = "value"
_WINDOWS_IN_PROBATION = 20
"""Windows that a short file's probation must hold at least: the window is shortened for it."""


@dataclass(frozen=True)
class NabSettings:
    """What is set, all of it a user's to say."""

    folder: Path
    windows: Path | None = None
    """NAB's combined_windows.json; without it nothing is known of the anomalies."""
    results: Path | None = None
    """Where NAB's own layout of results goes."""
    timezone: str = "UTC"
    model: FitSettings = field(default_factory=lambda: FitSettings("nab", (VALUE,), 1.0, calibration_part=0.4))
    """Window at most, and training; its period is that of each file."""


def probation_rows(rows: int) -> int:
    """First rows of a file that are free of scores.

    >>> probation_rows(4032), probation_rows(22695)
    (604, 750)
    """
    return min(int(PROBATION_PART * rows), MOST_PROBATION_ROWS)


def benchmark(settings: NabSettings, seeds: Sequence[int], workshop: Workshop) -> BenchmarkResult:
    """The figures over all files together, for each seed, and the files of results of the first seed.

    Raises:
        DatasetError: files or folders that cannot be used.
    """
    paths = recordings(settings.folder)
    windows = None if settings.windows is None else read_windows(settings.windows, settings.timezone)
    known = [None if windows is None else windows_of(windows, path) for path in paths]
    cases = [_case(settings, path, anomalies or ()) for path, anomalies in zip(paths, known, strict=True)]
    trials = try_all(cases, seeds, workshop)
    graces = [grace_s(case.model.period_s) for case in cases]
    if settings.results is not None:
        corpus = [
            Recording(path.parent.name, path.name, case.tables[0]) for path, case in zip(paths, cases, strict=True)
        ]
        write_results(settings.results, corpus, trials.seeds[0])
    detectors = trials.tallies(lambda files: _figures(files, graces, windows is not None))
    return BenchmarkResult(detectors, _told(settings, cases), trials.notes)


def _case(settings: NabSettings, path: Path, anomalies: Sequence[Anomaly]) -> Case:
    table = read_table(path, ReadOptions((VALUE,), timezone=settings.timezone))
    first = probation_rows(len(table.times))
    window = min(settings.model.window, max(2, first // _WINDOWS_IN_PROBATION))
    period_s = usual_period([table])
    run = align(table, Selection(slice(0, first)), AlignerSettings(period_s))
    model = replace(settings.model, period_s=period_s, window=window, timezone=settings.timezone)
    name = f"nab-{path.parent.name}-{path.stem}"
    return Case(name, [run], model, [table], first=first, anomalies=[anomalies], may_fail=True)


def _figures(files: Sequence[Judged], graces: Sequence[float], known: bool) -> Figures:
    """Those of every benchmark, F1 over events, and false episodes a thousand rows; without windows only counts."""
    metrics = measure(files, graces)
    found, false, missed = metrics.events_found, metrics.false_episodes, metrics.events - metrics.events_found
    own = {
        "event_f1": 2 * found / (2 * found + false + missed) if found + false + missed else None,
        "false_episodes_per_1000_rows": 1000 * false / metrics.rows,
    }
    figures = {**own, **figures_of(metrics)}
    return figures if known else {name: figures[name] if name in _COUNTS else None for name in figures}


_COUNTS = ("files", "episodes")


def _told(settings: NabSettings, cases: Sequence[Case]) -> dict[str, str]:
    shortest, longest = (pick(case.model.window for case in cases) for pick in (min, max))
    part = settings.model.calibration_part
    return {
        "files": str(len(cases)),
        "fitted on": f"each file's own probation (first {100 * PROBATION_PART:.0f} %, {MOST_PROBATION_ROWS} rows at "
        f"most), of which the last {100 * part:.0f} % calibrate",
        "windows of labels": "none" if settings.windows is None else settings.windows.name,
        "period": "each file's median step",
        "season": "none",
        "window": f"{shortest} rows" if shortest == longest else f"{shortest} to {longest} rows, 20 in a probation",
        "network": f"{settings.model.architecture}, {settings.model.hidden} hidden units",
    }
