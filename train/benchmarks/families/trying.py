"""Families through detectors: each case fitted and played, seed by seed and with one tuning after another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.detector.bundle.files import Bundle
from edge.detector.members.tuning import Tuning
from edge.detector.score.runtime import Network, load_model
from train.benchmarks.case import Case
from train.benchmarks.detectors import DETECTORS, WITHOUT_CHANCE, fitted_bundle
from train.benchmarks.families.claims import Claim, alerts_per_s
from train.benchmarks.families.judging import Counts, judge, silence, together
from train.benchmarks.families.layout import FamilyCase
from train.benchmarks.models import Workshop
from train.benchmarks.pool import Workers
from train.benchmarks.reference import reference_alarms
from train.console.errors import DatasetError, FitError
from train.console.quiet import quiet_native_output
from train.evaluation.playback import Played, play

OFFBEAT, REFERENCE = "offbeat", "reference"
BASELINES = tuple(name for name in DETECTORS if name != OFFBEAT)
"""What the other benchmarks compare with."""
_NO_CHANCE = (REFERENCE, *WITHOUT_CHANCE)
"""Detectors that no seed changes."""


@dataclass(frozen=True)
class Said:
    """What a detector said of the recordings of a case."""

    alarms: tuple[np.ndarray, ...]
    """(n,) bool for each."""
    per_s: tuple[float | None, ...] = ()
    """False alerts a second that its calibration of each claims, None where it claims nothing; empty for detectors
    that never do."""
    problems: tuple[str, ...] = ()
    """Why it said nothing of some of them."""
    fitted: bool = True
    """Whether there was a model at all."""


Detector = Callable[[FamilyCase, Case, int, Workshop], Said]
"""A case, the same as detectors that are fitted want it, seed and workshop to what was said."""


@dataclass(frozen=True)
class Tried:
    """What that is worth."""

    counts: Counts
    claim: Claim | None
    notes: tuple[str, ...]
    fitted: bool


@dataclass(frozen=True)
class Task:
    """One case with one seed and one tuning."""

    case: FamilyCase
    seed: int
    tuning: Tuning
    detectors: tuple[str, ...]

    @property
    def name(self) -> str:
        """For whoever waits."""
        return f"{self.case.full_name}, seed {self.seed}"


def tasks_of(cases: Sequence[FamilyCase], seeds: Sequence[int], tuning: Tuning, detectors: Sequence[str]) -> list[Task]:
    """A task for each case and seed; detectors that no seed changes are tried with the first one."""
    return [
        Task(case, seed, tuning, tuple(name for name in detectors if seed == seeds[0] or name not in _NO_CHANCE))
        for seed in seeds
        for case in cases
    ]


def try_all(tasks: Sequence[Task], crew: Workers) -> list[dict[str, Tried]]:
    """In the order of the tasks: a detector's name to what came of it."""
    return crew.results(_try, tasks, lambda task: task.name)


def _try(task: Task, workshop: Workshop) -> dict[str, Tried]:
    workshop = replace(workshop, tuning=task.tuning)
    tried = {}
    for name in task.detectors:
        workshop.stages.stage(f"{task.name}: {name}")
        said = _said(name, task, workshop)
        notes = tuple(f"{task.name}: {name} says nothing: {problem}" for problem in said.problems)
        tried[name] = Tried(*_worth(said, task.case), notes, said.fitted)
    return tried


def _said(name: str, task: Task, workshop: Workshop) -> Said:
    """Silence where a model cannot be fitted, or not a recording be played."""
    silent = tuple(silence(truth) for truth in task.case.truths)
    if task.case.case is None:
        return Said(silent, problems=(task.case.problem,), fitted=False)
    try:
        return _detector(name)(task.case, task.case.case, task.seed, workshop)
    except (FitError, DatasetError) as error:
        return Said(silent, problems=(str(error),), fitted=False)


def _worth(said: Said, case: FamilyCase) -> tuple[Counts, Claim | None]:
    """What is counted of all recordings, and of those for which the calibration claims something."""
    counts = [judge(alarm, truth) for alarm, truth in zip(said.alarms, case.truths, strict=True)]
    per_s = said.per_s or (None,) * len(counts)
    known = [(rate, one) for rate, one in zip(per_s, counts, strict=True) if rate is not None]
    if not known:
        return together(counts), None
    claim = Claim(
        families=(case.family,),
        days=sum(one.normal_s for _, one in known) / 86400,
        claimed=sum(rate * one.normal_s for rate, one in known),
        seen=sum(one.false_episodes for _, one in known),
    )
    return together(counts), claim


def _detector(name: str) -> Detector:
    return {OFFBEAT: _offbeat, REFERENCE: _reference}.get(name) or _baseline(name)


def _offbeat(family_case: FamilyCase, case: Case, seed: int, workshop: Workshop) -> Said:
    """Recordings side by side; where one of them cannot be commissioned, it alone is silent."""
    bundle = fitted_bundle(case, seed, workshop)
    with quiet_native_output():
        _, network = load_model(bundle, workshop.variant)
    try:
        played: list[Played | str] = list(_played(bundle, network, case, workshop))
    except DatasetError:
        played = [_alone(bundle, network, replace(case, tables=[table]), workshop) for table in case.tables]
    pairs = list(zip(played, family_case.truths, strict=True))
    return Said(
        tuple(silence(truth) if isinstance(one, str) else one.replay.alarm for one, truth in pairs),
        tuple(None if isinstance(one, str) else alerts_per_s(one.calibration) for one in played),
        tuple(one for one in played if isinstance(one, str)),
    )


def _alone(bundle: Bundle, network: Network, case: Case, workshop: Workshop) -> Played | str:
    """The only recording of a case, or why it cannot be played."""
    try:
        return _played(bundle, network, case, workshop)[0]
    except DatasetError as error:
        return str(error)


def _played(bundle: Bundle, network: Network, case: Case, workshop: Workshop) -> list[Played]:
    variant = bundle.variant(workshop.variant)
    return play(bundle, variant, network, case.tables, case.calibrate_rows, tuning=workshop.tuning)


def _reference(family_case: FamilyCase, case: Case, _seed: int, _workshop: Workshop) -> Said:
    recordings = [table.values for table in case.tables]
    return Said(tuple(reference_alarms(family_case.normal, recordings, case.calibrate_rows)))


def _baseline(name: str) -> Detector:
    def detector(_family_case: FamilyCase, case: Case, seed: int, workshop: Workshop) -> Said:
        return Said(tuple(judged.alarm for judged in DETECTORS[name](case, seed, workshop, case.truths())))

    return detector
