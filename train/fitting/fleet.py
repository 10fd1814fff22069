"""What machines do after they were commissioned on their own first rows: for devices that will be."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edge.detector.bundle.calibration import Calibration
from edge.detector.bundle.peaks import Peaks, joined_peaks
from edge.detector.bundle.scaler import fit_scaler
from edge.detector.learn.calibrate import learned_together
from edge.detector.learn.commissioning import in_parts
from edge.detector.learn.limits import reached
from edge.detector.learn.prepare import NormalRows, Prepared, prepared_together
from edge.detector.learn.runs import Run as StreamRun
from edge.detector.learn.runs import finished, played
from edge.detector.members.tuning import DEFAULT, Tuning
from edge.detector.score.calibrations import Shape
from edge.detector.score.engine import Engine
from edge.detector.score.runtime import Network
from train.network.scaling import Scaling
from train.network.streams import as_stream, whole_runs
from train.read.split import MANY_RUNS, Split

COMMISSIONED_WINDOWS = (4, 8, 13, 26, 416)
"""Numbers of first rows that are tried, windows: a device takes the largest that is no more than its own.

With 104 a pump commissioned on an hour alarmed three times a day on normal rows: what a machine does in the next hours
says too little about the rest of its day. `python -m tests.soak.commissioning` tries it."""
_MOST_MACHINES = 30
_LATER = 3
"""A long run counts as several machines, each so many times as long as what it is commissioned on."""
_LEAST_LATER, _MOST_LATER = 2, 100
"""Windows that a machine is watched for afterwards."""


def fleet(
    network: Network,
    shape: Shape,
    scaling: Scaling,
    split: Split,
    kind: str,
    tuning: Tuning = DEFAULT,
    commission_rows: int | None = None,
) -> dict[int, Peaks]:
    """Rows to commission on, to what the runs' machines reached after those; `kind` is the scaler's.

    With `commission_rows` only what a device takes that commissions itself on so many.

    Members of the network judge only rows that it was not fitted on. Numbers of rows
    that no run is longer than are left out.
    """
    found: dict[int, Peaks] = {}
    for rows in sorted((windows * shape.window for windows in COMMISSIONED_WINDOWS), reverse=True):
        if commission_rows is not None and (rows > commission_rows or found):
            continue
        runs = _machines(split, scaling, rows, shape.window)
        machines = _commissioned(network, shape, scaling, runs, rows, kind, tuning)
        if machines:
            found[rows] = joined_peaks(_later(network, shape, machines, tuning)).thinned()
    return found


def _machines(split: Split, scaling: Scaling, rows: int, window: int) -> list[StreamRun]:
    """Runs that are long enough, long ones cut unless they are machines of their own; evenly spread ones of many."""
    runs = whole_runs(split)
    unseen = {run.name: float(run.segments[0].times[0]) for run in split.calibrate if run.rows}
    machines = []
    for run in runs:
        for segment in run.segments if len(runs) < MANY_RUNS else (None,):
            stream = as_stream(run if segment is None else replace(run, segments=(segment,)), scaling.calendar)
            pieces = max(1, len(stream.times) // (_LATER * rows)) if len(runs) < MANY_RUNS else 1
            for part in np.array_split(np.arange(len(stream.times)), pieces):
                if len(part) >= rows + _LEAST_LATER * window:
                    watched = part[: rows + max(_MOST_LATER * window, (_LATER - 1) * rows)]
                    machines.append(_cut(stream, watched, unseen.get(run.name, float("inf"))))
    chosen = np.unique(np.linspace(0, len(machines) - 1, min(_MOST_MACHINES, len(machines))).astype(int))
    return [machines[at] for at in chosen.tolist()]


def _cut(stream: StreamRun, rows: np.ndarray, unseen_from: float) -> StreamRun:
    part = slice(int(rows[0]), int(rows[-1]) + 1)
    restart = stream.restart[part].copy()
    restart[:1] = True
    times = stream.times[part]
    return StreamRun(times, stream.values[part], stream.slots[part], restart, unseen=bool(times[-1] >= unseen_from))


def _commissioned(
    network: Network, shape: Shape, scaling: Scaling, runs: Sequence[StreamRun], rows: int, kind: str, tuning: Tuning
) -> list[tuple[StreamRun, Calibration]]:
    """The machines that can be commissioned on their first rows, as leads of their runs, and what they learn there."""
    able, normal = [], []
    for run in runs:
        first = StreamRun(run.times[:rows], run.values[:rows], run.slots[:rows], run.restart[:rows])
        try:
            scaler = fit_scaler(first.values, kind, (), first.slots, scaling.calendar.slots)
        except ValueError:
            continue
        drift = scaling.max_drift / scaler.scale.mean(axis=0)
        parts = in_parts(first, shape.window)
        able.append(replace(run, lead=rows))
        normal.append(NormalRows(parts, scaler, drift, own_scaler=True, fitted_range=scaling.fitted_range))
    prepared = finished(prepared_together(shape, normal, tuning))
    known = [(run, one) for run, one in zip(able, prepared, strict=True) if isinstance(one, Prepared)]
    if not known:
        return []
    learned = finished(learned_together(network, shape, [one for _, one in known], tuning))
    return [(run, one.calibration) for (run, _), one in zip(known, learned, strict=True)]


def _later(
    network: Network, shape: Shape, machines: Sequence[tuple[StreamRun, Calibration]], tuning: Tuning
) -> list[Peaks]:
    """What each machine reached after its lead, all played side by side."""
    engine = Engine(network, shape, len(machines), tuning)
    for at, (_, calibration) in enumerate(machines):
        engine.commission(at, calibration)
    seen = finished(played(engine, [run for run, _ in machines]))
    peaks = []
    for at, (run, calibration) in enumerate(machines):
        own = seen.of(at)
        peaks.append(reached(own, calibration.sizes, np.full(len(own.stream), run.unseen), shape, tuning))
    return peaks
