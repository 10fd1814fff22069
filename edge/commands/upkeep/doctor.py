"""`offbeat-edge doctor`: a line for everything that an agent needs, `ok` or what to do."""

import argparse
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from edge.agent.loading import grouped, trust_of
from edge.commands.check import broker_result, bundle_result, left_behind, source_result
from edge.commands.upkeep import disks, heard, machine, memory, ports, variants
from edge.commands.upkeep.credentials import credentials
from edge.commands.upkeep.file_system import file_system, state_dir
from edge.commands.upkeep.finding import Finding
from edge.config.settings import Config, ConfigError, load_config
from edge.state.lock import can_be_seen, holder
from edge.wire.payload import printable


def doctor(options: argparse.Namespace, write: Callable[[str], None] = print) -> int:
    """Print each line; 0 where nothing is to be done, 1 where something is, 2 where the agent cannot do its work."""
    levels = set()
    for finding in findings(options.config, options.seconds, options.unit):
        write(printable(str(finding)))
        levels.add(finding.level)
    return 2 if "FAIL" in levels else 1 if "do" in levels else 0


def findings(path: Path, seconds: float, unit: str) -> Iterator[Finding]:
    """Everything in turn; what cannot be looked at because of something before it is left out."""
    yield machine.python()
    yield variants.runtime()
    try:
        config = load_config(path)
    except ConfigError as error:
        yield Finding("FAIL", "config", str(error))
        return
    yield Finding("ok", "config", f"{path}: {len(config.source)} sources, {len(config.stream)} streams")
    yield from _bundles(config)
    for stream, line in left_behind(config):
        yield Finding("do", f"stream {stream}", f"{line}; back it up first: offbeat-edge backup FILE")
    yield from _connections(config, seconds)
    looks: tuple[tuple[str, Callable[[], Iterable[Finding]]], ...] = (
        ("port", lambda: ports.ports(config)),
        ("credentials", lambda: credentials(config, path)),
        ("clock", lambda: [machine.clock(path)]),
        ("file system", lambda: file_system(config)),
        ("disk", lambda: [disks.disk(config)]),
        ("inodes", lambda: [disks.inodes(config)]),
        ("disk wear", lambda: [disks.wear(config)]),
        ("memory", lambda: [memory.memory(path, config)]),
        ("state_dir", lambda: state_dir(config)),
        ("outbox", lambda: machine.outbox(config)),
        ("watchdog", lambda: [machine.watchdog(unit)]),
    )
    for what, look in looks:
        yield from _in_spite_of_errors(what, look)


def _in_spite_of_errors(what: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What one look is refused is its own line; the others are taken all the same."""
    try:
        yield from look()
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        remedy = "give this command as who runs the agent, or as root" if isinstance(error, PermissionError) else ""
        told = f"{where}{error.strerror or error}, so that it was not looked at"
        yield Finding("?", what, f"{told}; {remedy}" if remedy else told)


def _bundles(config: Config) -> Iterator[Finding]:
    """Each bundle by itself, then, where it is good, each stream's as the agent will load it."""
    bad = set()
    for folder in dict.fromkeys(stream.bundle for stream in config.stream):
        for finding in variants.bundle(folder, trust_of(config)):
            bad |= {folder} if finding.level == "FAIL" else set()
            yield finding
    try:
        groups = grouped([stream for stream in config.stream if stream.bundle not in bad])
    except ConfigError as error:
        yield Finding("FAIL", "config", str(error))
        return
    for streams in groups.values():
        good, what, found = bundle_result(streams, config)
        if not good:
            yield Finding("FAIL", what, found)


def _connections(config: Config, seconds: float) -> Iterator[Finding]:
    pid = holder(config.device.state_dir)
    yield _agent(config.device.state_dir, pid)
    good, what, found = broker_result(config)
    remedy = "; start it, or mend [broker]: alerts wait in the outbox meanwhile"
    yield Finding("ok" if good else "FAIL", what, found + ("" if good else remedy))
    for source in config.source:
        if pid and source.type in ("serial", "stdin"):
            continue  # the agent reads it, which is told of its streams
        good, what, found = source_result(source, config)
        yield Finding("ok" if good else "FAIL", what, found)
    yield from heard.heard_by_agent(config, seconds) if pid else heard.heard_now(config, seconds)


def _agent(folder: Path, pid: str | None) -> Finding:
    if pid is not None:
        return Finding("ok", "agent", f"process {pid} runs")
    if not can_be_seen(folder):
        remedy = "give this command as who runs the agent, or as root"
        return Finding("?", "agent", f"{folder} is another user's, so that none is seen that may run there; {remedy}")
    return Finding("ok", "agent", "none runs on this state folder")
