"""All detectors on the cases of a benchmark, seed by seed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from train.benchmarks.case import Case
from train.benchmarks.detectors import DETECTORS, WITHOUT_CHANCE, fitted_bundle
from train.benchmarks.figures import Figures, Tally
from train.benchmarks.models import Workshop
from train.benchmarks.pool import workers
from train.console.errors import FitError
from train.evaluation import blind
from train.evaluation.metrics import Judged

Judgement = Mapping[str, Sequence[Judged]]
"""A detector's name to what it said of all recordings."""


@dataclass(frozen=True)
class Trials:
    """What each detector said, seed by seed, and what went wrong."""

    seeds: tuple[Judgement, ...]
    notes: tuple[str, ...]

    def tallies(self, figures: Callable[[Sequence[Judged]], Figures]) -> dict[str, Tally]:
        """Figures of every detector."""
        names = self.seeds[0]
        return {name: Tally(tuple(figures(one[name]) for one in self.seeds)) for name in names}


@dataclass(frozen=True)
class _Task:
    case: Case
    number: int
    """Of the case."""
    seed: int
    detectors: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.case.name}, seed {self.seed}"


@dataclass(frozen=True)
class _Tried:
    judgement: dict[str, list[Judged]]
    notes: tuple[str, ...]


def try_all(cases: Sequence[Case], seeds: Sequence[int], workshop: Workshop) -> Trials:
    """Every case with every seed; detectors that no seed changes are tried with the first one.

    Raises:
        DatasetError: a recording cannot be commissioned on its first rows.
        FitError: rows that no model can be fitted on.
    """
    names = workshop.detectors or tuple(DETECTORS)
    tasks = [
        _Task(case, number, seed, tuple(name for name in names if seed == seeds[0] or name not in WITHOUT_CHANCE))
        for seed in seeds
        for number, case in enumerate(cases)
    ]
    models = {(task.case.name, task.seed): task for task in reversed(tasks)}
    workshop.stages.total(len(tasks) + len(models))
    with workers(workshop) as crew:
        crew.results(_fit, list(reversed(models.values())), lambda task: f"{task.name}: fitting")
        results = crew.results(_try, tasks, lambda task: f"{task.name}: playing")
    tried = {(task.seed, task.number): one for task, one in zip(tasks, results, strict=True)}
    judgements = [
        {name: _together(tried, name, seeds[0] if name in WITHOUT_CHANCE else seed, len(cases)) for name in names}
        for seed in seeds
    ]
    files = judgements[0]["offbeat"]
    unseeing = {"always": blind.always(files), "clock": blind.clock(files)}
    notes = tuple(note for one in results for note in one.notes)
    return Trials(tuple({**judgement, **unseeing} for judgement in judgements), notes)


def _together(tried: Mapping[tuple[int, int], _Tried], name: str, seed: int, cases: int) -> list[Judged]:
    """What one detector said of the recordings of all cases, one after another."""
    return [judged for number in range(cases) for judged in tried[seed, number].judgement[name]]


def _fit(task: _Task, workshop: Workshop) -> None:
    """Fits the model that one or more cases share."""
    try:
        fitted_bundle(task.case, task.seed, workshop)
    except FitError:
        if not task.case.may_fail:
            raise  # else said when it is played


def _try(task: _Task, workshop: Workshop) -> _Tried:
    """One case with one seed."""
    case = task.case
    silent = case.truths()
    found: dict[str, list[Judged]] = {}
    notes: list[str] = []
    for name in task.detectors:
        workshop.stages.stage(f"{task.name}: {name}")
        try:
            found[name] = DETECTORS[name](case, task.seed, workshop, silent)
        except FitError as error:
            if not case.may_fail:
                raise
            found[name] = silent
            notes.append(f"{task.name}: {name} says nothing: {error}")
    return _Tried(found, tuple(notes))
