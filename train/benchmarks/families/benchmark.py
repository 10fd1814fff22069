"""The figures of a folder of families: Offbeat beside what has to be beaten, and what its calibrations promised."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from train.benchmarks.families.claims import Claim, pooled
from train.benchmarks.families.judging import Counts, always, clock_row, figures, from_row, judge, together
from train.benchmarks.families.layout import FamilyCase, read_families
from train.benchmarks.families.trying import BASELINES, OFFBEAT, REFERENCE, Task, Tried, tasks_of, try_all
from train.benchmarks.figures import BenchmarkResult, Tally
from train.benchmarks.models import Workshop
from train.benchmarks.pool import workers
from train.console.words import plural

Other = Callable[[Workshop], BenchmarkResult]
"""Another benchmark, which counts as one family more."""


@dataclass(frozen=True)
class FamiliesSettings:
    """What is set."""

    folder: Path
    families: tuple[str, ...] = ()
    """Names of those that are tried; empty tries all."""
    options: tuple[str, ...] = ()
    """Of `fit`, after those of each case."""
    baselines: bool = False
    """Whether the detectors that the other benchmarks compare with are tried too."""


@dataclass(frozen=True)
class Family:
    """What came of one family, all its recordings together."""

    detectors: Mapping[str, Tally]
    cases: Mapping[str, Mapping[str, Tally]]
    """The same of each case by itself; without the detectors that see no readings."""
    claim: Claim | None = None
    """None where no calibration makes one."""

    def to_dict(self, seeds: Sequence[int]) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "detectors": {name: tally.to_dict(seeds) for name, tally in self.detectors.items()},
            "claim": None if self.claim is None else self.claim.to_dict(),
            "cases": {
                case: {name: tally.to_dict(seeds) for name, tally in detectors.items()}
                for case, detectors in self.cases.items()
            },
        }


@dataclass(frozen=True)
class FamiliesOutcome:
    """What the benchmark found."""

    families: Mapping[str, Family]
    others: Mapping[str, BenchmarkResult]
    """Other benchmarks, by the name of their family."""
    settings: Mapping[str, str]
    notes: tuple[str, ...]

    @property
    def claims(self) -> Sequence[Claim]:
        """Of each family, those that claim little as one."""
        return pooled({name: one.claim for name, one in self.families.items() if one.claim is not None})

    def tallies(self, with_others: bool = True) -> dict[str, Mapping[str, Tally]]:
        """A family's name to its detectors."""
        own = {name: one.detectors for name, one in self.families.items()}
        return {**own, **{name: one.detectors for name, one in self.others.items() if with_others}}

    def means(self, with_others: bool = True) -> dict[str, dict[str, float | None]]:
        """Means and sums over all families of each detector that was tried on all of them."""
        families = list(self.tallies(with_others).values())
        names = [name for name in families[0] if all(name in detectors for detectors in families)]
        return {name: mean_over([detectors[name] for detectors in families]) for name in names}

    def to_dict(self, seeds: Sequence[int]) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "settings": dict(self.settings),
            "families": {name: one.to_dict(seeds) for name, one in self.families.items()},
            "other_benchmarks": {
                name: {detector: tally.to_dict(seeds) for detector, tally in one.detectors.items()}
                for name, one in self.others.items()
            },
            "mean": self.means(with_others=False),
            "mean_with_others": self.means() if self.others else None,
            "claims": [claim.to_dict() for claim in self.claims],
            "notes": list(self.notes),
        }


MEANS = ("j", "far", "mar", "false_episodes_per_1000_rows")
"""Figures of which a mean over families is worth something."""
SUMS = ("events", "events_found", "false_episodes")


def benchmark(
    settings: FamiliesSettings, seeds: Sequence[int], workshop: Workshop, others: Mapping[str, Other]
) -> FamiliesOutcome:
    """The figures of each family, for each seed.

    Raises:
        DatasetError: something is not laid out as it should be.
    """
    families = read_families(settings.folder, settings.families, settings.options)
    detectors = (OFFBEAT, REFERENCE, *(BASELINES if settings.baselines else ()))
    cases = [case for family in families.values() for case in family]
    tasks = tasks_of(cases, seeds, workshop.tuning, detectors)
    workshop.stages.total(len(tasks))
    with workers(workshop) as crew:
        tried = list(zip(tasks, try_all(tasks, crew), strict=True))
    alone = workshop if settings.baselines else replace(workshop, detectors=(OFFBEAT,))
    by_family = {name: [(task, one) for task, one in tried if task.case.family == name] for name in families}
    return FamiliesOutcome(
        {name: _family(families[name], one, seeds, detectors) for name, one in by_family.items()},
        {name: other(alone) for name, other in others.items()},
        told(families),
        tuple(note for _, one in tried for each in one.values() for note in each.notes),
    )


def mean_over(tallies: Sequence[Tally]) -> dict[str, float | None]:
    """Means and sums over families of one detector's figures; None for a figure that one of them does not tell."""
    means = [tally.mean for tally in tallies]
    found: dict[str, float | None] = {}
    for names, over in ((MEANS, fmean), (SUMS, sum)):
        for name in names:
            values = [value for one in means if (value := one.get(name)) is not None]
            found[name] = over(values) if values and all(name in one for one in means) else None
    return found


def told(families: Mapping[str, Sequence[FamilyCase]]) -> dict[str, str]:
    """What the folder sets, for a reader."""
    return {name: _told(cases) for name, cases in families.items()}


def _told(cases: Sequence[FamilyCase]) -> str:
    files = sum(len(case.truths) for case in cases)
    options = dict.fromkeys(" ".join(case.options) or "no options" for case in cases)
    rows = dict.fromkeys(f"{case.calibrate_rows}" for case in cases)
    return (
        f"{plural(len(cases), 'fit')}, {plural(files, 'recording')}, {' or '.join(options)}, "
        f"commissioned on {' or '.join(rows)} rows"
    )


def _family(
    cases: Sequence[FamilyCase],
    tried: Sequence[tuple[Task, dict[str, Tried]]],
    seeds: Sequence[int],
    detectors: Sequence[str],
) -> Family:
    by_case = {case.name: {name: _by_seed(tried, name, seeds, case) for name in detectors} for case in cases}
    whole = {
        name: _tally([together([one[name][number].counts for one in by_case.values()]) for number in range(len(seeds))])
        for name in detectors
    }
    blind = {name: Tally((dict(figures(counts)),) * len(seeds)) for name, counts in _blind(cases).items()}
    return Family(
        {**whole, **blind},
        {
            case: {name: _tally([one.counts for one in each]) for name, each in detectors.items()}
            for case, detectors in by_case.items()
        },
        _claim(cases[0].family, [one for case in by_case.values() for one in case[OFFBEAT]], len(seeds)),
    )


def _by_seed(
    tried: Sequence[tuple[Task, dict[str, Tried]]], name: str, seeds: Sequence[int], case: FamilyCase
) -> list[Tried]:
    """What one detector said of a case, for each seed; that of the first where no seed changes it."""
    found = {task.seed: one[name] for task, one in tried if task.case is case and name in one}
    return [found.get(seed, found[seeds[0]]) for seed in seeds]


def _tally(counts: Sequence[Counts]) -> Tally:
    return Tally(tuple(figures(one) for one in counts))


def _claim(family: str, tried: Sequence[Tried], seeds: int) -> Claim | None:
    """Of all cases together, the mean over the seeds."""
    claims = [one.claim for one in tried if one.claim is not None]
    if not claims:
        return None
    days, claimed, seen = (sum(getattr(one, name) for one in claims) / seeds for name in ("days", "claimed", "seen"))
    return Claim((family,), days, claimed, seen)


def _blind(cases: Sequence[FamilyCase]) -> dict[str, Counts]:
    """Detectors that see no readings: in alarm everywhere, and from the row on that suits the family best."""
    truths = [truth for case in cases for truth in case.truths]
    row = clock_row(truths)
    return {
        "always": together([judge(always(truth), truth) for truth in truths]),
        "clock": together([judge(from_row(truth, row), truth) for truth in truths]),
    }
