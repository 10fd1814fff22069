"""A machine as described, row after row."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from firmware_sim.board.simulation import BLOCK_ROWS, Block, SimulationSettings, spans
from firmware_sim.machine.channels import Channel
from firmware_sim.machine.faults import KINDS, OWN_GROUPS, Catalog, Fault, Kind, anomalous, make_fault
from firmware_sim.machine.recursion import Lag
from firmware_sim.machine.sensors import Sensors, convert, sensor_faults
from firmware_sim.own.description import Description, Quantity, Rhythm, read_machine

_SLOWER = 0.5
"""A rhythm's fault of severity 1 takes so much of its speed."""


class OwnMachine:
    """What `read_machine` gave, as a model to simulate."""

    def __init__(self, description: Description):
        self.description = description

    @classmethod
    def read(cls, path: Path) -> "OwnMachine":
        """The machine of a TOML file.

        Raises:
            MachineError: it cannot be read.
        """
        return cls(read_machine(path))

    @property
    def channels(self) -> tuple[Channel, ...]:
        """As written."""
        return tuple(one.channel for one in self.description.quantities)

    @property
    def catalog(self) -> Catalog:
        """The sensors' faults of every channel; those of couplings and rhythms of the channels that have some."""
        quantities = self.description.quantities
        names = tuple(one.channel.name for one in quantities)
        befalls = {
            "sensor": names,
            "coupling": tuple(one.channel.name for one in quantities if one.couplings),
            "rhythm": tuple(one.channel.name for one in quantities if one.rhythms),
        }
        known = {kind: befalls[group] for kind, group in OWN_GROUPS.items() if befalls[group]}
        share = {kind: about.onset_share for kind, about in KINDS.items()}
        kinds = {
            kind: Kind(OWN_GROUPS[kind], channels, onset_s=0.0, onset_share=share.get(kind, 0.0))
            for kind, channels in known.items()
        }
        return Catalog(names, kinds)

    def faults(self, start: float, board: str) -> tuple[Fault, ...]:
        """Those of the description, which the first board has."""
        return tuple(
            make_fault(
                one.kind,
                start + one.start_s,
                start + one.start_s + one.duration_s,
                one.severity,
                one.channel,
                board,
                self.catalog,
            )
            for one in self.description.faults
        )

    def blocks(self, settings: SimulationSettings, number: int, faults: tuple[Fault, ...]) -> Iterator[Block]:
        """The rows of board `number`; 1 is as described, the others differ by a few percent and in their phases."""
        sensor_seed, fault_seed = np.random.SeedSequence([settings.seed, number, 77]).spawn(2)
        plant = _Plant(self.description, number, settings.period_s)
        sensors = Sensors(sensor_seed, self.channels)
        spoilers = sensor_faults(faults, fault_seed, self.channels)
        for first, rows in spans(settings.rows):
            since_s = settings.period_s * np.arange(first, first + BLOCK_ROWS)
            times = settings.start + since_s
            values = sensors.read(plant.values(times, faults))
            for spoiler in spoilers:
                spoiler.apply(values, times, settings.period_s)
            values = convert(values, settings.adc_bits, self.channels)
            yield Block(first, times[:rows], values[:rows], anomalous(faults, times[:rows]))


class _Plant:
    """True values."""

    def __init__(self, description: Description, number: int, period_s: float):
        self.description = description
        rng = np.random.default_rng([7093, number])
        count = len(description.quantities)
        built = number > 1
        self.gains = 1.0 + 0.03 * rng.standard_normal(count) * built
        self.levels = 1.0 + 0.01 * rng.standard_normal(count) * built
        self.phases = rng.random(count) * built
        self.lags = {
            (place, part): Lag(coupling.lag_s, period_s)
            for place, one in enumerate(description.quantities)
            for part, coupling in enumerate(one.couplings)
            if coupling.lag_s > 0.0
        }
        self.places = {one.channel.name: place for place, one in enumerate(description.quantities)}

    def values(self, times: np.ndarray, faults: tuple[Fault, ...]) -> np.ndarray:
        """(rows, channels) at `times`, Unix seconds."""
        off = np.zeros((len(times), len(self.places)))
        for place in self.description.order:
            one = self.description.quantities[place]
            own = [fault for fault in faults if fault.channels[0] == one.channel.name]
            off[:, place] = self._rhythms(one, place, times, own) + self._couplings(one, place, off, times, own)
        return off + self.levels * np.array([one.level for one in self.description.quantities])

    def _rhythms(self, one: Quantity, place: int, times: np.ndarray, faults: list[Fault]) -> np.ndarray:
        # What a slower rhythm loses it does not catch up with: the phase stays behind afterwards.
        lost_s = np.zeros(len(times))
        for fault in faults:
            if fault.kind == "rhythm":
                part = min(_SLOWER * fault.severity, 0.95)
                lost_s += part * np.clip(times - fault.start, 0.0, fault.end - fault.start)
        found = np.zeros(len(times))
        for rhythm in one.rhythms:
            turns = (times - lost_s) / rhythm.period_s + rhythm.phase + self.phases[place]
            found += self.gains[place] * rhythm.amplitude * _wave(rhythm, turns % 1.0)
        return found

    def _couplings(
        self, one: Quantity, place: int, off: np.ndarray, times: np.ndarray, faults: list[Fault]
    ) -> np.ndarray:
        found = np.zeros(len(times))
        for part, coupling in enumerate(one.couplings):
            other = off[:, self.places[coupling.to]]
            lag = self.lags.get((place, part))
            found += self.gains[place] * coupling.gain * (other if lag is None else lag.follow(other))
        for fault in faults:
            if fault.kind == "lost_coupling":
                found[fault.active(times)] = 0.0
        return found


def _wave(rhythm: Rhythm, turn: np.ndarray) -> np.ndarray:
    """The shape from -1 to 1 over a turn, 0 to 1; a pulse is up for a tenth of it and 0 else."""
    if rhythm.shape == "triangle":
        return 1.0 - 4.0 * np.abs((turn + 0.25) % 1.0 - 0.5)
    if rhythm.shape == "sawtooth":
        return 2.0 * turn - 1.0
    if rhythm.shape == "square":
        return np.where(turn < 0.5, 1.0, -1.0)
    if rhythm.shape == "pulse":
        return np.where(turn < 0.1, 1.0, 0.0)
    return np.asarray(np.sin(2.0 * np.pi * turn))
