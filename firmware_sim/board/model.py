"""What is simulated: a machine with its channels, its faults and its rows."""

from collections.abc import Iterator
from typing import Protocol

from firmware_sim.board.simulation import Block, SimulationSettings, simulate
from firmware_sim.machine.channels import CHANNELS, Channel
from firmware_sim.machine.faults import PUMP, Catalog, Fault


class Model(Protocol):
    """A machine that can be simulated."""

    @property
    def channels(self) -> tuple[Channel, ...]:
        """In the order of the columns."""

    @property
    def catalog(self) -> Catalog:
        """Which faults it can have."""

    def faults(self, start: float, board: str) -> tuple[Fault, ...]:
        """Those that belong to its description, of a run from `start`, Unix seconds."""

    def blocks(self, settings: SimulationSettings, number: int, faults: tuple[Fault, ...]) -> Iterator[Block]:
        """The rows of board `number` with its `faults`; equal arguments give equal rows."""


class PumpSet:
    """The built-in machine."""

    channels = CHANNELS
    catalog = PUMP

    def faults(self, start: float, board: str) -> tuple[Fault, ...]:  # noqa: ARG002
        """None of its own."""
        return ()

    def blocks(self, settings: SimulationSettings, number: int, faults: tuple[Fault, ...]) -> Iterator[Block]:
        """Its physics."""
        return simulate(settings, number, faults)


PUMP_SET = PumpSet()
