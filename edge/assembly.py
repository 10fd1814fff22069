"""From the settings to an agent that is ready to run: bundles loaded, state restored, nothing connected yet."""

import time
from collections import deque
from functools import partial

from edge import __version__
from edge.agent import Agent, Reader, Served
from edge.config import Config
from edge.delivery.durations import Durations
from edge.delivery.outbox import Outbox
from edge.delivery.publisher import Publisher
from edge.delivery.requests import Requests
from edge.detector.bundle import BundleError
from edge.inbox import Inbox
from edge.inference import Inference
from edge.ledger import Ledger
from edge.loading import grouped, live_sources, load_streams
from edge.notify import Notifier
from edge.reporter import Reporter
from edge.snapshots import Snapshots
from edge.sources.intake import Intake
from edge.sources.settings import MqttSource, SerialSource, SourceSettings
from edge.state_files import StateFiles
from edge.troubles import Troubles
from edge.wire.topics import DeviceTopics

CONFIG_SCHEMA = 1
"""Version of the keys of agent.toml, as the info topic gives it."""


def assemble(config: Config) -> Agent:
    """An agent for these settings. Bundles that fail are tried again while it runs, as long as one is good.

    Raises:
        ConfigError: a rule names a channel that its bundle has not.
        BundleError: no bundle at all can be used.
        SourceError: a source's file or module is missing.
    """
    run_s = Durations()
    outbox = Outbox(config.device.state_dir / "outbox.db")
    ledger = Ledger(outbox)
    inferences = _inferences(config, ledger, run_s)
    streams = [
        Served(stream.id, (stream.source or "", stream.board or ""), inference, number)
        for inference in inferences
        for number, stream in enumerate(inference.configs)
    ]
    ledger.settle_others([stream.id for stream in config.stream])
    inbox = Inbox([stream.route for stream in streams], config.device.queue_readings)
    ended: deque[tuple[str, Exception | None]] = deque()
    intakes = {
        source.name: Intake(source.name, inbox.put, source.channels, lambda name, error: ended.append((name, error)))
        for source in config.source
    }
    return Agent(
        streams=streams,
        inferences=inferences,
        inbox=inbox,
        readers={source.name: open_reader(source, intakes[source.name], config) for source in config.source},
        intakes=intakes,
        ended=ended,
        ledger=ledger,
        reporter=_reporter(config, inferences, outbox, run_s),
        notifier=Notifier(),
        health_every_s=config.device.health_every_s,
    )


def open_reader(source: SourceSettings, intake: Intake, config: Config) -> Reader:
    """The reader of a source, not started. Imports only what that source needs.

    Raises:
        SourceError: its file or module is missing.
    """
    if isinstance(source, MqttSource):
        from edge.sources.mqtt import MqttReader

        broker = source.broker or config.broker
        own_id = source.broker.client_id if source.broker else None
        return MqttReader(source, intake, broker, own_id or f"offbeat-{config.device.id}-{source.name}")
    if isinstance(source, SerialSource):
        from edge.sources.serial import SerialReader

        return SerialReader(source, intake)
    from edge.sources.file import LineReader

    return LineReader(source, intake)


def _inferences(config: Config, ledger: Ledger, run_s: Durations) -> list[Inference]:
    device = config.device
    files = StateFiles(device.state_dir / "streams")
    live = live_sources(config.source)
    inferences, errors = [], []
    for streams in grouped(config.stream).values():
        load = partial(load_streams, streams, device.runtime, live)
        ids = [stream.id for stream in streams]
        snapshots = Snapshots(files, ledger, ids, device.snapshot_every_s, time.monotonic)
        inference = Inference(streams, load, snapshots, Troubles(ids, time.monotonic), run_s)
        inferences.append(inference)
        try:
            inference.open()
        except BundleError as error:
            errors.append(error)
    if len(errors) == len(inferences):
        raise errors[0]
    return inferences


def _reporter(config: Config, inferences: list[Inference], outbox: Outbox, run_s: Durations) -> Reporter:
    topics = DeviceTopics(config.device.id, config.device.root)
    requests = Requests(topics, config.requests.allow)
    publisher = Publisher(config.broker, topics, outbox, config.delivery, requests)
    return Reporter(outbox, publisher, _info(inferences), run_s)


def _info(inferences: list[Inference]) -> dict[str, object]:
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
                }
            )
    return {"version": __version__, "config_schema": CONFIG_SCHEMA, "bundles": bundles}
