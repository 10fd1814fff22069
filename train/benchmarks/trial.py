"""All detectors on the cases of a benchmark, seed by seed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from edge.detector.bundle import Bundle
from edge.detector.runtime import Network, load_model
from train import blind
from train.benchmarks.case import Case
from train.benchmarks.figures import Figures, Tally
from train.benchmarks.models import Workshop, recalibrated
from train.benchmarks.plain import judged_plainly
from train.benchmarks.statistics import fit_forest, fit_pca
from train.evaluation import judge
from train.metrics import Judged
from train.playback import play
from train.quiet import quiet_native_output

_WITHOUT_CHANCE = ("ewma", "pca")
"""Detectors that no seed changes: tried once."""

Judgement = dict[str, list[Judged]]
"""A detector's name to what it said of all recordings."""


class NoNetwork:
    """Gives windows back as they are, so that nothing but the EWMA charts of the readings can alarm."""

    def run(self, windows: np.ndarray) -> np.ndarray:
        """(n, window, channels) as given."""
        return windows


@dataclass(frozen=True)
class Trials:
    """What each detector said, seed by seed."""

    seeds: tuple[Judgement, ...]

    def tallies(self, figures: Callable[[Sequence[Judged]], Figures]) -> dict[str, Tally]:
        """Figures of every detector, `always` and `clock` among them; these see no readings, so no seed either."""
        first = self.seeds[0]["offbeat"]
        found = {name: Tally(tuple(figures(one[name]) for one in self.seeds)) for name in self.seeds[0]}
        for name, unseeing in (("always", blind.always), ("clock", blind.clock)):
            found[name] = Tally((figures(unseeing(first)),) * len(self.seeds))
        return found


def try_all(cases: Sequence[Case], seeds: Sequence[int], workshop: Workshop) -> Trials:
    """Every case with every seed.

    Raises:
        DatasetError: a recording cannot be commissioned on its first rows.
        FitError: rows that no model can be fitted on.
    """
    known: dict[tuple[int, str], list[Judged]] = {}
    found: list[Judgement] = []
    for seed in seeds:
        together: Judgement = {}
        for number, case in enumerate(cases):
            judgement = _judgement(case, seed, workshop, {name: known.get((number, name)) for name in _WITHOUT_CHANCE})
            known |= {(number, name): judgement[name] for name in _WITHOUT_CHANCE}
            for name, files in judgement.items():
                together.setdefault(name, []).extend(files)
        found.append(together)
    return Trials(tuple(found))


def _judgement(case: Case, seed: int, workshop: Workshop, known: dict[str, list[Judged] | None]) -> Judgement:
    name = f"{case.name}-seed{seed}"
    bundle = workshop.bundle(name, case.runs, case.seeded(seed))
    with quiet_native_output():
        _, model = load_model(bundle, workshop.variant)
    workshop.stage(f"{name}: playing")
    offbeat = _played(case, bundle, model, workshop)
    workshop.stage(f"{name}: baselines")
    judgement = {
        "offbeat": offbeat,
        "ewma": known["ewma"] or _ewma(case, bundle, workshop),
        "pca": known["pca"] or judged_plainly(case, fit_pca, seed, workshop.tuning, offbeat),
        "isolation_forest": judged_plainly(case, fit_forest, seed, workshop.tuning, offbeat),
    }
    workshop.done()
    return judgement


def _ewma(case: Case, bundle: Bundle, workshop: Workshop) -> list[Judged]:
    """The device's own pipeline without a network: EWMA charts over a baseline that follows slow drift."""
    network = NoNetwork()
    blank = recalibrated(bundle, workshop.variant, network, case.runs, case.model, workshop.tuning)
    return _played(case, blank, network, workshop)


def _played(case: Case, bundle: Bundle, network: Network, workshop: Workshop) -> list[Judged]:
    """Each recording as a device of its own, through the device's code."""
    variant = bundle.variant(workshop.variant)
    streams = play(bundle, variant, network, case.tables, case.calibrate_rows, tuning=workshop.tuning)
    first = max(case.first, case.calibrate_rows)
    return [judge(one, case.anomalies, first) for one in streams]
