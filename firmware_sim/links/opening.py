"""The link that a command line asks for; each is imported only then."""

import argparse
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from edge.wire.broker import BrokerSettings
from firmware_sim.board.live import BoardLink
from firmware_sim.links.errors import LinkError


def open_link(
    kind: str, args: argparse.Namespace, boards: Sequence[str], channels: Sequence[str], stop: threading.Event
) -> BoardLink:
    """The link called `kind` for some boards and their channels, not yet opened.

    Raises:
        LinkError: this system has no such link.
        ValueError: options do not fit together.
        OSError: a file that they name cannot be read.
    """
    if kind == "mqtt":
        return _mqtt(args, boards, channels, stop)
    if kind == "serial":
        return _serial(args, stop)
    from firmware_sim.links.stdout import StdoutLink

    return StdoutLink(sys.stdout, name_boards=len(boards) > 1)


def _serial(args: argparse.Namespace, stop: threading.Event) -> BoardLink:
    from firmware_sim.links.serialline import DeviceLine, SerialLink

    if args.device:
        return SerialLink(DeviceLine(args.device, args.baud))
    try:
        from firmware_sim.links.pty import PtyLine
    except ImportError as error:  # Windows has none
        raise LinkError(f"this system has no pseudo-terminals ({error}); give --device, or use mqtt") from error
    patient = args.speed != 1.0  # in real time a reader that is away misses what is sent, as with a UART
    return SerialLink(PtyLine(stop, patient, Path(args.symlink) if args.symlink else None))


def _mqtt(args: argparse.Namespace, boards: Sequence[str], channels: Sequence[str], stop: threading.Event) -> BoardLink:
    from firmware_sim.formats.choosing import FORMATS, source_of
    from firmware_sim.links.mqtt import MqttDevices, MqttLink

    broker, make = _broker(args), FORMATS[args.format]
    if args.format == "offbeat":
        return MqttLink(broker, stop, args.qos, make(channels, args.root))
    if not args.quiet:
        if not make(channels, args.root).time_told and args.speed != 1.0:
            print(
                f"{args.format} sends no time: whoever listens dates readings by their arrival, "
                "so that only --speed 1 keeps them as far apart as they were",
                file=sys.stderr,
            )
        print(f"an agent reads it with\n\n{source_of(args.format, channels)}\n", file=sys.stderr)
    return MqttDevices(boards, lambda board: MqttLink(broker, stop, args.qos, make(channels, args.root), board))


def _broker(args: argparse.Namespace) -> BrokerSettings:
    """Raises ValueError or OSError for what does not fit together or cannot be read."""
    password = Path(args.password_file).read_text("utf-8").strip() if args.password_file else None
    ca, cert, key = (Path(name) if name else None for name in (args.ca, args.cert, args.key))
    return BrokerSettings(
        host=args.host, port=args.port, username=args.username, password=password, ca=ca, cert=cert, key=key
    )
