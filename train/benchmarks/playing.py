"""Recordings through a bundle and the device's own code, beside their truth."""

from collections.abc import Sequence
from dataclasses import replace

from edge.detector.bundle import Bundle
from edge.detector.runtime import load_model
from edge.detector.tuning import Tuning
from train.evaluation import judge
from train.found import Anomaly
from train.metrics import Judged
from train.playback import play
from train.quiet import quiet_native_output
from train.tables import RawTable


def played(
    bundle: Bundle,
    variant: str,
    tables: Sequence[RawTable],
    tuning: Tuning,
    calibrate_rows: int = 0,
    anomalies: Sequence[Anomaly] | None = None,
    first: int | None = None,
) -> list[Judged]:
    """Each recording as a device of its own, judged from row `first` on (the first after `calibrate_rows`).

    `anomalies` are those of each recording; None takes what its label column marks.

    Raises:
        BundleError: the bundle has no such variant that runs here.
        DatasetError: a recording cannot be commissioned on its first rows.
    """
    with quiet_native_output():
        found, model = load_model(bundle, variant)
    streams = play(bundle, found, model, tables, calibrate_rows, tuning=tuning)
    return [judge(one, anomalies, calibrate_rows if first is None else first) for one in streams]


def until(table: RawTable, rows: int) -> RawTable:
    """The first rows of a recording."""
    labels = None if table.labels is None else table.labels[:rows]
    return replace(
        table,
        time_text=table.time_text[:rows],
        times=table.times[:rows],
        values=table.values[:rows],
        labels=labels,
    )
