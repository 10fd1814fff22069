"""The command offbeat-sim."""

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from edge.wire.output import output_taken, print_or_drop
from firmware_sim.board.fleet import BoardRun, messages
from firmware_sim.board.live import Pace, play
from firmware_sim.board.model import PUMP_SET, Model
from firmware_sim.board.plan import plan_run
from firmware_sim.links.csvfile import file_of, write_csv
from firmware_sim.links.errors import LinkError
from firmware_sim.links.opening import open_link
from firmware_sim.machine.truth import truth, write_truth
from firmware_sim.options.arguments import build_parser
from firmware_sim.schedule.timetext import parse_time


class UsageError(Exception):
    """Options that do not go together."""


def main(argv: list[str] | None = None) -> int:
    """Run offbeat-sim; 0 when the run ended or was stopped, 2 with one line on stderr when something was wrong."""
    with output_taken("offbeat-sim", otherwise=2):
        return _run(build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    try:
        if args.command == "play":
            return _play(args)
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
        print_or_drop()
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
    link = open_link(args.command, args, run.boards, [channel.name for channel in run.model.channels], stop)
    try:
        link.open()
        _write_truth(args, run, _planned_end(run))
        sent, since_s, ended = play(messages(run), link, Pace(args.speed, stop))
    finally:
        link.close()
    since_s = run.settings.duration_s if ended and run.settings.duration_s is not None else since_s
    _write_truth(args, run, run.settings.start + since_s)
    _say(args, f"{sent} readings, {link.lost} of them lost on the link; {since_s:.0f} s simulated")
    return 0


def _play(args: argparse.Namespace) -> int:
    """A recording as a live board."""
    from firmware_sim.options.playing import file_options
    from firmware_sim.recording.recording import Playback, open_recording

    recording = open_recording(Path(args.file), file_options(args), args.board)
    start = (
        None if args.start == "recorded" else float(int(time.time())) if args.start == "now" else parse_time(args.start)
    )
    playback = Playback(recording, start, args.loop)
    _say(args, f"{args.file}: {recording.layout.rows} rows, channels {', '.join(recording.names)}")
    with _stopped_by_signals() as stop:
        link = open_link(args.link, args, recording.boards, recording.names, stop)
        try:
            link.open()
            sent, since_s, _ = play(playback.messages(), link, Pace(args.speed, stop))
        finally:
            link.close()
    late = f"; {playback.late} rows lie before a row above them" if playback.late else ""
    _say(args, f"{sent} readings, {link.lost} of them lost on the link; {since_s:.0f} s of the recording played{late}")
    if not sent and not stop.is_set():
        raise UsageError(f"{args.file}: no row has both a time and a value")
    return 0


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
