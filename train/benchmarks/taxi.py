"""The taxi protocol: a weekly season fitted on normal weeks of autumn, evaluated on a winter with five known events."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from edge.detector.aligner import AlignerSettings
from train.benchmarks.figures import Figures, Outcome, Tally, figures_of
from train.benchmarks.models import Workshop
from train.benchmarks.playing import played, until
from train.blind import always, best_row, clock
from train.dataset import Run, Selection, align, usual_period
from train.errors import DatasetError
from train.evaluation import filled_times
from train.fit import FitSettings
from train.found import Anomaly, grace_s
from train.label_windows import read_windows, windows_of
from train.metrics import Judged, measure
from train.tables import RawTable, ReadOptions, read_table
from train.times import format_time, parse_instant, parse_stretch

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
    calibration_part: float = 0.25
    model: FitSettings = field(default_factory=lambda: FitSettings("taxi", (), 1.0, window=48, season="weekly"))
    """Season, window and training; its name, channels, zone and period are filled in."""


@dataclass(frozen=True)
class _Data:
    table: RawTable
    run: Run
    first: int
    """First row that is evaluated."""
    anomalies: tuple[Anomaly, ...]
    model: FitSettings


def benchmark(settings: TaxiSettings, seeds: Sequence[int], workshop: Workshop) -> Outcome:
    """The figures for each seed.

    Raises:
        DatasetError: files or times that cannot be used.
        FitError: rows that no model can be fitted on.
    """
    data = _read(settings)
    grace = grace_s(data.model.period_s)
    figures: list[Figures] = []
    for seed in seeds:
        judged = _try(data, seed, workshop)
        figures.append(figures_of(measure([judged], grace)))
    blind = {"always": always([judged]), "clock": clock([judged])}
    detectors = {"offbeat": Tally(tuple(figures))}
    detectors |= {name: Tally((figures_of(measure(one, grace)),) * len(seeds)) for name, one in blind.items()}
    row = format_time(float(judged.times[best_row([judged])]), settings.timezone)
    return Outcome(detectors, _told(settings, data), (f"clock: in alarm from {row} on, the time that suits it best",))


def _try(data: _Data, seed: int, workshop: Workshop) -> Judged:
    model = replace(data.model, training=replace(data.model.training, seed=seed))
    bundle = workshop.bundle(f"taxi-seed{seed}", [data.run], model)
    workshop.stage(f"playing, seed {seed}")
    judged = played(bundle, workshop.variant, [data.table], workshop.tuning, 0, data.anomalies, data.first)[0]
    workshop.done()
    return judged


def _read(settings: TaxiSettings) -> _Data:
    zone = settings.timezone
    table = read_table(settings.file, ReadOptions(timezone=zone))
    start, end = (parse_instant(text, zone) for text in (settings.fit_until, settings.evaluate_until))
    times = filled_times(table.times)
    table = until(table, int(np.searchsorted(times, end)))
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
    model = replace(
        settings.model,
        channels=table.channels,
        period_s=period_s,
        timezone=zone,
        calibration_part=settings.calibration_part,
    )
    onsets = [parse_instant(text, zone) for text in ONSETS]
    return _Data(table, run, first, tuple(_with_onset(one, onsets) for one in windows), model)


def _with_onset(window: Anomaly, onsets: Sequence[float]) -> Anomaly:
    """A label window with the known onset that lies inside it."""
    return replace(window, onset=next((one for one in onsets if window.start <= one <= window.end), None))


def _told(settings: TaxiSettings, data: _Data) -> dict[str, str]:
    return {
        "fitted on": f"rows before {settings.fit_until}, of which the last "
        f"{100 * settings.calibration_part:.0f} % calibrate; left out: {', '.join(settings.exclude) or 'nothing'}",
        "evaluated": f"{settings.fit_until} up to {settings.evaluate_until}, {len(data.anomalies)} label windows",
        "period": f"{data.model.period_s:g} s",
        "zone": settings.timezone,
        "season": data.model.season or "none",
        "window": f"{data.model.window} rows",
        "hidden units": str(data.model.hidden),
    }
