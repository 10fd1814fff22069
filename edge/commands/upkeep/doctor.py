"""`offbeat-edge doctor`: a line for everything that an agent needs, `ok` or what to do."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from edge.agent.loading import trust_of
from edge.commands.check import broker_result, left_behind, source_result
from edge.commands.upkeep import disks, heard, machine, memory, ports, variants
from edge.commands.upkeep.credentials import credentials
from edge.commands.upkeep.file_system import file_system
from edge.commands.upkeep.finding import Finding
from edge.config.settings import Config, ConfigError, load_config
from edge.state.lock import holder
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
    for folder in dict.fromkeys(stream.bundle for stream in config.stream):
        yield from variants.bundle(folder, trust_of(config))
    for stream, line in left_behind(config):
        yield Finding("do", f"stream {stream}", f"{line}; back it up first: offbeat-edge backup FILE")
    yield from _connections(config, seconds)
    yield from ports.ports(config)
    yield from credentials(config, path)
    yield machine.clock(path)
    yield from file_system(config)
    yield disks.disk(config)
    yield disks.inodes(config)
    yield disks.wear(config)
    yield memory.memory(path, config)
    yield from machine.permissions(config)
    yield from machine.outbox(config)
    yield machine.watchdog(unit)


def _connections(config: Config, seconds: float) -> Iterator[Finding]:
    pid = holder(config.device.state_dir)
    yield Finding("ok", "agent", f"process {pid} runs" if pid else "none runs on this state folder")
    good, what, found = broker_result(config)
    remedy = "; start it, or mend [broker]: alerts wait in the outbox meanwhile"
    yield Finding("ok" if good else "FAIL", what, found + ("" if good else remedy))
    for source in config.source:
        if pid and source.type in ("serial", "stdin"):
            continue  # the agent reads it, which is told of its streams
        good, what, found = source_result(source, config)
        yield Finding("ok" if good else "FAIL", what, found)
    yield from heard.heard_by_agent(config, seconds) if pid else heard.heard_now(config, seconds)
