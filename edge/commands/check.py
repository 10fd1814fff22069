"""Tries everything that the agent will need, without starting it: one line each, ok or FAIL."""

import argparse
import os
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import numpy as np

from edge.agent.loading import Loaded, grouped, live_sources, load_streams, trust_of
from edge.agent.parts import open_reader
from edge.agent.trial import Trial
from edge.config.settings import Config, ConfigError, StreamConfig, load_config
from edge.config.structure import nearest
from edge.detector.bundle.files import BundleError, load_bundle
from edge.detector.learn.commissioning import bundle_calibration
from edge.detector.learn.standing import describe
from edge.mqtt.connection import ConnectError
from edge.mqtt.probe import probe
from edge.sources.intake import Intake
from edge.sources.settings import SourceError, SourceSettings
from edge.state.before_start import not_gone_on_with
from edge.wire.certificates import looked_after
from edge.wire.topics import DeviceTopics

CheckResult = tuple[bool, str, str]
"""Whether it is good, what was tried, what was found."""


def check(path: Path, write: Callable[[str], None] = print) -> int:
    """Check a config and what it names; the exit status, 0 or 2."""
    failed = 0
    for good, what, found in _findings(path):
        write(f"{'ok  ' if good else 'FAIL'}  {what}: {found}")
        failed += not good
    return 2 if failed else 0


def _findings(path: Path) -> Iterator[CheckResult]:
    try:
        config = load_config(path)
    except ConfigError as error:
        yield False, "config", str(error)
        return
    yield True, "config", f"{path}: {len(config.source)} sources, {len(config.stream)} streams"
    yield _state_dir(config.device.state_dir)
    try:
        groups = grouped(config.stream)
    except ConfigError as error:
        yield False, "config", str(error)
        return
    for streams in groups.values():
        yield bundle_result(streams, config)
    for source in config.source:
        yield source_result(source, config)
    yield broker_result(config)
    for stream, line in left_behind(config):
        yield True, "warning", f"stream {stream}: {line}"
    for one in looked_after(config.brokers, path):
        yield not one.fails, "warning", one.line


def _state_dir(folder: Path) -> CheckResult:
    if folder.is_symlink() and not folder.exists():
        return False, "state_dir", f"{folder} is a link to {os.readlink(folder)}, which is not there; mkdir it"
    above = next(part for part in (folder, *folder.absolute().parents) if part.exists())
    if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
        return False, "state_dir", f"{folder}: {above} cannot be written to by this user"
    return True, "state_dir", f"{folder} ({'exists' if above == folder else 'will be made'})"


def bundle_result(streams: list[StreamConfig], config: Config) -> CheckResult:
    """Streams that share a bundle and variant, loaded as the agent will: its runtime, their variant and rules."""
    what = f"bundle of {', '.join(stream.id for stream in streams)}"
    live, trust = live_sources(config.source), trust_of(config, False)
    try:
        loaded = load_streams(streams, config.device.runtime, live, Trial(None), trust)
        window = np.zeros((1, loaded.bundle.window, len(loaded.bundle.channels)), np.float32)
        loaded.model.run(window)  # builds the interpreter; the first call packs weights
        start = time.perf_counter()
        output = loaded.model.run(window)
        took_ms = (time.perf_counter() - start) * 1000
        members = _members(streams, loaded)
    except (BundleError, ConfigError) as error:
        return False, what, str(error)
    if not np.isfinite(output).all():
        return False, what, f"{loaded.bundle.folder}: variant {loaded.variant.name} gives values that are not finite"
    made = f"{loaded.bundle.name}, {loaded.variant.name} in {loaded.model.runtime}"
    shape = f"{loaded.bundle.window} rows of {', '.join(loaded.bundle.channel_names)}"
    return True, what, f"{made}, a window of {shape} ran in {took_ms:.2f} ms; {members}"


def left_behind(config: Config) -> Iterator[tuple[str, str]]:
    """Streams of which the next start leaves something behind that they have learnt, and what; nothing is touched."""
    for stream in config.stream:
        try:
            bundle = load_bundle(stream.bundle)
        except BundleError:
            continue  # reported of the bundle
        folder = config.device.state_dir / "streams"
        try:
            lines = list(not_gone_on_with(folder, stream.id, bundle, stream.calibrate_rows))
        except OSError:
            continue  # another user's; reported of the state folder
        yield from ((stream.id, line) for line in lines)


def _members(streams: list[StreamConfig], loaded: Loaded) -> str:
    """What judges these streams, as far as that is known before they run."""
    own = [stream.id for stream in streams if stream.calibrate_rows]
    if len(own) == len(streams):
        return "each is judged once it has commissioned itself"
    judged = describe(bundle_calibration(loaded.bundle, loaded.variant), loaded.bundle.window)
    return judged + (f"; {', '.join(own)} once commissioned" if own else "")


def source_result(source: SourceSettings, config: Config) -> CheckResult:
    """One source, tried as far as that can be done without taking its readings."""
    what = f"source {source.name}"
    try:
        found = open_reader(source, Intake(source.name, lambda *_: None, {}), config).probe()
    except SourceError as error:
        return False, what, str(error)
    if (names := source.recorded()) is not None and (lost := _lost(names, source, config)):
        return False, what, lost
    return True, what, found


def _lost(names: Collection[str], source: SourceSettings, config: Config) -> str:
    """The first channel that a stream wants and the source does not have; empty where none is lost."""
    for stream in config.stream:
        if stream.source != source.name:
            continue
        try:
            wanted = load_bundle(stream.bundle).channel_names
        except BundleError:
            continue  # reported of the bundle
        for name in wanted:
            if name not in names:
                return f"no channel {name!r} for stream {stream.id}{nearest(name, names)}"
    return ""


def broker_result(config: Config) -> CheckResult:
    """The broker of the alerts, by publishing and reading back."""
    broker = config.broker
    topic = DeviceTopics(config.device.id, config.device.root).check
    try:
        # Another client id than the agent's: with the same the broker would throw out an agent that runs.
        found = probe(broker, f"{broker.client_id or f'offbeat-{config.device.id}'}-check", topic=topic)
    except ConnectError as error:
        return False, "broker", str(error)
    login = f" as {broker.username}" if broker.username else ""
    return True, "broker", f"{broker.address} greets{login}{' over TLS' if broker.ca else ''}, {found}"


def check_command(options: argparse.Namespace) -> int:
    """As `offbeat-edge check`; the exit status."""
    return check(options.config)
