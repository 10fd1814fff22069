"""Offbeat on families with one tuning of the detector after another; no network is fitted twice."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edge.detector.members.tuning import Tuning
from train.benchmarks.families.benchmark import Other
from train.benchmarks.families.judging import figures, together
from train.benchmarks.families.layout import FamilyCase
from train.benchmarks.families.trying import OFFBEAT, Task, Tried, tasks_of, try_all
from train.benchmarks.figures import Tally
from train.benchmarks.pool import Workers

Wanted = tuple[str, Tuning]
"""A family, and the detector that is tried on it."""


class TunedFamilies:
    """Offbeat's figures on families, found once for each tuning."""

    def __init__(
        self,
        families: Mapping[str, Sequence[FamilyCase]],
        others: Mapping[str, Other],
        seeds: Sequence[int],
        crew: Workers,
    ) -> None:
        self.names = (*families, *others)
        """Of the families."""
        self.notes: list[str] = []
        """Which cases Offbeat says nothing of."""
        self._families, self._others = families, others
        self._seeds, self._crew = seeds, crew
        self._found: dict[tuple[str, str], Tally] = {}
        self._silent: dict[tuple[str, int], Tried] = {}
        self._wanted = 0

    @property
    def tuning(self) -> Tuning:
        """That of the workshop, with which networks are fitted."""
        return self._crew.workshop.tuning

    def fit(self) -> None:
        """Try all families with the workshop's own tuning, which fits their networks, each in one process.

        To be called before `figures`. What cannot be fitted then is silent with every tuning.
        """
        for task, one in self._play([(name, self.tuning) for name in self._families]):
            if not one.fitted:
                self._silent[_name(task)] = one

    def figures(self, wanted: Sequence[Wanted]) -> list[Tally]:
        """Offbeat on each family with its tuning, side by side."""
        missing = {_key(one): one for one in wanted if _key(one) not in self._found}
        self._play([one for one in missing.values() if one[0] in self._families])
        for key, (name, tuning) in missing.items():
            if name in self._others:
                self._found[key] = self._other(name, tuning)
        return [self._found[_key(one)] for one in wanted]

    def _play(self, wanted: Sequence[Wanted]) -> list[tuple[Task, Tried]]:
        """Every case of these families; what came of them is kept."""
        tasks = [
            task for name, tuning in wanted for task in tasks_of(self._families[name], self._seeds, tuning, [OFFBEAT])
        ]
        tried = list(zip(tasks, self._tried(tasks), strict=True))
        for one in wanted:
            self._found[_key(one)] = self._tally([each for each in tried if _of(each[0]) == _key(one)])
        return tried

    def _tried(self, tasks: Sequence[Task]) -> list[Tried]:
        waiting = [task for task in tasks if _name(task) not in self._silent]
        self._wanted += len(waiting)
        self._crew.workshop.stages.total(self._wanted)
        played = iter(try_all(waiting, self._crew))
        tried = [self._silent.get(_name(task)) or next(played)[OFFBEAT] for task in tasks]
        self.notes += dict.fromkeys(note for one in tried for note in one.notes if note not in self.notes)
        return tried

    def _tally(self, tried: Sequence[tuple[Task, Tried]]) -> Tally:
        by_seed = [[one.counts for task, one in tried if task.seed == seed] for seed in self._seeds]
        return Tally(tuple(figures(together(counts)) for counts in by_seed))

    def _other(self, name: str, tuning: Tuning) -> Tally:
        workshop = replace(self._crew.workshop, tuning=tuning, detectors=(OFFBEAT,))
        return self._others[name](workshop).detectors[OFFBEAT]


def _key(wanted: Wanted) -> tuple[str, str]:
    return wanted[0], repr(wanted[1])


def _of(task: Task) -> tuple[str, str]:
    return _key((task.case.family, task.tuning))


def _name(task: Task) -> tuple[str, int]:
    return task.case.full_name, task.seed
