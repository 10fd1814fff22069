"""Faults drawn at random: which, when, how strong."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from firmware_sim.machine.faults import PUMP, Catalog, Fault, FaultError, make_fault

FAST_KINDS = PUMP.drawn


@dataclass(frozen=True)
class DrawSettings:
    """What random schedules look like."""

    lead_in_s: float = 1800.0
    """Normal running before the first fault, seconds."""
    gap_s: float = 600.0
    """Normal running between two faults at least, seconds; and after the last one."""
    spare_s: float = 600.0
    """What a gap is longer on the average, where the run has no end, seconds."""
    severity: tuple[float, float] = (0.75, 1.5)
    """Weakest and strongest."""


def draw_schedule(
    seed: int,
    number: int,
    count: int,
    start: float,
    duration_s: float | None,
    kinds: Sequence[str] = FAST_KINDS,
    settings: DrawSettings | None = None,
    board: str = "pump1",
    catalog: Catalog = PUMP,
) -> tuple[Fault, ...]:
    """`count` faults of board `number` in order of time, none overlapping.

    Kinds are dealt like cards: none comes a third time before each came twice.

    Raises:
        FaultError: the run is too short for so many faults, or a kind does not exist.
    """
    settings = settings or DrawSettings()
    rng = np.random.default_rng(np.random.SeedSequence([seed, number, 4242]))
    dealt = _deal(rng, kinds, count, catalog)
    lengths = np.array([rng.uniform(*catalog.kinds[kind].duration_s) for kind in dealt])
    gaps = _gaps(rng, float(lengths.sum()), count, duration_s, settings)
    starts = start + np.cumsum(gaps[:count]) + np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
    faults = []
    for kind, begin, length in zip(dealt, np.round(starts), np.round(lengths), strict=True):
        low, high = np.log(settings.severity)
        severity = round(float(np.exp(rng.uniform(low, high))), 2)
        channel = None if catalog.kinds[kind].group == "machine" else str(rng.choice(catalog.kinds[kind].channels))
        faults.append(make_fault(kind, float(begin), float(begin + length), severity, channel, board, catalog))
    return tuple(faults)


def _deal(rng: np.random.Generator, kinds: Sequence[str], count: int, catalog: Catalog) -> list[str]:
    for kind in kinds:
        catalog.kind(kind)
    dealt: list[str] = []
    while len(dealt) < count:
        dealt += [kinds[place] for place in rng.permutation(len(kinds))]
    return dealt[:count]


def _gaps(
    rng: np.random.Generator, busy_s: float, count: int, duration_s: float | None, settings: DrawSettings
) -> np.ndarray:
    """Normal time before each fault and after the last, seconds, (count + 1,)."""
    least = np.full(count + 1, settings.gap_s)
    least[0] = settings.lead_in_s
    if duration_s is None:
        return least + settings.spare_s * rng.exponential(1.0, count + 1)
    spare_s = duration_s - busy_s - float(least.sum())
    if spare_s < 0.0:
        needed_h = (duration_s - spare_s) / 3600.0
        raise FaultError(
            f"{count} random faults with normal stretches between them take {needed_h:.1f} h, "
            f"the run has {duration_s / 3600.0:.1f} h; make it longer or draw fewer"
        )
    return least + spare_s * rng.dirichlet(np.ones(count + 1))


class Outages:
    """Stretches drawn at random, on the average one every `every_s` seconds; none if that is 0."""

    def __init__(self, rng: np.random.Generator, every_s: float, length_s: tuple[float, float]):
        self.rng = rng
        self.every_s = every_s
        self.length_s = length_s
        self.start_s, self.end_s = np.inf, np.inf
        if every_s:
            self._draw(0.0)

    def during(self, since_s: np.ndarray) -> np.ndarray:
        """Whether each of the increasing instants, (rows,) seconds, falls into one."""
        inside = np.zeros(len(since_s), dtype=bool)
        while self.start_s <= since_s[-1]:
            inside |= (since_s >= self.start_s) & (since_s < self.end_s)
            if self.end_s > since_s[-1]:
                break
            self._draw(self.end_s)
        return inside

    def _draw(self, after_s: float) -> None:
        self.start_s = after_s + self.rng.exponential(self.every_s)
        self.end_s = self.start_s + self.rng.uniform(*self.length_s)
