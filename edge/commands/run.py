"""`offbeat-edge run`: the agent in this process."""

import argparse
import logging
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edge.commands.log_lines import log_to_stderr
from edge.wire.backoff import Backoff

if TYPE_CHECKING:
    from edge.agent.loop import Agent
    from edge.config.settings import Config

IN_USE = 1
"""Exit status for a state folder that another agent holds: a restart may find it free."""
BAD_SETUP = 2
"""Exit status for a config, bundle or source that cannot be used."""


def run(options: argparse.Namespace) -> int:
    """Serve until stopped; the exit status."""
    from edge.agent.footprint import give_back_memory, leave_out_accelerators, leave_out_openssl
    from edge.config.settings import ConfigError, load_config  # imports cattrs
    from edge.detector.bundle.manifest import BundleError
    from edge.sources.settings import SourceError

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold passwords and keys
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a reload asked for while starting; the config is about to be read
    try:
        config = _when_whole(lambda: load_config(options.config))
        log_to_stderr(config.device.log_level)
        threading.excepthook = _end_loudly
        leave_out_openssl(config.brokers)
        leave_out_accelerators()
        from edge.agent.assembly import assemble  # imports paho and hashlib
        from edge.state.lock import InUseError, StateLock

        os.umask(0o077)  # whatever the agent writes is for its user alone
        lock = StateLock(config.device.state_dir)
        try:
            lock.take()
        except InUseError as error:
            print(f"offbeat-edge: {error}", file=sys.stderr)
            return IN_USE
        _say_whose(config.device.state_dir)
        agent = assemble(config, options.config)
        give_back_memory()
        _obey_signals(agent)
        status = agent.run()
        agent.ledger.close()
        return status
    except (ConfigError, BundleError, SourceError) as error:
        print(f"offbeat-edge: {error}", file=sys.stderr)
        return BAD_SETUP


def _when_whole(load: "Callable[[], Config]") -> "Config":
    """A config, waited for where the file may be half written or a disk is not there yet."""
    from edge.config.errors import UnfinishedError

    backoff, told = Backoff(1.0, 10.0), ""
    while True:
        try:
            return load()
        except UnfinishedError as error:
            if str(error) != told:
                print(f"offbeat-edge: {error}; retrying until it is mended", file=sys.stderr, flush=True)
            told = str(error)
            time.sleep(backoff.next_s())


def _say_whose(folder: Path) -> None:
    """As root on the state folder of another, such as a service's user: that user cannot read what is written now."""
    with suppress(OSError):
        if os.geteuid() == 0 and (owner := folder.stat().st_uid) != 0:
            told = "state_dir %s is that of user %d, and this runs as root: before that user's agent starts again, %s"
            logging.getLogger(__name__).warning(told, folder, owner, f"chown -R --reference={folder} {folder}")


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
