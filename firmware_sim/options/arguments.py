"""The command line of offbeat-sim: one subcommand a link."""

import argparse
from collections.abc import Callable
from typing import Any

from edge import __version__
from firmware_sim.board.board import REALISTIC, Firmware
from firmware_sim.formats.choosing import FORMATS
from firmware_sim.options import types
from firmware_sim.options.groups import add_board, add_faults, add_run
from firmware_sim.options.playing import add_playing, add_speed

_EXAMPLES = """examples:
  offbeat-sim csv --out normal.csv --hours 24
  offbeat-sim csv --out pump.csv --hours 8 --random-faults 10 --seed 3 --labels --truth truth.json
  offbeat-sim mqtt --speed 60 --fault cavitation@20m+10m --fault stuck.flow@1h+15m:1.2
  offbeat-sim serial --symlink ./board
  offbeat-sim stdout --duration 5m --speed max
  offbeat-sim play my.csv --speed 60 --loop mqtt

`offbeat-sim csv --help` and so on show the options of a link."""


def build_parser() -> argparse.ArgumentParser:
    """The parser; `command` is the name of the link."""
    parser = argparse.ArgumentParser(
        prog="offbeat-sim",
        description="A simulated pump set and its sensor board: coupled physics, faults with truth labels, firmware.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"offbeat {__version__}")
    links = parser.add_subparsers(dest="command", required=True, metavar="LINK", title="links")
    _add_csv(links)
    _add_live_links(links, _add_live)
    about = "Plays a recording as a live board over a link, dated from now on."
    play = links.add_parser("play", help="a recording as a live board", description=about)
    add_playing(play)
    over = play.add_subparsers(dest="link", required=True, metavar="LINK", title="links")
    _add_live_links(over, lambda link: add_speed(link, argparse.SUPPRESS))
    return parser


def _add_live_links(links: Any, add_more: Callable[[argparse.ArgumentParser], None]) -> None:
    _add_mqtt(links, add_more)
    _add_serial(links, add_more)
    about = "Writes one JSON object a line."
    add_more(links.add_parser("stdout", help="JSON lines on stdout, live", description=about))


def _add_csv(links: Any) -> None:
    csv = links.add_parser("csv", help="a CSV file, as fast as it goes", description="Writes time,<channels...>.")
    out = "file to write; {board} stands for the board's name (default: -, stdout)"
    csv.add_argument("--out", default="-", metavar="FILE", help=out)
    csv.add_argument("--time", choices=("iso", "unix"), default="iso", help="how times are written (default: iso, UTC)")
    csv.add_argument("--labels", action="store_true", help="add a column `anomaly`, 1 while a fault acts")
    add_run(csv, live=False)
    add_faults(csv)
    # As a data historian exports: on the grid, complete. The board's habits can be switched on one by one.
    add_board(csv, Firmware())


def _add_mqtt(links: Any, add_more: Callable[[argparse.ArgumentParser], None]) -> None:
    about = "Publishes readings, to sensors/<board>/readings unless another format is asked for."
    mqtt = links.add_parser("mqtt", help="readings to an MQTT broker, live", description=about)
    add = mqtt.add_argument
    add("--host", default="127.0.0.1", help="broker (default: %(default)s)")
    add("--port", type=types.whole(1, 65535), default=1883, help="its port (default: %(default)s)")
    add("--username", metavar="NAME", help="user at the broker")
    add("--password-file", metavar="FILE", help="file that holds the password")
    add("--ca", metavar="FILE", help="CA certificate; turns TLS on")
    add("--cert", metavar="FILE", help="certificate of this client, with --key")
    add("--key", metavar="FILE", help="its private key")
    add("--qos", type=int, choices=(0, 1), default=1, help="quality of service (default: %(default)s)")
    add("--root", default="sensors", metavar="TOPIC", help="first level of the topics (default: %(default)s)")
    as_what = "what the messages look like, and their topics (default: %(default)s)"
    add("--format", choices=tuple(FORMATS), default="offbeat", help=as_what)
    add_more(mqtt)


def _add_serial(links: Any, add_more: Callable[[argparse.ArgumentParser], None]) -> None:
    about = "Writes one frame a line to a pty, whose path it prints, or to a device."
    serial = links.add_parser("serial", help="frames on a pty or a serial device, live", description=about)
    serial.add_argument("--device", metavar="PATH", help="serial device to write to; without it a pty is made")
    serial.add_argument(
        "--baud", type=types.whole(50, 4000000), default=115200, help="of the device (default: %(default)s)"
    )
    serial.add_argument("--symlink", metavar="PATH", help="link that points to the pty while the run lasts")
    add_more(serial)


def _add_live(link: argparse.ArgumentParser) -> None:
    add_run(link, live=True)
    add_faults(link)
    add_board(link, REALISTIC)
