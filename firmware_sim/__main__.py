"""The command offbeat-sim."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from edge.wire.broker import BrokerSettings
from firmware_sim.board.fleet import BoardRun
from firmware_sim.board.live import BoardLink, Pace, play
from firmware_sim.board.model import PUMP_SET, Model
from firmware_sim.board.plan import plan_run
from firmware_sim.links.csvfile import file_of, write_csv
from firmware_sim.links.errors import LinkError
from firmware_sim.machine.truth import truth, write_truth
from firmware_sim.options.arguments import build_parser


class UsageError(Exception):
    """Options that do not go together."""


def main(argv: list[str] | None = None) -> int:
    """Run offbeat-sim; 0 when the run ended or was stopped, 2 with one line on stderr when something was wrong."""
    args = build_parser().parse_args(argv)
    try:
        run = plan_run(args, _model(args))
        with _stopped_by_signals() as stop:
            return _csv(args, run, stop) if args.command == "csv" else _live(args, run, stop)
    except BrokenPipeError:  # whoever read our output has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains while it exits
        return 0
    except (UsageError, LinkError, ValueError) as error:
        print(f"offbeat-sim: {error}", file=sys.stderr)
    except OSError as error:
        print(f"offbeat-sim: {error.filename or 'output'}: {error.strerror or error}", file=sys.stderr)
    return 2


def _model(args: argparse.Namespace) -> Model:
    if not args.machine:
        return PUMP_SET
    from firmware_sim.own.machine import OwnMachine

    return OwnMachine.read(Path(args.machine))


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _csv(args: argparse.Namespace, run: BoardRun, stop: threading.Event) -> int:
    if len(run.boards) > 1 and "{board}" not in args.out:
        raise UsageError(f"--out {args.out}: {len(run.boards)} boards need a file each; put {{board}} into the name")
    _write_truth(args, run, _planned_end(run))
    for number, board in enumerate(run.boards, 1):
        path = file_of(args.out, board)
        with nullcontext(sys.stdout) if args.out == "-" else path.open("w", encoding="utf-8", newline="") as out:
            rows = write_csv(run, number, out, args.time, args.labels, stop)
            out.flush()
        if stop.is_set():
            _say(args, f"stopped after {rows} rows of {board}")
            break
        _say(args, f"{board}: {rows} rows, {sum(fault.board == board for fault in run.faults)} faults -> {path}")
    return 0


def _live(args: argparse.Namespace, run: BoardRun, stop: threading.Event) -> int:
    link = _link(args, run, stop)
    try:
        link.open()
        _write_truth(args, run, _planned_end(run))
        sent, since_s = play(run, link, Pace(args.speed, stop))
    finally:
        link.close()
    _write_truth(args, run, run.settings.start + since_s)
    _say(args, f"{sent} readings, {link.lost} of them lost on the link; {since_s:.0f} s simulated")
    return 0


def _link(args: argparse.Namespace, run: BoardRun, stop: threading.Event) -> BoardLink:
    """The link of the subcommand; each is imported only when asked for."""
    if args.command == "mqtt":
        return _mqtt(args, run, stop)
    if args.command == "serial":
        from firmware_sim.links.pty import PtyLine
        from firmware_sim.links.serialline import DeviceLine, SerialLink

        symlink = Path(args.symlink) if args.symlink else None
        patient = args.speed != 1.0  # in real time a reader that is away misses what is sent, as with a UART
        return SerialLink(DeviceLine(args.device, args.baud) if args.device else PtyLine(stop, patient, symlink))
    from firmware_sim.links.stdout import StdoutLink

    return StdoutLink(sys.stdout, name_boards=len(run.boards) > 1)


def _mqtt(args: argparse.Namespace, run: BoardRun, stop: threading.Event) -> BoardLink:
    from firmware_sim.formats.choosing import FORMATS, source_of
    from firmware_sim.links.mqtt import MqttDevices, MqttLink

    broker, names = _broker(args), [channel.name for channel in run.model.channels]
    if args.format == "offbeat":
        return MqttLink(broker, stop, args.qos, FORMATS["offbeat"](names, args.root))
    one = FORMATS[args.format](names, args.root)
    if not one.time_told and args.speed != 1.0:
        _say(
            args,
            f"{args.format} sends no time: whoever listens dates readings by their arrival; --speed 1 keeps them apart",
        )
    _say(args, f"an agent reads it with\n\n{source_of(args.format, names)}\n")
    return MqttDevices(
        run.boards, lambda board: MqttLink(broker, stop, args.qos, FORMATS[args.format](names, args.root), board)
    )


def _broker(args: argparse.Namespace) -> BrokerSettings:
    """Raises ValueError or OSError for what does not fit together or cannot be read."""
    password = Path(args.password_file).read_text("utf-8").strip() if args.password_file else None
    ca, cert, key = (Path(name) if name else None for name in (args.ca, args.cert, args.key))
    return BrokerSettings(
        host=args.host, port=args.port, username=args.username, password=password, ca=ca, cert=cert, key=key
    )


def _planned_end(run: BoardRun) -> float | None:
    rows = run.settings.rows
    return None if rows is None else run.settings.start + rows * run.settings.period_s


def _write_truth(args: argparse.Namespace, run: BoardRun, end: float | None) -> None:
    if not args.truth:
        return
    content = truth(
        run.faults, run.boards, run.settings.start, end, run.settings.period_s, run.settings.seed, run.model.channels
    )
    try:
        write_truth(Path(args.truth), content)
    except OSError as error:
        raise UsageError(f"--truth {args.truth}: {error.strerror}") from error


def _say(args: argparse.Namespace, text: str) -> None:
    if not args.quiet:
        print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
