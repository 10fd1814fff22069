"""The command `offbeat-edge`: run, check, watch, discover, record, normal. Imports what is needed alone."""

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge import __version__
from edge.wire.backoff import Backoff
from edge.wire.payload import printable

if TYPE_CHECKING:
    from edge.agent.loop import Agent
    from edge.config.settings import Config

_IN_USE = 1
"""Exit status for a state folder that another agent holds: a restart may find it free."""
_BAD_SETUP = 2
"""Exit status for a config, bundle or source that cannot be used."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status."""
    options = build_parser().parse_args(arguments)
    try:
        return options.command(options)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `offbeat-edge check | head`
        return 1


def build_parser() -> argparse.ArgumentParser:
    """The parser; the namespace that it gives holds the command's function as `command`."""
    parser = argparse.ArgumentParser("offbeat-edge", description="Finds anomalies in live readings, alerts over MQTT.")
    parser.add_argument("--version", action="version", version=f"offbeat {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="serve the streams of a config until stopped")
    run.add_argument("--config", type=Path, required=True, metavar="FILE", help="agent.toml")
    run.set_defaults(command=_run)
    check = commands.add_parser("check", help="try config, bundles, sources and broker without starting")
    check.add_argument("--config", type=Path, required=True, metavar="FILE", help="agent.toml")
    check.set_defaults(command=_check)
    _add_watch(commands.add_parser("watch", help="show alerts in this terminal as they come"))
    _add_discover(commands.add_parser("discover", help="list boards and channels at a broker, and settings"))
    _add_record(commands.add_parser("record", help="write what boards send to files, to train on"))
    _add_normal(commands.add_parser("normal", help="say of an episode that it was normal, or take that back"))
    return parser


def _add_normal(normal: argparse.ArgumentParser) -> None:
    normal.add_argument("--config", type=Path, required=True, metavar="FILE", help="the running agent's agent.toml")
    what = normal.add_mutually_exclusive_group(required=True)
    what.add_argument("event_id", nargs="?", metavar="EVENT_ID", help="an anomaly: what looks like it alerts no more")
    what.add_argument("--revoke", metavar="EVENT_ID", help="alert on what looks like it again")
    what.add_argument("--list", action="store_true", help="what is called normal, and what could be")
    normal.add_argument("--by", metavar="NAME", help="who says so; default the user")
    normal.set_defaults(command=_normal)


def _add_watch(watch: argparse.ArgumentParser) -> None:
    _add_broker(watch)
    watch.add_argument("--root", help="topic above the devices; default offbeat")
    watch.add_argument("--device", help="one device; default all, or that of --config")
    watch.add_argument("--json", action="store_true", help="print payloads as they came, one a line")
    watch.add_argument("--stream", help="one stream; default all")
    watch.add_argument("--severity", choices=["warning", "critical"], help="one severity; default both")
    watch.add_argument("--until-event", action="store_true", help="end with the first alert; 1 where none came")
    watch.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="end after so long")
    watch.set_defaults(command=_watch)


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e6:
        raise ValueError
    return number


def _add_broker(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="take broker, root and device from an agent.toml")
    parser.add_argument("--host", help="broker; default localhost")
    parser.add_argument("--port", type=int, help="default 1883")
    parser.add_argument("--username")
    parser.add_argument("--password-file", type=Path, metavar="FILE")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="authorities of the broker's certificate; turns TLS on")
    parser.add_argument("--cert", type=Path, metavar="FILE")
    parser.add_argument("--key", type=Path, metavar="FILE")
    parser.set_defaults(root=None, device=None)


def _add_discover(discover: argparse.ArgumentParser) -> None:
    _add_broker(discover)
    discover.add_argument("--seconds", type=float, default=60.0, help="how long to listen (60)")
    discover.add_argument("--bundle", type=Path, metavar="FOLDER", help="a bundle that a board should fit")
    discover.add_argument("--write", type=Path, metavar="FILE", help="write an agent.toml that reads all boards heard")
    discover.set_defaults(command=_discover)


def _add_record(record: argparse.ArgumentParser) -> None:
    _add_broker(record)
    record.add_argument("--format", help="as in [[source]]: esphome, … (the sources of --config, else offbeat)")
    record.add_argument("--topic", action="append", default=[], help="default: the format's; repeatable")
    record.add_argument("--out", type=Path, default=Path("recordings"), metavar="FOLDER", help="(recordings)")
    record.add_argument("--max-bytes", type=int, default=500_000_000, help="the oldest files go first (500000000)")
    record.add_argument("--seconds", type=float, help="default: until stopped")
    record.set_defaults(command=_record)


def _run(options: argparse.Namespace) -> int:
    from edge.agent.footprint import give_back_memory, leave_out_accelerators, leave_out_openssl
    from edge.config.settings import ConfigError, load_config  # imports cattrs
    from edge.detector.bundle.manifest import BundleError
    from edge.sources.settings import SourceError

    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a reload asked for while starting; the config is about to be read
    try:
        config = _when_whole(lambda: load_config(options.config))
        _log_to_stderr(config.device.log_level)
        threading.excepthook = _end_loudly
        leave_out_openssl(config.brokers)
        leave_out_accelerators()
        from edge.agent.assembly import assemble  # imports paho and hashlib
        from edge.state.lock import InUseError, StateLock

        lock = StateLock(config.device.state_dir)
        try:
            lock.take()
        except InUseError as error:
            print(f"offbeat-edge: {error}", file=sys.stderr)
            return _IN_USE
        agent = assemble(config, options.config)
        give_back_memory()
        _obey_signals(agent)
        return agent.run()
    except (ConfigError, BundleError, SourceError) as error:
        print(f"offbeat-edge: {error}", file=sys.stderr)
        return _BAD_SETUP


def _when_whole(load: "Callable[[], Config]") -> "Config":
    """A config, waited for where the file may be half written or a disk is not there yet."""
    from edge.config.structure import UnfinishedError

    backoff, told = Backoff(1.0, 10.0), ""
    while True:
        try:
            return load()
        except UnfinishedError as error:
            if str(error) != told:
                print(f"offbeat-edge: {error}; retrying until it is mended", file=sys.stderr, flush=True)
            told = str(error)
            time.sleep(backoff.next_s())


def _end_loudly(failed: threading.ExceptHookArgs) -> None:
    """A thread ended that must not: the process does, too, and whoever watches over it starts it anew.

    What was committed is on disk, as after any kill.
    """
    name = failed.thread.name if failed.thread else "a thread"
    where = (failed.exc_type, failed.exc_value, failed.exc_traceback)
    logging.getLogger(__name__).critical("%s ended; leaving", name, exc_info=where)  # type: ignore[arg-type]
    os._exit(1)


def _obey_signals(agent: "Agent") -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: agent.stop())
    # Whoever closes the terminal of an agent started by hand means to end it.
    hang_up = agent.stop if sys.stderr.isatty() else agent.reload
    signal.signal(signal.SIGHUP, lambda _number, _frame: hang_up())


def _check(options: argparse.Namespace) -> int:
    from edge.commands.check import check

    return check(options.config)


def _watch(options: argparse.Namespace) -> int:
    from edge.commands.watch_options import watched
    from edge.config.settings import ConfigError
    from edge.watch.terminal import Choice, watch

    try:
        broker, root, device = watched(options)
    except ConfigError as error:
        print(f"offbeat-edge: {error}", file=sys.stderr)
        return _BAD_SETUP
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    choice = Choice(options.stream, options.severity, options.until_event, options.timeout)
    shown = watch(broker, root, device, options.json, stop, choice=choice)
    return 1 if options.until_event and not shown else 0


def _discover(options: argparse.Namespace) -> int:
    from edge.commands.discover import discover

    return _with_broker(options, discover)


def _record(options: argparse.Namespace) -> int:
    from edge.commands.record import record

    return _with_broker(options, record)


def _with_broker(options: argparse.Namespace, command: Callable[[argparse.Namespace, Any], int]) -> int:
    from edge.commands.watch_options import watched
    from edge.config.settings import ConfigError
    from edge.detector.bundle.manifest import BundleError

    try:
        broker, _, _ = watched(options)
        return command(options, broker)
    except (ConfigError, BundleError) as error:
        print(f"offbeat-edge: {error}", file=sys.stderr)
        return _BAD_SETUP


def _normal(options: argparse.Namespace) -> int:
    from edge.commands.normal import normal

    return normal(options)


def _log_to_stderr(level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(for_journal="JOURNAL_STREAM" in os.environ))
    logging.basicConfig(handlers=[handler], level=level.upper())


class _Lines(logging.Formatter):
    """A record as one line; its text cannot forge another. No time: journald adds it, `run` by hand is watched live.

    Under journald with the priority that sd-daemon(3) reads at a line's start.
    """

    _PRIORITIES = {"CRITICAL": 2, "ERROR": 3, "WARNING": 4, "INFO": 6, "DEBUG": 7}  # noqa: RUF012

    def __init__(self, for_journal: bool) -> None:
        super().__init__("%(levelname)s %(message)s")
        self._for_journal = for_journal

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        line = printable(super().formatMessage(record))
        return f"<{self._PRIORITIES.get(record.levelname, 6)}>{line}" if self._for_journal else line


if __name__ == "__main__":
    sys.exit(main())
