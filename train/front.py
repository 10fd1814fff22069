"""`fit` and `evaluate` for notebooks: files or tables in, without a command line; they print nothing."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edge.detector.bundle.files import Bundle, load_bundle
from edge.detector.rows.aligner import AlignerSettings
from edge.detector.score.runtime import load_model
from train.console.errors import DatasetError
from train.console.quiet import quiet_native_output
from train.evaluation import evaluation
from train.evaluation.evaluation import Evaluation, Quiet
from train.evaluation.playback import play, read_for
from train.fitting import fit as fitting
from train.fitting.fit import FitResult, FitSettings, Listener
from train.fitting.trials import find_interpreters
from train.fitting.window import usual_window
from train.read.dataset import Run, Selection, align, usual_period
from train.read.tables import RawTable, ReadOptions, read_tables

Readings = str | Path | RawTable | Sequence[str | Path | RawTable]
"""CSV files, or tables as `read_table` gives them; each a recording of its own."""

_SILENT = Listener(stage=lambda _text: None, epoch=lambda _number, _loss, _held_out: None)


def fit(
    readings: Readings | Sequence[Run],
    out: str | Path,
    settings: FitSettings | None = None,
    *,
    selection: Selection | None = None,
    listener: Listener = _SILENT,
) -> FitResult:
    """Fit a bundle on normal readings and write it to the folder `out`; `result.bundle` is it.

    Without `settings` it takes the defaults, the folder's name, all channels of the readings, their
    usual period, and windows of 30 rows, or of fewer where there are few. `selection` says which rows of
    each file are normal; rows labelled as anomalies are left out. Runs are used as they are, and want
    settings. `listener` is told how far it is. Columns are used as they are read: unlike the command `fit`,
    this grades no columns and leaves no counters out.

    Raises:
        DatasetError: a file cannot be used, or the tables' channels differ from each other or from the settings'.
        FitError: too few rows, a channel without values, or no variant that runs here.
    """
    recordings = _recordings(readings)
    runs = [one for one in recordings if isinstance(one, Run)]
    if len(runs) < len(recordings):
        tables = _tables([one for one in recordings if not isinstance(one, Run)], settings)
        chosen = settings or FitSettings(Path(out).resolve().name, tables[0].channels, usual_period(tables))
        grid = AlignerSettings(chosen.period_s, rates=chosen.rates, missing=chosen.missing)
        runs += [align(table, selection or Selection(), grid) for table in tables]
        settings = settings or replace(chosen, window=usual_window(runs))
    if settings is None:
        raise DatasetError("runs name no channels; give settings: FitSettings(name, channels, period_s)")
    return fitting.fit(runs, settings, Path(out), find_interpreters(()), listener)


def evaluate(
    bundle: str | Path | Bundle,
    readings: Readings,
    *,
    options: ReadOptions | None = None,
    calibrate_rows: int = 0,
    from_row: int | None = None,
    variant: str = "auto",
) -> Evaluation | Quiet:
    """How good a bundle is on recordings, played through the device's own code.

    Metrics beside those of plain baselines where the readings have labels, else episodes a day and the
    spread of the score. `options` say how files are read, such as `ReadOptions(label_column="anomaly")`.
    With `calibrate_rows` each recording is commissioned on so many of its first rows; from row `from_row`
    on, by default the first after those, it is evaluated.

    Raises:
        BundleError: the bundle cannot be used here.
        DatasetError: a file cannot be used, lacks a channel of the bundle, or has no rows to evaluate.
    """
    known = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
    with quiet_native_output():
        chosen, model = load_model(known, variant)
    tables = _for_bundle(known, _recordings(readings), options or ReadOptions(timezone=known.timezone))
    first = calibrate_rows if from_row is None else from_row
    for table in tables:
        if not calibrate_rows <= first < len(table.times):
            raise DatasetError(
                f"{table.name}: row {first} is none to evaluate from; wanted {calibrate_rows} (calibrate_rows) "
                f"to {len(table.times) - 1}, its last"
            )
    played = play(known, chosen, model, tables, calibrate_rows)
    if any(table.labels is None for table in tables):
        return evaluation.summarize(known, played, first)
    return evaluation.evaluate(known, played, [evaluation.judge(one, None, first) for one in played])


def _recordings(readings: Readings | Sequence[Run]) -> list[str | Path | RawTable | Run]:
    found: list[str | Path | RawTable | Run] = (
        [readings] if isinstance(readings, str | Path | RawTable) else list(readings)
    )
    if not found:
        raise DatasetError("no readings; give CSV files, or tables as read_table gives them")
    return found


def _tables(recordings: Sequence[str | Path | RawTable], settings: FitSettings | None) -> list[RawTable]:
    """All with the channels of the settings, else with those of the first."""
    wanted = None if settings is None else settings.channels
    zone = "UTC" if settings is None else settings.timezone
    tables: list[RawTable] = []
    for one in recordings:
        table = one if isinstance(one, RawTable) else read_tables([one], ReadOptions(wanted, timezone=zone))[0]
        wanted = wanted or table.channels
        tables.append(_only(table, wanted))
    return tables


def _for_bundle(
    bundle: Bundle, recordings: Sequence[str | Path | RawTable | Run], options: ReadOptions
) -> list[RawTable]:
    tables = []
    for one in recordings:
        if isinstance(one, Run):
            raise DatasetError(f"{one.name}: a run has no rows of a file to evaluate; give its file or table")
        tables += [_only(one, bundle.channel_names)] if isinstance(one, RawTable) else read_for(bundle, [one], options)
    return tables


def _only(table: RawTable, channels: tuple[str, ...]) -> RawTable:
    """The table with these channels, in this order."""
    lacking = [name for name in channels if name not in table.channels]
    if lacking:
        raise DatasetError(f"{table.name}: it has no channel {lacking[0]!r}; its are {', '.join(table.channels)}")
    return table.only(channels)
