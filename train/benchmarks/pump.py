"""The simulated pump: a model of a normal day, then days with faults drawn at random, and bearings that wear slowly."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from edge.detector.bundle.files import load_bundle
from edge.detector.rows.aligner import AlignerSettings
from train.benchmarks.case import Case
from train.benchmarks.figures import BenchmarkResult, Figures, Tally, figures_of
from train.benchmarks.models import Workshop
from train.benchmarks.simulated import Simulated, SimulatedFault, simulate
from train.benchmarks.trial import try_all
from train.console.words import percent
from train.evaluation.found import grace_s
from train.evaluation.metrics import Finding, Judged, measure
from train.fitting.fit import FitSettings
from train.read.dataset import Run, Selection, align

WEAR = "slow_bearing_wear"
_NORMAL_SEED, _FAULT_SEED = 20260105, 5000
"""Seeds of the normal day and of the first schedule: noise that was fitted on must not come again."""
_SIDE_BY_SIDE = 10
"""Schedules played in one group: memory, and work for several processes."""
_WEAR_SEVERITIES = (0.75, 1.0, 1.5)
"""Weakest, clear and strongest of those that are drawn."""


@dataclass(frozen=True)
class PumpSettings:
    """What is set, all of it a user's to say."""

    schedules: int = 50
    faults: int = 10
    """In each schedule, all kinds but the slow one."""
    hours: float = 6.5
    """Length of a schedule."""
    normal_hours: float = 24.0
    """Normal operation to fit and calibrate on."""
    wear_hours: float = 48.0
    """Over which a bearing wears; 0 leaves that part out."""
    bundle: Path | None = None
    """A bundle that is tried as it is, in place of one that is fitted."""
    model: FitSettings = field(default_factory=lambda: FitSettings("pump", (), 1.0))


@dataclass(frozen=True)
class _Data:
    cases: tuple[Case, ...]
    runs: tuple[Simulated, ...]
    """In the order of the cases' recordings; the last are those with wear."""
    schedules: int


def benchmark(settings: PumpSettings, seeds: Sequence[int], workshop: Workshop) -> BenchmarkResult:
    """The figures over all schedules, for each seed.

    Raises:
        BundleError: the given bundle cannot be used.
        DatasetError: the simulator refuses.
        FitError: no model can be fitted.
    """
    with tempfile.TemporaryDirectory(prefix="offbeat-pump-") as folder:
        data = _data(settings, Path(folder), workshop)
    trials = try_all(data.cases, seeds, workshop)
    detectors = trials.tallies(lambda files: _figures(files, data))
    return BenchmarkResult(detectors, _told(settings, data), tuple(_by_kind(detectors)))


def _data(settings: PumpSettings, folder: Path, workshop: Workshop) -> _Data:
    workshop.stages.stage("simulating")
    normal = simulate(folder, "normal", ["--hours", f"{settings.normal_hours}", "--seed", str(_NORMAL_SEED)])
    runs = [
        simulate(
            folder,
            f"schedule{number}",
            [
                *("--start", "2026-01-06T00:00:00Z", "--hours", f"{settings.hours}"),
                *("--seed", str(_FAULT_SEED + number), "--random-faults", str(settings.faults)),
            ],
        )
        for number in range(settings.schedules)
    ]
    worn = [_wear(settings, folder, severity) for severity in _WEAR_SEVERITIES] if settings.wear_hours else []
    model = replace(settings.model, channels=normal.table.channels)
    if settings.bundle is not None:
        bundle = load_bundle(settings.bundle)
        model = replace(model, channels=bundle.channel_names, window=bundle.window)
    fitted = [align(normal.table, Selection(), AlignerSettings(model.period_s))]
    parts = [runs[at : at + _SIDE_BY_SIDE] for at in range(0, len(runs), _SIDE_BY_SIDE)] + ([worn] if worn else [])
    cases = [_case(part, fitted, model, settings.bundle) for part in parts]
    return _Data(tuple(cases), (*runs, *worn), len(runs))


def _wear(settings: PumpSettings, folder: Path, severity: float) -> Simulated:
    """A bearing that wears from half an hour on, on the day after the normal one."""
    options = [
        *("--start", "2026-01-06T00:00:00Z", "--hours", f"{settings.wear_hours + 1}", "--seed", str(_FAULT_SEED)),
        *("--fault", f"{WEAR}@30m+{settings.wear_hours:g}h:{severity:g}"),
    ]
    return simulate(folder, f"wear{severity:g}", options)


def _case(part: Sequence[Simulated], fitted: Sequence[Run], model: FitSettings, bundle: Path | None) -> Case:
    return Case(
        "pump",
        fitted,
        model,
        [one.table for one in part],
        anomalies=[[fault.anomaly for fault in one.faults] for one in part],
        bundle=bundle,
    )


def _figures(files: Sequence[Judged], data: _Data) -> Figures:
    """Found faults, false episodes a day, and who was blamed, over the schedules; drifts count as episodes.

    Not over the days of wear: an episode inside an anomaly of two days can hardly be false.
    """
    files = [_with_drift(file) for file in files]
    grace = grace_s(data.cases[0].model.period_s)
    drawn = measure(files[: data.schedules], grace)
    faults = [fault for run in data.runs[: data.schedules] for fault in run.faults]
    days = sum(len(file.times) for file in files[: data.schedules]) * data.cases[0].model.period_s / 86400
    return {
        **figures_of(drawn),
        "faults_found": drawn.events_found / drawn.events,
        "false_episodes_per_day": drawn.false_episodes / days,
        "right_channel": _blamed_right(drawn.findings, faults),
        **_found_by_kind(drawn.findings, faults),
        **_wear_figures(files[data.schedules :], data.runs[data.schedules :], grace),
    }


def _with_drift(file: Judged) -> Judged:
    """The start of a told drift as the start of an episode: both are alerts."""
    starts = file.starts.copy()
    starts[np.searchsorted(file.times, file.drift).clip(max=len(starts) - 1)] = True
    return replace(file, starts=starts)


def _blamed_right(findings: Sequence[Finding], faults: Sequence[SimulatedFault]) -> float | None:
    """Part of the found faults whose first alert names a channel that the fault moves."""
    right = [
        found.channel in fault.channels
        for found, fault in zip(findings, faults, strict=True)
        if found.channel is not None
    ]
    return sum(right) / len(right) if right else None


def _found_by_kind(findings: Sequence[Finding], faults: Sequence[SimulatedFault]) -> Figures:
    found: dict[str, list[bool]] = {}
    for finding, fault in zip(findings, faults, strict=True):
        found.setdefault(fault.kind, []).append(finding.found_at is not None)
    return {f"found_{kind}": sum(each) / len(each) for kind, each in sorted(found.items())}


def _wear_figures(files: Sequence[Judged], runs: Sequence[Simulated], grace: float) -> Figures:
    """How many worn bearings were found, and after which part of the wear, on the average and at the latest."""
    if not files:
        return {}
    findings = measure(files, grace).findings
    parts = [
        (one.delay_s or 0.0) / (fault.end - fault.start)
        for one, fault in zip(findings, (run.faults[0] for run in runs), strict=True)
        if one.found_at is not None
    ]
    return {
        "wear_found": len(parts) / len(findings),
        "wear_part": sum(parts) / len(parts) if parts else None,
        "wear_part_latest": max(parts, default=None),
    }


def _told(settings: PumpSettings, data: _Data) -> Mapping[str, str]:
    model = data.cases[0].model
    drawn = f"{settings.schedules} of {settings.hours:g} h with {settings.faults} faults, from seed {_FAULT_SEED}"
    return {
        "fitted on": f"{settings.normal_hours:g} h of normal operation, seed {_NORMAL_SEED}"
        if settings.bundle is None
        else f"whatever {settings.bundle} was",
        "schedules": drawn,
        "wear": f"{len(data.runs) - data.schedules} bearings over {settings.wear_hours:g} h",
        "period": f"{model.period_s:g} s",
        "window": f"{model.window} rows",
        "network": f"{model.architecture}, {model.hidden} hidden units",
    }


def _by_kind(detectors: Mapping[str, Tally]) -> Iterator[str]:
    """A line for each kind of fault: which part of them each detector found."""
    means = {name: tally.mean for name, tally in detectors.items() if name not in ("always", "clock")}
    for figure in means["offbeat"]:
        if figure.startswith("found_"):
            told = ", ".join(f"{name} {percent(mean[figure])}" for name, mean in means.items())
            yield f"{figure.removeprefix('found_')} found: {told}"
