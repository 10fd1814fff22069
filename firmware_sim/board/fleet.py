"""Several boards at once: what each sends, merged in the order of sending."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edge.wire.readings import Readings
from firmware_sim.board.board import Board, Firmware, Sent
from firmware_sim.board.model import PUMP_SET, Model
from firmware_sim.board.simulation import SimulationSettings
from firmware_sim.machine.faults import Fault

_SLICE_ROWS = 64  # as Python objects at a time: a thousand boards then take megabytes, not gigabytes


@dataclass(frozen=True)
class BoardRun:
    """Everything that decides what is sent."""

    settings: SimulationSettings
    boards: tuple[str, ...]
    """Names; the first has machine 1, and so on."""
    firmware: Firmware
    faults: tuple[Fault, ...] = ()
    model: Model = PUMP_SET


@dataclass(frozen=True, slots=True)
class Message:
    """Readings on their way."""

    sent_at: float
    """Seconds since the start of the simulation."""
    number: int
    """Of the board, from 1; decides the order among equals."""
    readings: Readings


def sent_by(run: BoardRun, number: int) -> Iterator[Sent]:
    """What board `number` (from 1) sends, block after block."""
    name = run.boards[number - 1]
    board = Board(run.firmware, run.settings.seed, number, run.settings.period_s)
    own = tuple(fault for fault in run.faults if fault.board == name)
    for block in run.model.blocks(run.settings, number, own):
        yield board.send(block)


def messages(run: BoardRun) -> Iterator[tuple[Message, str]]:
    """Every message of the run with the board's name, in the order in which they are sent."""
    streams = [_messages_of(run, number) for number in range(1, len(run.boards) + 1)]
    for message in heapq.merge(*streams, key=lambda message: (message.sent_at, message.number)):
        yield message, run.boards[message.number - 1]


def _messages_of(run: BoardRun, number: int) -> Iterator[Message]:
    digits = [(channel.name, channel.decimals) for channel in run.model.channels]
    for sent in sent_by(run, number):
        for first in range(0, len(sent.times), _SLICE_ROWS):
            part = slice(first, first + _SLICE_ROWS)
            yield from _unpack(sent.sent_at[part], sent.times[part], sent.seqs[part], sent.values[part], number, digits)


def _unpack(
    sent_at: np.ndarray,
    times: np.ndarray,
    seqs: np.ndarray,
    values: np.ndarray,
    number: int,
    channels: Sequence[tuple[str, int]],
) -> Iterator[Message]:
    columns = (sent_at.tolist(), times.round(3).tolist(), seqs.tolist(), values.tolist())
    for moment, time, seq, row in zip(*columns, strict=True):
        present = {
            name: round(value, digits)
            for (name, digits), value in zip(channels, row, strict=True)
            if value == value  # NaN: the reading failed
        }
        yield Message(moment, number, Readings(present, time, seq))
