"""The detectors that a benchmark compares, each given the same case."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from edge.detector.bundle.files import Bundle, load_bundle
from edge.detector.score.runtime import Network, load_model
from train.benchmarks.case import Case
from train.benchmarks.models import Workshop, recalibrated
from train.benchmarks.plain import judged_plainly
from train.benchmarks.statistics import fit_forest, fit_pca
from train.console.quiet import quiet_native_output
from train.evaluation.found import episode_starts
from train.evaluation.metrics import Judged
from train.evaluation.playback import Played, play

Detector = Callable[[Case, int, Workshop, Sequence[Judged]], list[Judged]]
"""Case, seed, workshop, and the case's recordings beside their truth: the same with scores and alarms."""


class NoNetwork:
    """Gives windows back as they are, so that nothing but the EWMA charts of the readings can alarm."""

    def run(self, windows: np.ndarray) -> np.ndarray:
        """(n, window, channels) as given."""
        return windows


def fitted_bundle(case: Case, seed: int, workshop: Workshop) -> Bundle:
    """The case's model, fitted where it is not there yet."""
    if case.bundle is not None:
        return load_bundle(case.bundle)
    return workshop.bundle(f"{case.name}-seed{seed}", case.runs, case.seeded(seed), case.calibrate_rows)


def _offbeat(case: Case, seed: int, workshop: Workshop, files: Sequence[Judged]) -> list[Judged]:
    bundle = fitted_bundle(case, seed, workshop)
    with quiet_native_output():
        _, model = load_model(bundle, workshop.variant)
    return _played(case, bundle, model, workshop, files)


def _ewma(case: Case, seed: int, workshop: Workshop, files: Sequence[Judged]) -> list[Judged]:
    """The device's own pipeline without a network: EWMA charts over a baseline that follows slow drift."""
    bundle = fitted_bundle(case, seed, workshop)
    network = NoNetwork()
    blank = recalibrated(bundle, workshop.variant, network, case.runs, case.model, workshop.tuning, case.calibrate_rows)
    return _played(case, blank, network, workshop, files)


def _pca(case: Case, seed: int, workshop: Workshop, files: Sequence[Judged]) -> list[Judged]:
    return judged_plainly(case, fit_pca, seed, workshop.tuning, files)


def _forest(case: Case, seed: int, workshop: Workshop, files: Sequence[Judged]) -> list[Judged]:
    return judged_plainly(case, fit_forest, seed, workshop.tuning, files)


DETECTORS: Mapping[str, Detector] = {"offbeat": _offbeat, "ewma": _ewma, "pca": _pca, "isolation_forest": _forest}
WITHOUT_CHANCE = ("ewma", "pca")
"""Detectors that no seed changes."""


def _played(case: Case, bundle: Bundle, network: Network, workshop: Workshop, files: Sequence[Judged]) -> list[Judged]:
    """Each recording as a device of its own, through the device's code."""
    variant = bundle.variant(workshop.variant)
    streams = play(bundle, variant, network, case.tables, case.calibrate_rows, tuning=workshop.tuning)
    return [
        replace(
            file,
            score=one.replay.score,
            alarm=one.replay.alarm,
            starts=episode_starts(one.replay.episode),
            top_channel=one.replay.top_channel,
            drift=_drift(one),
        )
        for one, file in zip(streams, files, strict=True)
    ]


def _drift(played: Played) -> tuple[float, ...]:
    """When the device said that a baseline has reached its bound, Unix seconds."""
    return tuple(event.time for event in played.replay.events if event.kind == "drift" and event.event_type == "new")
