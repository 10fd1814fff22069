"""`offbeat-edge doctor`: a line for everything that an agent needs, `ok` or what to do."""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from edge.agent.loading import trust_of
from edge.commands.check import broker_result, source_result
from edge.commands.upkeep import heard, machine, variants
from edge.commands.upkeep.finding import Finding
from edge.config.settings import Config, ConfigError, load_config
from edge.state.lock import holder
from edge.wire.certificates import CertificateError, days_left, precautions
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
    yield from _connections(config, seconds)
    yield from credentials(config, path)
    yield machine.clock(path)
    yield machine.disk(config)
    yield machine.wear(config)
    yield machine.memory()
    yield from machine.permissions(config)
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


def credentials(config: Config, path: Path) -> Iterator[Finding]:
    """Until when certificates hold, who may read secrets, and whether anything crosses a network unprotected."""
    found = precautions(config.brokers, path)
    for line in found:
        bad = " ended " in line or "no certificate" in line
        yield Finding("FAIL" if bad else "do", "credentials", line)
    for broker in config.brokers:
        if broker.exposed:
            yield Finding(
                "do", "credentials", f"{broker.address} is spoken to without TLS; name its authority: ca = FILE"
            )
        for certificate in (broker.ca, broker.cert):
            if certificate is not None and not any(line.startswith(str(certificate)) for line in found):
                yield _holds(certificate)
    if not found and not any(broker.exposed or broker.ca for broker in config.brokers):
        yield Finding("ok", "credentials", "none that end, no secret that others may read")


def _holds(certificate: Path) -> Finding:
    try:
        return Finding("ok", "credentials", f"{certificate} holds for {days_left(certificate, time.time()):.0f} days")
    except (CertificateError, OSError) as error:
        return Finding("FAIL", "credentials", str(error))
