"""What a benchmark says of a detector: its figures for every seed, their mean and their spread."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from train.evaluation.metrics import Metrics

Figures = Mapping[str, float | None]
"""A figure's name to its value; rates are fractions, None where there is nothing to divide by."""

_TAKEN = (
    *("j", "f1", "far", "mar", "precision", "recall", "far_before_onset"),
    *("events", "events_found", "files", "files_found", "episodes", "false_episodes", "delay_s"),
)


def figures_of(metrics: Metrics) -> Figures:
    """The figures that every benchmark gives, by the names of `Metrics`; and the longest delay of a finding."""
    delays = [one.delay_s for one in metrics.findings if one.delay_s is not None]
    return {**{name: getattr(metrics, name) for name in _TAKEN}, "longest_delay_s": max(delays, default=None)}


@dataclass(frozen=True)
class Tally:
    """One detector's figures, a mapping for each seed."""

    seeds: tuple[Figures, ...]

    @property
    def mean(self) -> dict[str, float | None]:
        """Over the seeds that have the figure; None where none has."""
        return {name: statistics.fmean(values) if values else None for name, values in self._columns().items()}

    @property
    def spread(self) -> dict[str, float | None]:
        """Standard deviation over the seeds, 0 for a single one."""
        return {
            name: (statistics.stdev(values) if len(values) > 1 else 0.0) if values else None
            for name, values in self._columns().items()
        }

    def to_dict(self, numbers: Sequence[int]) -> dict[str, Any]:
        """Plain JSON types: means by name, `spread`, and `seeds` with each one's number."""
        each = [{"seed": number, **one} for number, one in zip(numbers, self.seeds, strict=True)]
        return {**self.mean, "spread": self.spread, "seeds": each}

    def _columns(self) -> dict[str, list[float]]:
        given = {name: [one[name] for one in self.seeds] for name in self.seeds[0]}
        return {name: [value for value in values if value is not None] for name, values in given.items()}


@dataclass(frozen=True)
class BenchmarkResult:
    """What a benchmark found."""

    detectors: Mapping[str, Tally]
    """`offbeat` first, then what it has to beat."""
    settings: Mapping[str, str]
    """What the benchmark set, for a reader."""
    notes: tuple[str, ...] = ()
    """What a reader must know beside the figures."""
