"""The stage of a rehearsal: made-up readings in place of the sources, a folder of its own, a broker that is away."""

import json
import socket
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from attrs import evolve

from edge.agent.loading import grouped
from edge.agent.loop import Agent
from edge.agent.parts import open_reader
from edge.commands.sizing.rehearsal import Rehearsal
from edge.config.settings import Config, StreamConfig
from edge.delivery.outbox import Outbox
from edge.detector.bundle.files import Bundle, BundleError, load_bundle
from edge.detector.bundle.rules import ChannelRules
from edge.detector.learn.commissioning import bundle_calibration
from edge.sources.intake import Intake
from edge.sources.settings import FileSource, Reader
from edge.state.ledger import Ledger

_NEVER = 1e6
"""A level that calm rows never reach, whatever the network makes of them."""
_SHAKEN_ROWS = 60
_CALLS = 10
_CLOSED = socket.socket()
"""Bound and never listening: its port refuses."""


@dataclass(frozen=True)
class SetUp:
    """A config that can be run here."""

    config: Config
    window: int
    """Rows of the longest window."""
    bundles: list[Bundle]


def as_configured(config: Config) -> list[Reader]:
    """The config's own readers, opened and never started: what their modules take counts.

    Raises:
        SourceError: one cannot be opened.
    """
    return [open_reader(source, Intake(source.name, lambda *_: None, {}), config) for source in config.source]


def prepared(config: Config, what: Rehearsal) -> SetUp:
    """The config with other sources, state folder and broker, and the rows written.

    Raises:
        ConfigError, BundleError: a bundle cannot be used.
    """
    groups = list(grouped(config.stream).values())
    chosen = groups if what.bundle is None else [groups[what.bundle]]
    folder, bundles, streams, sources = Path(what.folder), [], [], []
    for number, group in enumerate(chosen):
        more = [evolve(group[0], id=f"{group[0].id}-{copy}") for copy in range(what.copies)]
        bundle = load_bundle(group[0].bundle)
        theirs = [_played(one, bundle, f"made-up-{number}", what.kind) for one in (*group, *more)]
        path = folder / f"made-up-{number}.jsonl"
        path.write_text("".join(_lines(bundle, [one.id for one in theirs], what)), "utf-8")
        slow = what.kind == "idle"
        sources.append(FileSource(name=f"made-up-{number}", type="file", path=path, speed=float(slow), loop=slow))
        bundles.append(bundle)
        streams += theirs
    _CLOSED.bind(("127.0.0.1", 0))
    broker = replace(config.broker, host="127.0.0.1", port=_CLOSED.getsockname()[1])
    elsewhere = evolve(
        config,
        device=evolve(config.device, state_dir=folder / "state"),
        broker=broker,
        source=tuple(sources),
        stream=tuple(streams),
        web=evolve(config.web, port=_any_port(config.web.port), host="127.0.0.1"),
        prometheus=evolve(config.prometheus, port=_any_port(config.prometheus.port), host="127.0.0.1"),
    )
    return SetUp(elsewhere, max(bundle.window for bundle in bundles), bundles)


def _any_port(port: int | None) -> int | None:
    return None if port is None else 0


def _played(stream: StreamConfig, bundle: Bundle, source: str, kind: str) -> StreamConfig:
    """A stream that takes the made-up rows."""
    alarm = stream.alarm if kind == "shaken" else evolve(stream.alarm, level=_NEVER)
    own = stream.calibrate_rows if kind == "commissioning" or not _calibrated(bundle, stream.variant) else 0
    rules = dict(stream.rules)
    if kind == "shaken" and own:  # not judged yet: at least a rule speaks
        rules[bundle.channel_names[0]] = ChannelRules(max=float(bundle.scaler.center[0, 0]))
    return evolve(
        stream, source=source, board=stream.id, time_from="reading", planned=(), calibrate_rows=own, alarm=alarm,
        rules=rules,
    )  # fmt: skip


def _calibrated(bundle: Bundle, variant: str) -> bool:
    try:
        named = [one for one in bundle.variants if variant in ("auto", one.name)]
        return all(bundle_calibration(bundle, one) is not None for one in named)
    except BundleError:
        return False


def _lines(bundle: Bundle, boards: list[str], what: Rehearsal) -> list[str]:
    """JSON lines: every board at each instant of the grid, up to now."""
    count, period = bundle.window + 20 + what.rows, bundle.period_s
    start = (time.time() // period - count) * period
    center, scale = bundle.scaler.center[0], bundle.scaler.scale[0]
    shaken = range(count - what.rows // 2 - _SHAKEN_ROWS, count - what.rows // 2) if what.kind == "shaken" else ()
    lines = []
    for number in range(count):
        off = 8.0 * (-1.0) ** number if number in shaken else 0.2 * np.sin(number / 5.0)
        values = dict(zip(bundle.channel_names, (center + off * scale).tolist(), strict=True))
        moment = start + number * period
        lines += [json.dumps({"board": board, "time": moment, "values": values}) + "\n" for board in boards]
    return lines


def inferences(agent: Agent) -> dict[str, Any]:
    """By bundle, in order: which variant runs, and what a window of it takes in a call for all its streams."""
    told = []
    for inference in agent.inferences:
        if (loaded := inference.loaded) is None:
            raise BundleError(f"{inference.configs[0].bundle}: it cannot be used; see offbeat-edge check")
        batch = min(len(loaded.streams), max(loaded.variant.batch))
        windows = np.zeros((batch, loaded.bundle.window, len(loaded.bundle.channels)), np.float32)
        loaded.model.run(windows)
        taken = []
        for _ in range(_CALLS):
            start = time.perf_counter()
            loaded.model.run(windows)
            taken.append(time.perf_counter() - start)
        told.append({"bundle": loaded.bundle.name, "variant": loaded.variant.name, "runtime": loaded.model.runtime,
                     "window_s": sorted(taken)[_CALLS // 2] / batch, "period_s": loaded.bundle.period_s,
                     "stride": loaded.bundle.stride, "channels": len(loaded.bundle.channels)})  # fmt: skip
    return {"inferences": told}


def written(set_up: SetUp, folder: Path) -> dict[str, Any]:
    """What the run left in its state folder, and what each event costs to commit and to write off, bytes."""
    state = folder / "state"
    rows = sum(path.stat().st_size for path in (state / "archive").rglob("*") if path.is_file())
    states = [path.stat().st_size for path in (state / "streams").glob("*.json")]
    episodes = [path.stat().st_size for path in (state / "history").rglob("*") if path.is_file()]
    return {"state_bytes": states, "archived_bytes": rows, "episode_bytes": episodes, **_events(set_up, folder)}


def _events(set_up: SetUp, folder: Path) -> dict[str, Any]:
    outbox = Outbox(folder / "state" / "outbox.db")
    events, size = outbox.events(), outbox.counts().size_bytes
    outbox.close()
    sizes: dict[str, list[int]] = {}
    again = Outbox(folder / "again.db", set_up.config.delivery.outbox_bytes)
    again.try_disk()
    ledger, before = Ledger(again), _sent_to_disk()
    for event in events:
        held = again.counts().size_bytes
        ledger.commit(event.stream, event.model.sha256 if event.model else "", [event], {})
        sizes.setdefault(event.event_type, []).append(again.counts().size_bytes - held)
        again.acknowledge(again.pending(limit=10))
    wrote = _sent_to_disk() - before
    ledger.close()
    return {"events": len(events), "events_bytes": size, "event_bytes": sizes, "event_written_bytes": wrote}


def _sent_to_disk() -> int:
    """Bytes that this process has handed to the system to write; in a folder on any file system."""
    lines = Path("/proc/self/io").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar:"))
