"""The taxi protocol: a weekly season fitted on normal weeks of autumn, evaluated on a winter with five known events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from edge.detector.rows.aligner import AlignerSettings
from train.benchmarks.case import Case
from train.benchmarks.figures import BenchmarkResult, figures_of
from train.benchmarks.folder import first_rows
from train.benchmarks.models import Workshop
from train.benchmarks.trial import try_all
from train.console.errors import DatasetError
from train.console.times import format_time, parse_instant, parse_stretch
from train.console.words import duration, plural
from train.evaluation.blind import best_row
from train.evaluation.evaluation import filled_times
from train.evaluation.found import Anomaly, grace_s
from train.evaluation.label_windows import read_windows, windows_of
from train.evaluation.metrics import Metrics, measure
from train.fitting.fit import FitSettings
from train.read.dataset import Selection, align, usual_period
from train.read.tables import ReadOptions, read_table

ONSETS = ("2014-11-02 00:00", "2014-11-27 00:00", "2014-12-24 12:00", "2014-12-31 18:00", "2015-01-26 12:00")
"""Marathon and clock change, Thanksgiving, Christmas Eve, New Year's Eve, the January storm; local time.
Delays count from here: label windows begin well before their events."""


@dataclass(frozen=True)
class TaxiSettings:
    """What is set, all of it a user's to say; times without a zone are local."""

    file: Path
    windows: Path
    timezone: str = "America/New_York"
    fit_until: str = "2014-10-12"
    """Rows before this time are normal weeks: the later ones calibrate, the earlier ones are fitted on."""
    evaluate_until: str = "2015-02-01"
    exclude: tuple[str, ...] = ()
    """Stretches FROM..TO that are not fitted on, such as holidays that the user knows of."""
    model: FitSettings = field(default_factory=lambda: FitSettings("taxi", (), 1.0, window=48, season="weekly"))
    """Season, window and training; its name, channels, zone and period are filled in."""


def benchmark(settings: TaxiSettings, seeds: Sequence[int], workshop: Workshop) -> BenchmarkResult:
    """The figures for each seed.

    Raises:
        DatasetError: files or times that cannot be used.
        FitError: rows that no model can be fitted on.
    """
    case = _case(settings)
    trials = try_all([case], seeds, workshop)
    grace = grace_s(case.model.period_s)
    detectors = trials.tallies(lambda files: figures_of(measure(files, grace)))
    files = trials.seeds[0]["offbeat"]
    row = format_time(float(files[0].times[best_row(files)]), settings.timezone)
    clock = f"clock: in alarm from {row} on, the time that suits it best"
    measured = [measure(one["offbeat"], grace) for one in trials.seeds]
    return BenchmarkResult(detectors, _told(settings, case), (clock, *_events(measured, settings.timezone)))


def _events(measured: Sequence[Metrics], timezone: str) -> Iterator[str]:
    """A line for each event: by how many seeds it was found, and how late."""
    for findings in zip(*(one.findings for one in measured), strict=True):
        delays = [one.delay_s for one in findings if one.delay_s is not None]
        late = f", {duration(min(delays))} to {duration(max(delays))} after it" if delays else ""
        when = format_time(findings[0].onset, timezone)
        yield f"event of {when}: found by {len(delays)} of {plural(len(findings), 'seed')}{late}"


def _case(settings: TaxiSettings) -> Case:
    zone = settings.timezone
    table = read_table(settings.file, ReadOptions(timezone=zone))
    start, end = (parse_instant(text, zone) for text in (settings.fit_until, settings.evaluate_until))
    times = filled_times(table.times)
    table = first_rows(table, int(np.searchsorted(times, end)))
    first = int(np.searchsorted(times, start))
    if not 0 < first < len(table.times):
        raise DatasetError(
            f"{settings.file}: its rows do not lie on both sides of {settings.fit_until}; rows before that are fitted "
            f"on, rows up to {settings.evaluate_until} evaluated"
        )
    period_s = usual_period([table])
    exclude = tuple(parse_stretch(text, zone) for text in settings.exclude)
    run = align(replace(table, labels=None), Selection(slice(0, first), exclude=exclude), AlignerSettings(period_s))
    windows = windows_of(read_windows(settings.windows, zone), settings.file)
    onsets = [parse_instant(text, zone) for text in ONSETS]
    anomalies = [_with_onset(one, onsets) for one in windows]
    model = replace(settings.model, channels=table.channels, period_s=period_s, timezone=zone)
    return Case("taxi", [run], model, [table], first=first, anomalies=[anomalies])


def _with_onset(window: Anomaly, onsets: Sequence[float]) -> Anomaly:
    """A label window with the known onset that lies inside it."""
    return replace(window, onset=next((one for one in onsets if window.start <= one <= window.end), None))


def _told(settings: TaxiSettings, case: Case) -> dict[str, str]:
    events = sum(len(one) for one in case.anomalies or ())
    return {
        "fitted on": f"rows before {settings.fit_until}, of which the last "
        f"{100 * case.model.calibration_part:.0f} % calibrate; left out: {', '.join(settings.exclude) or 'nothing'}",
        "evaluated": f"{settings.fit_until} up to {settings.evaluate_until}, {events} label windows",
        "period": f"{case.model.period_s:g} s",
        "zone": settings.timezone,
        "season": case.model.season or "none",
        "window": f"{case.model.window} rows",
        "network": f"{case.model.architecture}, {case.model.hidden} hidden units",
    }
