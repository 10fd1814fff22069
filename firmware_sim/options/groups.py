"""The options that every link takes: the run, its faults, the board."""

import argparse

from firmware_sim.board.board import Firmware
from firmware_sim.machine.faults import KINDS
from firmware_sim.options import types
from firmware_sim.schedule.schedule import DrawSettings
from firmware_sim.schedule.schedule_text import FAULT_SYNTAX


def add_run(link: argparse.ArgumentParser, live: bool) -> None:
    """What is simulated; `live` links go at a speed, without end unless told."""
    group = link.add_argument_group("run")
    span = group.add_mutually_exclusive_group()
    span.add_argument(
        "--duration",
        type=types.length,
        metavar="D",
        help=f"simulated time: 90, 20m, 1h30m, 2d (default: {'for ever' if live else '1h'})",
    )
    span.add_argument(
        "--hours", type=types.number(0.001, 1e6, "hours, 0.001 to 1e6"), metavar="H", help="the same in hours"
    )
    add = group.add_argument
    add("--machine", metavar="FILE", help="TOML that describes a machine of your own (default: the pump set)")
    first = "now" if live else "2026-01-05T00:00:00Z, a Monday"
    add("--start", type=types.moment, metavar="TIME", help=f"time of the first row, ISO or Unix (default: {first})")
    add("--period", type=types.length, default=1.0, metavar="D", help="between two rows (default: 1s)")
    add("--seed", type=types.whole(0, 2**31), default=0, metavar="N", help="equal options, equal run (default: 0)")
    add("--boards", type=types.whole(1, 1000), default=1, metavar="N", help="boards, each with a pump (default: 1)")
    add("--name", default="pump", help="the boards are called NAME1, NAME2, ... (default: %(default)s)")
    add("--quiet", action="store_true", help="no report on stderr")
    if live:
        add(
            "--speed",
            type=types.speed,
            default=1.0,
            metavar="S",
            help="simulated seconds a second, or max (default: 1)",
        )


def add_faults(link: argparse.ArgumentParser) -> None:
    """Which faults befall the boards, and where the truth is written."""
    draw = DrawSettings()
    group = link.add_argument_group("faults", f"kinds: {', '.join(KINDS)}")
    add = group.add_argument
    add("--fault", action="append", default=[], metavar="F", help=f"{FAULT_SYNTAX}; may be repeated")
    add("--schedule", metavar="FILE", help="JSON list of faults; a truth file repeats its own")
    add("--random-faults", type=types.whole(0, 100000), default=0, metavar="N", help="draw N faults for each board")
    add("--kinds", metavar="K,K", help="kinds to draw from (default: all but the slow ones)")
    lead_in = "normal time before the first drawn fault (default: 30m)"
    add("--lead-in", type=types.duration, default=draw.lead_in_s, metavar="D", help=lead_in)
    gap = "normal time between drawn faults at least (default: 10m)"
    add("--gap", type=types.duration, default=draw.gap_s, metavar="D", help=gap)
    add("--truth", metavar="FILE", help="write start, end, kind, channels and severity of the faults as JSON")


def add_board(link: argparse.ArgumentParser, default: Firmware) -> None:
    """The firmware's habits, each with its own switch."""
    group = link.add_argument_group("board", "0 switches a habit off")
    add = group.add_argument
    bits = "resolution of the converter (default: 12; 0 is ideal)"
    add("--adc-bits", type=types.whole(0, 24), default=12, metavar="N", help=bits)
    jitter = types.number(0.0, 1e6, "milliseconds, 0 or more")
    jitter_ms = 1000.0 * default.jitter_s
    add("--jitter-ms", type=jitter, default=jitter_ms, metavar="MS", help="of the timer, sd (default: %(default)g)")
    drift = types.number(0.0, 10000.0, "parts per million, 0 to 10000")
    drift_help = "of the board's clock at most (default: %(default)g)"
    add("--clock-drift", type=drift, default=default.clock_drift_ppm, metavar="PPM", help=drift_help)
    for name, seconds, what in (
        ("--reboot-every", default.reboot_every_s, "reboots"),
        ("--link-loss-every", default.link_loss_every_s, "losses of the link"),
    ):
        usual = f"{seconds / 3600.0:g}h" if seconds else "0, never"
        mean = f"mean time between {what} (default: {usual})"
        add(name, type=types.duration, default=seconds, metavar="D", help=mean)
    buffer = "readings kept while the link is lost, sent afterwards (default: %(default)s)"
    add("--buffer", type=types.whole(0, 10**6), default=default.buffer_rows, metavar="N", help=buffer)
    part = types.number(0.0, 0.99, "a part, 0 to 0.99")
    add("--missing", type=part, default=default.missing, metavar="P", help="of the values fail (default: %(default)g)")
