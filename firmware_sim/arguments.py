"""The command line: what can be asked for, in groups."""

import argparse
from collections.abc import Callable
from typing import Any

from firmware_sim.board import REALISTIC, Firmware
from firmware_sim.faults import KINDS
from firmware_sim.schedule import DrawSettings
from firmware_sim.schedule_text import FAULT_SYNTAX
from firmware_sim.timetext import parse_duration, parse_time

_EXAMPLES = """examples:
  offbeat-sim csv --out normal.csv --hours 24
  offbeat-sim csv --out pump.csv --hours 8 --random-faults 10 --seed 3 --labels --truth truth.json
  offbeat-sim mqtt --speed 60 --fault cavitation@20m+10m --fault stuck.flow@1h+15m:1.2
  offbeat-sim serial --symlink ./board
  offbeat-sim stdout --duration 5m --speed max"""


def _typed(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """`parse`, with its error as argparse shows it."""

    def convert(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return convert


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0.0 < speed < 1e9:
        raise ValueError(f"{text!r} is no speed; write a number such as 60, or max")
    return speed


def _positive(text: str) -> float:
    seconds = parse_duration(text)
    if seconds <= 0.0:
        raise ValueError(f"{text!r} is too short; give a duration above 0")
    return seconds


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise ValueError(f"{text!r} is out of range; give a whole number from {least} to {most}")
        return number

    return parse


def _part(text: str) -> float:
    try:
        part = float(text)
    except ValueError:
        part = -1.0
    if not 0.0 <= part < 1.0:
        raise ValueError(f"{text!r} is no part; give a number from 0 to below 1")
    return part


_duration, _length, _time, _share = (_typed(parse) for parse in (parse_duration, _positive, parse_time, _part))
_count, _bits = _typed(_whole(0, 100000)), _typed(_whole(0, 24))


def build_parser() -> argparse.ArgumentParser:
    """The parser of offbeat-sim; `command` is the link."""
    parser = argparse.ArgumentParser(
        prog="offbeat-sim",
        description="A simulated pump set and its sensor board: coupled physics, faults with truth labels, firmware.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    links = parser.add_subparsers(dest="command", required=True, metavar="LINK")
    _add_csv(links)
    _add_mqtt(links)
    _add_serial(links)
    _add_common(links.add_parser("stdout", help="JSON lines on stdout, live"), REALISTIC)
    return parser


def _add_csv(links: Any) -> None:
    csv = links.add_parser(
        "csv", help="a CSV file, as fast as it goes", description="Writes CSV: time, then a column a channel."
    )
    csv.add_argument(
        "--out", default="-", metavar="FILE", help="file to write; {board} stands for the board's name; - is stdout"
    )
    csv.add_argument(
        "--time", choices=("iso", "unix"), default="iso", help="how times are written (default: iso, in UTC)"
    )
    csv.add_argument("--labels", action="store_true", help="add a column `anomaly`: 1 while a fault acts")
    # A data historian's export: on the grid, complete. Switch the board's habits on one by one.
    _add_common(csv, Firmware())


def _add_mqtt(links: Any) -> None:
    mqtt = links.add_parser(
        "mqtt", help="readings to an MQTT broker, live", description="Publishes to sensors/<board>/readings."
    )
    mqtt.add_argument("--host", default="127.0.0.1", help="broker (default: %(default)s)")
    mqtt.add_argument("--port", type=_typed(_whole(1, 65535)), default=1883, help="its port (default: %(default)s)")
    mqtt.add_argument("--username", metavar="NAME", help="user at the broker")
    mqtt.add_argument("--password-file", metavar="FILE", help="file that holds the password")
    mqtt.add_argument("--ca", metavar="FILE", help="CA certificate; turns TLS on")
    mqtt.add_argument(
        "--qos", type=int, choices=(0, 1), default=1, help="MQTT quality of service (default: %(default)s)"
    )
    mqtt.add_argument(
        "--root", default="sensors", metavar="TOPIC", help="first level of the topic (default: %(default)s)"
    )
    _add_common(mqtt, REALISTIC)


def _add_serial(links: Any) -> None:
    serial = links.add_parser(
        "serial", help="frames on a serial line or a pty, live", description="Writes one frame a line."
    )
    serial.add_argument(
        "--device", metavar="PATH", help="serial device to write to; without it a pty is made and its path printed"
    )
    serial.add_argument(
        "--baud", type=_typed(_whole(50, 4000000)), default=115200, help="of the device (default: %(default)s)"
    )
    serial.add_argument("--symlink", metavar="PATH", help="link that points to the pty while the run lasts")
    _add_common(serial, REALISTIC)


def _add_common(link: argparse.ArgumentParser, firmware: Firmware) -> None:
    live = firmware is REALISTIC
    _add_run(link, live)
    _add_faults(link)
    _add_firmware(link, firmware)


def _add_run(link: argparse.ArgumentParser, live: bool) -> None:
    run = link.add_argument_group("run")
    length = run.add_mutually_exclusive_group()
    default_length = "for ever" if live else "1h"
    length.add_argument(
        "--duration", type=_length, metavar="D", help=f"simulated time: 90, 20m, 1h30m, 2d (default: {default_length})"
    )
    length.add_argument(
        "--hours",
        type=_typed(lambda text: _positive(text + "h")),
        metavar="H",
        dest="duration",
        help="the same in hours",
    )
    default_start = "now" if live else "2026-01-05, a Monday"
    run.add_argument(
        "--start", type=_time, metavar="TIME", help=f"time of the first row, ISO or Unix (default: {default_start})"
    )
    run.add_argument("--period", type=_length, default=1.0, metavar="D", help="between two rows (default: 1 s)")
    run.add_argument(
        "--seed",
        type=_typed(_whole(0, 2**31)),
        default=0,
        metavar="N",
        help="same seed, start and options, same run (default: 0)",
    )
    run.add_argument(
        "--boards",
        type=_typed(_whole(1, 1000)),
        default=1,
        metavar="N",
        help="number of boards, each with its pump (default: 1)",
    )
    run.add_argument("--name", default="pump", help="boards are called NAME1, NAME2, ... (default: %(default)s)")
    run.add_argument("--quiet", action="store_true", help="no report on stderr")
    if live:
        run.add_argument(
            "--speed",
            type=_typed(_speed),
            default=1.0,
            metavar="S",
            help="simulated seconds a second, or max (default: 1)",
        )


def _add_faults(link: argparse.ArgumentParser) -> None:
    draw = DrawSettings()
    faults = link.add_argument_group("faults", f"kinds: {', '.join(KINDS)}")
    faults.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="F",
        help=f"{FAULT_SYNTAX}, START after the run's start; may be repeated",
    )
    faults.add_argument("--schedule", metavar="FILE", help="JSON list of faults; a truth file repeats its faults")
    faults.add_argument("--random-faults", type=_count, default=0, metavar="N", help="draw N faults for each board")
    faults.add_argument("--kinds", metavar="K,K", help="kinds to draw from (default: all but the slow ones)")
    faults.add_argument(
        "--lead-in",
        type=_duration,
        default=draw.lead_in_s,
        metavar="D",
        help="normal time before the first drawn fault (default: 30m)",
    )
    faults.add_argument(
        "--gap",
        type=_duration,
        default=draw.gap_s,
        metavar="D",
        help="normal time between drawn faults at least (default: 10m)",
    )
    faults.add_argument("--truth", metavar="FILE", help="write the faults to this JSON file")


def _add_firmware(link: argparse.ArgumentParser, default: Firmware) -> None:
    board = link.add_argument_group("board (0 switches a habit off)")
    board.add_argument(
        "--adc-bits", type=_bits, default=12, metavar="N", help="resolution of the converter (default: 12; 0 is ideal)"
    )
    board.add_argument(
        "--jitter-ms",
        type=_typed(float),
        default=1000 * default.jitter_s,
        metavar="MS",
        help="of the sampling timer, sd (default: %(default)g)",
    )
    board.add_argument(
        "--clock-drift",
        type=_typed(float),
        default=default.clock_drift_ppm,
        metavar="PPM",
        help="of the board's clock at most (default: %(default)g)",
    )
    board.add_argument(
        "--reboot-every",
        type=_duration,
        default=default.reboot_every_s,
        metavar="D",
        help=f"mean time between reboots (default: {_days(default.reboot_every_s)})",
    )
    board.add_argument(
        "--link-loss-every",
        type=_duration,
        default=default.link_loss_every_s,
        metavar="D",
        help=f"mean time between losses of the link (default: {_days(default.link_loss_every_s)})",
    )
    board.add_argument(
        "--buffer",
        type=_count,
        default=default.buffer_rows,
        metavar="N",
        help="readings kept while the link is lost (default: %(default)s)",
    )
    board.add_argument(
        "--missing",
        type=_share,
        default=default.missing,
        metavar="P",
        help="part of the values that are not read (default: %(default)g)",
    )


def _days(seconds: float) -> str:
    return f"{seconds / 3600:g}h"
