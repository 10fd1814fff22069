"""From the command line's answers to the run that they describe."""

import argparse
import time
from pathlib import Path

from edge.wire.topics import valid_id
from firmware_sim.board.board import Firmware
from firmware_sim.board.fleet import BoardRun
from firmware_sim.board.model import PUMP_SET, Model
from firmware_sim.board.simulation import SimulationSettings
from firmware_sim.machine.faults import Fault, FaultError
from firmware_sim.schedule.schedule import DrawSettings, draw_schedule
from firmware_sim.schedule.schedule_text import parse_fault, read_schedule

CSV_START = 1767571200.0
"""2026-01-05 00:00 UTC: a CSV made today and one made tomorrow are the same."""
CSV_DURATION_S = 3600.0


def plan_run(args: argparse.Namespace, model: Model = PUMP_SET) -> BoardRun:
    """The run of a machine that was asked for.

    Raises:
        FaultError: a fault that cannot be, or does not fit into the run.
        ValueError: a board name that no topic can carry.
    """
    settings = _settings(args)
    boards = tuple(f"{args.name}{number}" for number in range(1, args.boards + 1))
    if not valid_id(boards[0]):
        raise ValueError(f"--name {args.name!r} cannot be part of a topic; use letters, digits, _ and -")
    return BoardRun(settings, boards, _firmware(args), _faults(args, settings, boards, model), model)


def _settings(args: argparse.Namespace) -> SimulationSettings:
    offline = args.command == "csv"
    start, duration_s = args.start, args.duration if args.hours is None else 3600.0 * args.hours
    if start is None:
        # On the grid, as a board whose clock was set by the network.
        start = CSV_START if offline else args.period * (time.time() // args.period)
    if duration_s is None and offline:
        duration_s = CSV_DURATION_S
    return SimulationSettings(start, duration_s, args.period, args.seed, args.adc_bits)


def _firmware(args: argparse.Namespace) -> Firmware:
    return Firmware(
        jitter_s=args.jitter_ms / 1000.0,
        clock_drift_ppm=args.clock_drift,
        reboot_every_s=args.reboot_every,
        link_loss_every_s=args.link_loss_every,
        buffer_rows=args.buffer,
        missing=args.missing,
    )


def _faults(
    args: argparse.Namespace, settings: SimulationSettings, boards: tuple[str, ...], model: Model
) -> tuple[Fault, ...]:
    catalog = model.catalog
    faults = [*model.faults(settings.start, boards[0])]
    faults += [parse_fault(text, settings.start, boards[0], catalog) for text in args.fault]
    if args.schedule:
        faults += read_schedule(Path(args.schedule), settings.start, boards[0], catalog)
    for fault in faults:
        if fault.board not in boards:
            raise FaultError(f"{fault.kind}: no board {fault.board!r} in this run; there are {', '.join(boards[:5])}")
    kinds = tuple(args.kinds.split(",")) if args.kinds else catalog.drawn
    draw = DrawSettings(lead_in_s=args.lead_in, gap_s=args.gap)
    for number, board in enumerate(boards, 1) if args.random_faults else ():
        wanted = (args.random_faults, settings.start, settings.duration_s, kinds, draw, board, catalog)
        faults += draw_schedule(settings.seed, number, *wanted)
    return tuple(sorted(faults, key=lambda fault: (fault.start, fault.board)))
