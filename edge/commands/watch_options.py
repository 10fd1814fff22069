"""What `offbeat-edge watch` shall watch and show, from its options and, where one is given, an agent.toml."""

import argparse
import re
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import datetime
from datetime import time as clock_time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from edge.config.errors import ConfigError, check_certificates
from edge.watch.display import Choice
from edge.watch.notify import NotifySettings
from edge.watch.session import WatchSession, usual_folder
from edge.wire.broker import BrokerSettings
from edge.wire.topics import valid_id

_OF_BROKER = ("host", "port", "username", "ca", "cert", "key")
_AGO = re.compile(r"([0-9.]+)\s*([smhdw])")
_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def watched(options: argparse.Namespace) -> tuple[BrokerSettings, str, str]:
    """Broker, topic root and device (`+` for all); options win over the file.

    Raises:
        ConfigError: the file or an option cannot be used.
    """
    broker, root, device = BrokerSettings(), "offbeat", "+"
    if options.config is not None:
        # A page lives for long: what reading an agent.toml loads stays in a process that ends.
        broker, root, device = _apart(options.config) if getattr(options, "web", False) else of_config(options.config)
    device = options.device or device
    if device != "+" and not valid_id(device):
        raise ConfigError(f"--device {device!r}: ids have letters, digits, _ and - only")
    given: dict[str, Any] = {name: value for name in _OF_BROKER if (value := getattr(options, name)) is not None}
    if options.password_file is not None:
        given |= {"password": _content(options.password_file), "password_file": None}
    try:
        broker = replace(broker, **given)
    except ValueError as error:
        raise ConfigError(f"watch: {error}") from error
    check_certificates("watch", broker)
    return broker, options.root or root, device


def of_config(path: Path) -> tuple[BrokerSettings, str, str]:
    """Broker, topic root and device of an agent.toml.

    Raises:
        ConfigError: it cannot be used.
    """
    from edge.config.settings import load_config

    config = load_config(path)
    # Not the agent's client id: with the same the broker would throw out the agent.
    return replace(config.broker, client_id=None), config.device.root, config.device.id


def chosen(options: argparse.Namespace) -> Choice:
    """Which alerts are to be shown, and until when.

    Raises:
        ConfigError: `--since` is no time, or `--quiet` are no hours.
    """
    since = None if options.since is None else since_time(options.since, time.time())
    # Programs and who looks for what has been want every one.
    every = options.all or options.json or options.until_event or since is not None
    return Choice(
        options.stream, options.severity, options.until_event, options.timeout, since, None if every else told(options)
    )


def told(options: argparse.Namespace) -> NotifySettings:
    """When the terminal speaks.

    Raises:
        ConfigError: `--quiet` are no hours.
    """
    settings = NotifySettings(a_day=options.a_day)
    if options.quiet is None:
        return settings
    try:
        begin, end = (clock_time.fromisoformat(part.strip()) for part in options.quiet.split("-"))
    except ValueError:
        raise ConfigError(f"--quiet {options.quiet!r}: wanted local hours from and until, as 22:00-07:00") from None
    return replace(settings, quiet_from=begin, quiet_until=end)


def session_of(options: argparse.Namespace, broker: BrokerSettings, root: str, device: str) -> WatchSession | None:
    """The session that goes with this question; None where none is wanted."""
    if options.no_session:
        return None
    since = "" if options.since is None else "since"
    question = (broker.address, broker.username, root, device, options.stream, options.severity, since)
    return WatchSession(usual_folder(), [part or "" for part in question])


def since_time(text: str, now: float) -> float:
    """Unix seconds of `30m`, `2h`, `1d` before now, or of a date and time, local where it names no zone.

    Raises:
        ConfigError: it is neither.

    >>> since_time("2h", 10_000.0), since_time("1970-01-01T01:00Z", 0.0)
    (2800.0, 3600.0)
    """
    try:
        if (ago := _AGO.fullmatch(text.strip())) is not None:
            return now - min(float(ago[1]) * _UNITS_S[ago[2]], now)
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ConfigError(f"--since {text!r}: wanted how long ago, as 30m, 2h or 1d, or a date and time") from None


def _apart(path: Path) -> tuple[BrokerSettings, str, str]:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(of_config, path).result()


def _content(path: Path) -> str:
    """Read at once: it may be a pipe."""
    try:
        return path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--password-file {path}: {getattr(error, 'strerror', None) or error}") from error
