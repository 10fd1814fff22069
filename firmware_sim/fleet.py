"""Several boards at once: what each sends, merged in the order of sending."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from edge.wire.readings import Readings
from firmware_sim.board import Board, Firmware, Sent
from firmware_sim.channels import CHANNELS, NAMES
from firmware_sim.faults import Fault
from firmware_sim.simulation import SimulationSettings, simulate

_DECIMALS = tuple(channel.decimals for channel in CHANNELS)


@dataclass(frozen=True)
class Run:
    """Everything that decides what is sent."""

    settings: SimulationSettings
    boards: tuple[str, ...]
    """Names; the first has machine 1, and so on."""
    firmware: Firmware
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """Readings on their way."""

    sent_at: float
    """Seconds since the start of the simulation."""
    number: int
    """Of the board, from 1; decides the order among equals."""
    readings: Readings


def sent_by(run: Run, number: int) -> Iterator[Sent]:
    """What board `number` (from 1) sends, block after block."""
    name = run.boards[number - 1]
    board = Board(run.firmware, run.settings.seed, number, run.settings.period_s)
    own = tuple(fault for fault in run.faults if fault.board == name)
    for block in simulate(run.settings, number, own):
        yield board.send(block)


def messages(run: Run) -> Iterator[tuple[Message, str]]:
    """Every message of the run with the board's name, in the order in which they are sent."""
    streams = [_messages_of(run, number) for number in range(1, len(run.boards) + 1)]
    for message in heapq.merge(*streams, key=lambda message: (message.sent_at, message.number)):
        yield message, run.boards[message.number - 1]


def _messages_of(run: Run, number: int) -> Iterator[Message]:
    for sent in sent_by(run, number):
        columns = (sent.sent_at.tolist(), sent.times.round(3).tolist(), sent.seqs.tolist(), sent.values.tolist())
        for sent_at, time, seq, row in zip(*columns, strict=True):
            values = {
                name: round(value, digits)
                for name, value, digits in zip(NAMES, row, _DECIMALS, strict=True)
                if value == value  # NaN: the reading failed
            }
            yield Message(sent_at, number, Readings(values, time, seq))
