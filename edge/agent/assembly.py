"""From the settings to an agent that is ready to run: bundles loaded, state restored, nothing connected yet."""

from collections import deque
from functools import partial
from pathlib import Path
from typing import Any

from edge.agent.asked.attending import Attending
from edge.agent.asked.bundles import BundleRequests
from edge.agent.asked.local import LocalRequests
from edge.agent.asked.recalibrating import Recalibrating
from edge.agent.asked.snapshots import Snapshots
from edge.agent.asked.status import status_body
from edge.agent.feedback import Feedback
from edge.agent.inbox import Gathering, Inbox
from edge.agent.inference import Inference
from edge.agent.left_behind import KeptTopics
from edge.agent.loading import grouped, live_sources
from edge.agent.loop import Agent
from edge.agent.notify import Notifier
from edge.agent.parts import info_of, lanes_of, make_inference, make_intake, reader_in_time, running_bundles, served
from edge.agent.reload import Reload
from edge.agent.reporter import Reporter
from edge.agent.services import announced, services
from edge.config.settings import Config, ConfigError
from edge.delivery.figures import Durations
from edge.delivery.outbox import Outbox
from edge.delivery.publisher import Publisher
from edge.delivery.requests import Requests
from edge.detector.bundle.files import BundleError, UnfitError
from edge.history.keeper import History
from edge.history.request import answer
from edge.state.ledger import Ledger
from edge.wire.topics import DeviceTopics


def assemble(config: Config, path: Path) -> Agent:
    """An agent for these settings, which it reads again from `path` when it is told to.

    What may pass, such as a bundle that is half copied, is tried again while the agent runs.

    Raises:
        ConfigError: a rule names a channel that its bundle has not.
        BundleError: no bundle fits what is asked or installed here, or there are only recordings to be scored.
        SourceError: a source's module is missing.
    """
    run_s, ledger = Durations(), _ledger(config)
    inferences = _opened(config, ledger, run_s)
    ledger.settle_others([stream.id for stream in config.stream])
    streams = served(inferences)
    inbox = Inbox(lanes_of(streams, config.device.queue_readings))
    feedback, attending = Feedback(), Attending(ledger, config.requests.max_snooze_s)
    ended = deque[tuple[str, Exception | None]]()
    intakes = {source.name: make_intake(source, inbox, ended) for source in config.source}
    reporter = _reporter(config, inferences, ledger, run_s, _requests(config, feedback, attending, ledger.history))
    announcer = announced(config, inferences, reporter.publisher)
    reporter.kept = _kept(config, [] if announcer is None else announcer.topics)
    agent = Agent(
        streams=streams,
        inferences=inferences,
        inbox=inbox,
        readers={source.name: reader_in_time(source, intakes[source.name], config) for source in config.source},
        intakes=intakes,
        ended=ended,
        ledger=ledger,
        reporter=reporter,
        notifier=Notifier(),
        health_every_s=config.device.health_every_s,
        on_reload=(reload := Reload(path, config, reporter.kept, announcer)),
        on_look=reload.take_new_bundles,
        gathering=Gathering(config.device.gather),
        feedback=feedback,
        on_tick=attending.tick,
        on_row=_snapshots(reporter, feedback).row,
    )
    return _looked_after(agent, config, path)


def _looked_after(agent: Agent, config: Config, path: Path) -> Agent:
    """The same, with what is asked of the agent itself, over MQTT where allowed, and on this machine."""
    requests, leave = agent.reporter.publisher.requests, agent.feedback.leave
    recalibrate = partial(leave, Recalibrating(agent.reporter.forgotten).ask)
    status = partial(leave, lambda _fields, _streams: _status(agent))
    requests.register("status", status)
    requests.register("health", partial(leave, lambda _fields, _streams: agent.health()))
    requests.register("recalibrate", recalibrate, changes=True)
    local = LocalRequests(config.device.state_dir, {"status": status, "recalibrate": recalibrate})
    bundles = BundleRequests(path, config.requests.bundles.max_s, lambda: running_bundles(agent.inferences))
    for command in ("install-bundle", "rollback"):
        requests.register(command, partial(bundles.ask, command), changes=True)
    agent.reporter.services = [*agent.reporter.services, local, bundles]
    return agent


def _status(agent: Agent) -> dict[str, Any]:
    """In the agent's thread."""
    monotonic, reporter = agent.monotonic(), agent.reporter
    streams = {}
    for stream in agent.streams:
        intake, trouble = agent.intakes.get(stream.route[0]), agent.troubles.get(stream.id)
        heard = stream.route[0] in agent.open_sources and (intake is None or intake.up or not intake.down_reason)
        streams[stream.id] = reporter.status(stream.id, stream.status(trouble, heard, monotonic))
    down = [f"source {name} is down: {one.down_reason}" for name, one in agent.intakes.items() if one.down_reason]
    bundles, uptime_s = info_of(agent.inferences, ())["bundles"], monotonic - agent.started
    return status_body(uptime_s, bundles, streams, reporter.outbox, reporter.publisher, [*down, *agent.warnings])


def _kept(config: Config, announced: list[str]) -> KeptTopics:
    kept = KeptTopics(config.device.state_dir / "served.json", DeviceTopics(config.device.id, config.device.root))
    kept.now([stream.id for stream in config.stream], announced)
    return kept


def _ledger(config: Config) -> Ledger:
    ledger = Ledger(_outbox(config), History(config.device.state_dir, config.history))
    ledger.groups.sources = {stream.id: stream.source or "" for stream in config.stream}
    return ledger


def _outbox(config: Config) -> Outbox:
    outbox = Outbox(config.device.state_dir / "outbox.db", config.delivery.outbox_bytes, config.delivery.history)
    outbox.try_disk()
    return outbox


def _opened(config: Config, ledger: Ledger, run_s: Durations) -> list[Inference]:
    inferences: list[Inference] = []
    errors: list[Exception] = []
    for streams in grouped(config.stream).values():
        inference = make_inference(streams, config, ledger, run_s)
        inferences.append(inference)
        try:
            inference.open()
        except (BundleError, ConfigError) as error:  # a rule about a channel that this bundle has not: the next may
            errors.append(error)
    hopeless = all(isinstance(error, UnfitError | ConfigError) for error in errors) or not live_sources(config.source)
    if len(errors) == len(inferences) and hopeless:
        raise errors[0]
    return inferences


def _snapshots(reporter: Reporter, feedback: Feedback) -> Snapshots:
    publisher = reporter.publisher
    snapshots = Snapshots(publisher.topics, reporter.ledger, publisher.send)
    publisher.requests.register("snapshot", partial(feedback.leave, snapshots.ask))
    return snapshots


def _requests(config: Config, feedback: Feedback, attending: Attending, history: History | None) -> Requests:
    requests = Requests(DeviceTopics(config.device.id, config.device.root), config.requests.allow)
    requests.register("normal", feedback.ask)
    requests.register("ack", partial(feedback.leave, attending.acknowledge))
    requests.register("snooze", partial(feedback.leave, attending.snooze))
    requests.register("unsnooze", partial(feedback.leave, attending.unsnooze))
    if history is not None:
        requests.register("rows", partial(answer, history))
    return requests


def _reporter(
    config: Config, inferences: list[Inference], ledger: Ledger, run_s: Durations, requests: Requests
) -> Reporter:
    topics = DeviceTopics(config.device.id, config.device.root)
    publisher = Publisher(config.broker, topics, ledger.outbox, config.delivery, requests)
    info = info_of(inferences, config.requests.allow)
    return Reporter(ledger.outbox, publisher, ledger, info, run_s, list(services(config, publisher)))
