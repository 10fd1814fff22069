"""`offbeat-edge watch`: alerts in the terminal, or on the live page."""

import argparse
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from edge.commands.log_lines import log_to_stderr
from edge.commands.watch_options import chosen, session_of, watched
from edge.config.errors import ConfigError
from edge.watch.terminal import watch

_BAD_SETUP = 2


def watch_alerts(options: argparse.Namespace) -> int:
    """Show them until stopped; 1 where `--until-event` was asked for and none came."""
    try:
        broker, root, device = watched(options)
        choice = chosen(options)
    except ConfigError as error:
        print(f"offbeat-edge: {error}", file=sys.stderr)
        return _BAD_SETUP
    if options.web:
        return _page(options, broker, root, device)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, lambda _number, _frame: stop.set())
    session = session_of(options, broker, root, device)
    shown = watch(broker, root, device, options.json, stop, choice=choice, session=session)
    return 1 if options.until_event and not shown else 0


def with_broker(options: argparse.Namespace, command: Callable[[argparse.Namespace, Any], int]) -> int:
    """Run a command that wants the options' broker; 2 where there is none to be had from them."""
    from edge.detector.bundle.manifest import BundleError

    try:
        broker, _, _ = watched(options)
        return command(options, broker)
    except (ConfigError, BundleError) as error:
        print(f"offbeat-edge: {error}", file=sys.stderr)
        return _BAD_SETUP


def _page(options: argparse.Namespace, broker: Any, root: str, device: str) -> int:
    try:
        from edge.commands.page import serve_page
    except ModuleNotFoundError as error:
        print(f"offbeat-edge: --web wants {error.name}: pip install 'offbeat[web]'", file=sys.stderr)
        return _BAD_SETUP
    log_to_stderr("info")
    return serve_page(options, broker, root, device)
