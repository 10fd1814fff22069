"""One board's pump and sensors over time: blocks of rows as the converter delivers them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from firmware_sim.machine.channels import INDEX
from firmware_sim.machine.faults import KINDS, Fault, anomalous
from firmware_sim.machine.machine import machine_of
from firmware_sim.machine.plant import Effects, Plant
from firmware_sim.machine.sensors import Sensors, convert, sensor_faults

BLOCK_ROWS = 1024
"""Rows are made in blocks of this size whatever is done with them: random numbers come in the same order."""
_EFFECT_OF = {"slow_bearing_wear": "bearing_wear"}
"""Kinds that differ only in how they grow."""


@dataclass(frozen=True)
class SimulationSettings:
    """What is simulated; equal settings give equal rows, bit for bit."""

    start: float
    """Unix seconds of the first row."""
    duration_s: float | None = None
    """Seconds; None goes on for ever."""
    period_s: float = 1.0
    """Between two rows, seconds."""
    seed: int = 0
    adc_bits: int = 12
    """Resolution of the converter; 0 is ideal."""

    @property
    def rows(self) -> int | None:
        """How many rows there will be; None for ever."""
        return None if self.duration_s is None else max(round(self.duration_s / self.period_s), 1)


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows in order."""

    first: int
    """Number of the first row, from 0."""
    times: np.ndarray
    """(rows,) Unix seconds, on the grid of the simulation."""
    values: np.ndarray
    """(rows, channels) in the channels' units; NaN where a reading is missing."""
    anomaly: np.ndarray
    """(rows,) whether a fault acts."""


def simulate(settings: SimulationSettings, number: int = 1, faults: tuple[Fault, ...] = ()) -> Iterator[Block]:
    """The rows of board `number`, whose machine has that number too, with its `faults`.

    Plant noise, sensor noise and each fault have random numbers of their own,
    so a run with a fault and one without differ in the fault alone.
    """
    plant_seed, sensor_seed, fault_seed = _seeds(settings, number)
    plant = Plant(machine_of(number), plant_seed, settings.period_s)
    ghosts = _ghosts(settings, number, faults)
    sensors, spoilers = Sensors(sensor_seed), sensor_faults(faults, fault_seed)
    for first, rows in spans(settings.rows):
        since_s = settings.period_s * np.arange(first, first + BLOCK_ROWS)
        times = settings.start + since_s
        effects = _effects(faults, times)
        values = plant.values(since_s, times, effects)
        ghosts = {shift: ghost for shift, ghost in ghosts.items() if ghost.until > times[0]}
        for ghost in ghosts.values():
            ghost.lend(values, since_s, times, effects)
        values = sensors.read(values)
        for spoiler in spoilers:
            spoiler.apply(values, times, settings.period_s)
        values = convert(values, settings.adc_bits)
        yield Block(first, times[:rows], values[:rows], anomalous(faults, times[:rows]))


def record(settings: SimulationSettings, number: int = 1, faults: tuple[Fault, ...] = ()) -> Block:
    """All rows of a run that ends, in one block."""
    if settings.duration_s is None:
        raise ValueError("a run without duration_s has no end and cannot be recorded")
    blocks = list(simulate(settings, number, faults))
    return Block(
        0,
        np.concatenate([block.times for block in blocks]),
        np.concatenate([block.values for block in blocks]),
        np.concatenate([block.anomaly for block in blocks]),
    )


def spans(total: int | None) -> Iterator[tuple[int, int]]:
    """First row and number of rows wanted, block after block."""
    first = 0
    while total is None or first < total:
        yield first, BLOCK_ROWS if total is None else min(BLOCK_ROWS, total - first)
        first += BLOCK_ROWS


def _effects(faults: tuple[Fault, ...], times: np.ndarray) -> dict[str, np.ndarray]:
    effects: dict[str, np.ndarray] = {}
    for fault in faults:
        if KINDS[fault.kind].group == "machine" and fault.active(times).any():
            name = _EFFECT_OF.get(fault.kind, fault.kind)
            effects[name] = effects.get(name, 0.0) + fault.strength(times)
    return effects


@dataclass(frozen=True)
class _Ghost:
    """A plant with the same noise under another load, from which channels with a lost coupling take their values.

    Its load goes up and down within the same range at the same moments, so level
    and distribution of the channel stay as they were; only what it follows is wrong.
    """

    plant: Plant
    faults: tuple[Fault, ...]

    @property
    def until(self) -> float:
        """When it has served, Unix seconds."""
        return max(fault.end for fault in self.faults)

    def lend(self, values: np.ndarray, since_s: np.ndarray, times: np.ndarray, effects: Effects) -> None:
        """Replace the decoupled channel in `values` (rows, channels) while its fault acts."""
        others = self.plant.values(since_s, times, effects)
        for fault in self.faults:
            column, active = INDEX[fault.channels[0]], fault.active(times)
            values[active, column] = others[active, column]


def _ghosts(settings: SimulationSettings, number: int, faults: tuple[Fault, ...]) -> dict[float, _Ghost]:
    """The ghosts that the lost couplings among `faults` need, by how far the load is shifted."""
    by_shift: dict[float, tuple[Fault, ...]] = {}
    for fault in faults:
        if KINDS[fault.kind].group == "coupling":
            shift = 0.5 * min(max(fault.severity, 0.2), 1.0)  # half the range is as far off as it gets
            by_shift[shift] = (*by_shift.get(shift, ()), fault)
    machine = machine_of(number)
    return {
        shift: _Ghost(Plant(machine, _seeds(settings, number)[0], settings.period_s, shift), decoupled)
        for shift, decoupled in by_shift.items()
    }


def _seeds(settings: SimulationSettings, number: int) -> list[np.random.SeedSequence]:
    """Of plant, sensors and faults."""
    return np.random.SeedSequence([settings.seed, number]).spawn(3)
