"""The agent's parts, each made from its settings; nothing is loaded, started or connected yet."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from edge import __version__
from edge.agent.inbox import Inbox, Route
from edge.agent.inference import Inference
from edge.agent.loading import live_sources, load_streams, trust_of
from edge.agent.served import Served
from edge.agent.trial import Trial
from edge.agent.troubles import Troubles
from edge.config.settings import Config, StreamConfig
from edge.delivery.figures import Durations
from edge.detector.bundle.calibration import Calibration
from edge.sources.intake import Intake
from edge.sources.settings import NotInstalledError, Reader, SourceError, SourceSettings, Surroundings
from edge.state.files import StateFiles
from edge.state.ledger import Ledger
from edge.state.snapshots import Snapshots
from edge.wire.backoff import Backoff
from edge.wire.worker import Worker

CONFIG_SCHEMA = 1
"""Version of the keys of agent.toml, as the info topic gives it."""


def make_inference(
    streams: list[StreamConfig], config: Config, ledger: Ledger, run_s: Durations, between_rows: bool = False
) -> Inference:
    """The inference over streams that share a bundle; not opened. It may be made `between_rows` of a running agent."""
    trial = Trial(config.device.state_dir / "tried-bundles", between_rows)
    load = partial(load_streams, streams, config.device.runtime, live_sources(config.source), trial, trust_of(config))
    ids = [stream.id for stream in streams]
    files = StateFiles(config.device.state_dir / "streams")
    snapshots = Snapshots(files, ledger, ids, config.device.snapshot_every_s, time.monotonic)
    keeps_looks = "normal" in config.requests.allow
    return Inference(streams, load, snapshots, Troubles(ids, time.monotonic), run_s, keeps_looks)


def served(inferences: Iterable[Inference]) -> list[Served]:
    """The streams of these inferences, with where their readings come from."""
    return [
        Served(stream.id, (stream.source or "", stream.board or ""), inference, number)
        for inference in inferences
        for number, stream in enumerate(inference.configs)
    ]


def lanes_of(streams: Iterable[Served], readings: int) -> dict[Route, int]:
    """How many readings may wait of each board: `readings`, but at least what its largest window is made of.

    With less, a flood would push out readings faster than a window can fill, and nothing would be scored at all.
    """
    lanes: dict[Route, int] = {}
    for stream in streams:
        loaded = stream.inference.loaded
        # Boards may send their channels one by one; half a window more is what comes while the window is scored.
        needed = 0 if loaded is None else 3 * loaded.bundle.window * len(loaded.bundle.channels) // 2
        lanes[stream.route] = max(readings, needed, lanes.get(stream.route, 0))
    return lanes


def make_intake(source: SourceSettings, inbox: Inbox, ended: deque[tuple[str, Exception | None]]) -> Intake:
    """The agent's side of a source, which enters itself in `ended` when it has come to its end."""
    return Intake(source.name, inbox.put, source.channels, lambda name, error: ended.append((name, error)))


def open_reader(source: SourceSettings, intake: Intake, config: Config) -> Reader:
    """The reader of a source, not started.

    Raises:
        SourceError: its file or module is missing.
    """
    return source.open(intake, Surroundings(config.broker, config.device.id))


class LateReader:
    """Tries to open a reader until that works, then starts it."""

    def __init__(self, open_: Callable[[], Reader], intake: Intake) -> None:
        self._open, self._intake = open_, intake
        self._reader: Reader | None = None
        self._leaving = threading.Event()
        self._worker = Worker(f"source {intake.source}", self._run, intake.lost, self._leaving)

    def start(self) -> None:
        """Begin to try; returns at once."""
        self._worker.start()

    def stop(self) -> None:
        """End the trying, or the reader."""
        self._leaving.set()
        self._worker.join(1.0)
        if self._reader is not None:
            self._reader.stop()

    def probe(self) -> str:
        """Open it once and try it.

        Raises:
            SourceError: as opening it or its own probe does.
        """
        return self._open().probe()

    def _run(self) -> None:
        backoff = Backoff(1.0, 10.0)
        while not self._leaving.is_set():
            try:
                self._reader = self._open()
            except SourceError as error:
                self._intake.lost(error)
                self._leaving.wait(backoff.next_s())
                continue
            self._reader.start()
            return


def reader_in_time(source: SourceSettings, intake: Intake, config: Config) -> Reader:
    """The same; where something is missing that may still come, such as a file, one that goes on trying.

    Raises:
        NotInstalledError: a module is missing.
    """
    try:
        return open_reader(source, intake, config)
    except NotInstalledError:
        raise
    except SourceError:
        return LateReader(lambda: open_reader(source, intake, config), intake)


def _judged_by(calibration: Calibration | None) -> list[str]:
    """Names of the members that take part; none while a stream commissions itself."""
    return [] if calibration is None else list(calibration.taking_part)


def bundle_names(inferences: Iterable[Inference]) -> dict[str, str | None]:
    """The name of each stream's bundle, None while there is none that can be used."""
    return {
        config.id: None if inference.loaded is None else inference.loaded.bundle.name
        for inference in inferences
        for config in inference.configs
    }


def running_bundles(inferences: Iterable[Inference]) -> dict[str, str | None]:
    """The hash of each stream's bundle, None while there is none that can be used."""
    return {
        config.id: None if (loaded := inference.loaded) is None else loaded.bundle.sha256
        for inference in inferences
        for config in inference.configs
    }


def info_of(inferences: Iterable[Inference], allowed: Iterable[str]) -> dict[str, Any]:
    """What the info topic says: version, requests that are taken, bundles."""
    bundles = []
    for inference in inferences:
        if (loaded := inference.loaded) is not None:
            bundle = loaded.bundle
            bundles.append(
                {
                    "name": bundle.name,
                    "sha256": bundle.sha256,
                    "created": bundle.created,
                    "variant": loaded.variant.name,
                    "runtime": loaded.model.runtime,
                    "streams": [stream.id for stream in loaded.streams],
                    "channels": [{"name": channel.name, "unit": channel.unit} for channel in bundle.channels],
                    "period_s": bundle.period_s,
                    "members": {
                        stream.id: _judged_by(loaded.group.calibration(number))
                        for number, stream in enumerate(loaded.streams)
                    },
                }
            )
    head = {"version": __version__, "config_schema": CONFIG_SCHEMA, "requests": sorted(set(allowed))}
    return {**head, "bundles": bundles}
