"""A config that changed while the agent runs: all of it is applied, or nothing."""

import logging
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

from attrs import evolve

from edge.agent.inference import Inference
from edge.agent.left_behind import KeptTopics
from edge.agent.loading import grouped, live_sources
from edge.agent.loop import Agent
from edge.agent.parts import bundle_names, info_of, lanes_of, make_inference, make_intake, open_reader, served
from edge.config.settings import Config, ConfigError, StreamConfig, load_config
from edge.detector.bundle.files import BundleError, load_bundle
from edge.homeassistant.announcer import Announcer
from edge.sources.intake import Intake
from edge.sources.settings import Reader, SourceError
from edge.wire.certificates import precautions

log = logging.getLogger(__name__)

_AHEAD_EVERY_S = 3600.0
"""How often certificates and secrets are looked at, seconds."""
_FIXED = ("broker", "delivery", "requests", "history", "homeassistant", "prometheus", "web")
_FIXED_OF_DEVICE = ("id", "state_dir", "root", "runtime", "bundle_key")
"""What a running agent cannot change: where it says things, under which name, and what it keeps."""


_Look = tuple[tuple[str, int, int, int], ...]
"""Name, size, time of change and number of each file."""


class Copies:
    """Looks at folders without reading their files.

    A copy under way changes from one look to the next. What looks finished may still be half of it, if the link hangs:
    hashes tell that, and a folder that was tried in vain is due again with its next change.
    """

    def __init__(self) -> None:
        self._seen: dict[Path, _Look] = {}
        self._tried: dict[Path, _Look] = {}

    def due(self, folder: Path) -> bool:
        """Whether the folder is another than when it was due last, and the same as at the last look."""
        look = _look(folder)
        still = self._seen.get(folder) == look
        self._seen[folder] = look
        if not still or self._tried.get(folder) == look:
            return False
        self._tried[folder] = look
        return True


def _look(folder: Path) -> _Look:
    try:
        with os.scandir(folder) as entries:
            stats = [(entry.name, entry.stat()) for entry in entries]
    except (OSError, ValueError):  # not mounted just now
        return ()
    return tuple(sorted((name, stat.st_size, stat.st_mtime_ns, stat.st_ino) for name, stat in stats))


@dataclass(frozen=True)
class _Plan:
    config: Config
    inferences: list[Inference]
    readers: dict[str, Reader]
    intakes: dict[str, Intake]


class Reload:
    """Reads the config again. What did not change goes on undisturbed: its sources, windows and episodes."""

    def __init__(self, path: Path, config: Config, kept: KeptTopics, announcer: Announcer | None = None) -> None:
        self._path, self._config, self._kept, self._announcer = path, config, kept, announcer
        self._copies, self._refused = Copies(), ""
        self._ahead_at = -math.inf

    def __call__(self, agent: Agent) -> None:
        """Apply the file as it is now, between two turns of the agent. If it cannot be used, the old config stays."""
        try:
            if not self._path.is_file():  # a pipe would be waited for
                raise ConfigError(f"{self._path} is no plain file")
            plan = self._plan(agent, self._changeable(load_config(self._path)))
        except (ConfigError, BundleError, SourceError) as error:
            log.error("reload: the old config stays: %s", error)
            return
        except Exception as error:  # whatever is in the file, it must not end an agent that runs
            log.exception("reload: the old config stays: %r", error)
            return
        self._apply(agent, plan)
        self._config = plan.config
        self._kept.now([stream.id for stream in plan.config.stream], self._announced())
        log.info("reload: %d streams, %d sources", len(plan.config.stream), len(plan.config.source))

    def take_new_bundles(self, agent: Agent) -> None:
        """Go on with bundles that were replaced, once they are whole and no longer change; until then with the old."""
        self._look_ahead(agent)
        ready = False
        for inference in agent.inferences:
            folder = inference.configs[0].bundle
            ready = self._copies.due(folder) or ready
        if not ready:
            return
        try:
            plan = self._plan(agent, self._config)
        except Exception as error:  # half copied, or never a bundle
            if str(error) != self._refused:
                log.warning("the old bundle goes on: %s", error)
            self._refused = str(error)
            return
        self._refused = ""
        if any(inference not in agent.inferences for inference in plan.inferences):
            self._log_replaced(agent, plan)
            self._apply(agent, plan)

    def _look_ahead(self, agent: Agent) -> None:
        """Once an hour; what is found is in health as long as it is so, and in the log when it is new."""
        if time.monotonic() < self._ahead_at:
            return
        self._ahead_at = time.monotonic() + _AHEAD_EVERY_S
        found = precautions(self._config.brokers, self._path)
        for line in found:
            if line.partition(" ends in ")[0] not in " ".join(agent.warnings):
                log.warning("%s", line)
        agent.warnings = found

    def _log_replaced(self, agent: Agent, plan: _Plan) -> None:
        before = {stream.id: stream.inference.loaded for stream in agent.streams}
        for inference in plan.inferences:
            old, new = before.get(inference.configs[0].id), inference.loaded
            if inference not in agent.inferences and new is not None:
                log.info(
                    "streams %s: bundle %s replaces %s",
                    ", ".join(config.id for config in inference.configs),
                    new.bundle.sha256[:12],
                    old.bundle.sha256[:12] if old else "none",
                )

    def _announced(self) -> list[str]:
        return [] if self._announcer is None else self._announcer.topics

    def _changeable(self, new: Config) -> Config:
        """The new config with what cannot be changed as it was."""
        old = self._config
        fixed = {name: getattr(old, name) for name in _FIXED}
        of_device = {name: getattr(old.device, name) for name in _FIXED_OF_DEVICE}
        later = [f"[{name}]" for name, value in fixed.items() if getattr(new, name) != value]
        later += [f"[device] {name}" for name, value in of_device.items() if getattr(new.device, name) != value]
        if later:
            log.warning("reload: these take effect at the next start: %s", ", ".join(later))
        return evolve(new, device=evolve(new.device, **of_device), **fixed)

    def _plan(self, agent: Agent, config: Config) -> _Plan:
        """Load what is new; nothing of the agent is touched yet."""
        inferences = []
        for streams in grouped(config.stream).values():
            same = (one for one in agent.inferences if self._goes_on(one, streams, config))
            inference = next(same, None)
            if inference is None:
                inference = make_inference(streams, config, agent.ledger, agent.reporter.run_s, between_rows=True)
                inference.load()
            inferences.append(inference)
        readers, intakes = {}, {}
        before = {source.name: source for source in self._config.source}
        for source in config.source:
            name = source.name
            if source == before.get(name):
                readers[name], intakes[name] = agent.readers[name], agent.intakes[name]
            else:
                intakes[name] = make_intake(source, agent.inbox, agent.ended)
                readers[name] = open_reader(source, intakes[name], config)
        return _Plan(config, inferences, readers, intakes)

    def _goes_on(self, inference: Inference, streams: list[StreamConfig], config: Config) -> bool:
        """Whether an inference serves these streams as they are now, with the bundle that is there now."""
        if inference.configs != tuple(streams):
            return False
        before, now = live_sources(self._config.source), live_sources(config.source)
        if any((stream.source in before) != (stream.source in now) for stream in streams):
            return False
        loaded = inference.loaded
        if loaded is None:
            return True
        try:
            return load_bundle(streams[0].bundle).sha256 == loaded.bundle.sha256
        except BundleError as error:  # what was loaded from it is in memory
            log.warning("the old bundle goes on: %s", error)
            return True

    def _apply(self, agent: Agent, plan: _Plan) -> None:
        names = {stream.id for stream in plan.config.stream}
        before = {stream.id: stream for stream in agent.streams}
        for stream in agent.streams:
            if stream.id not in names:
                agent.end(stream)
            elif stream.inference not in plan.inferences:
                stream.inference.save(stream.number)
        agent.ledger.settle_others(names)
        agent.ledger.groups.sources = {stream.id: stream.source or "" for stream in plan.config.stream}
        for inference in plan.inferences:
            if inference in agent.inferences:
                continue
            inference.attach()
            for number, config in enumerate(inference.configs):
                if (old := before.get(config.id)) is not None:
                    inference.take_over(number, old.inference, old.number)
        device = plan.config.device
        streams = served(plan.inferences)
        agent.inbox.serve(lanes_of(streams, device.queue_readings))
        agent.rearrange(streams, plan.inferences, plan.readers, plan.intakes)
        agent.health_every_s, agent.gathering.part = device.health_every_s, device.gather
        for inference in plan.inferences:
            inference.save_every(device.snapshot_every_s)
        logging.getLogger().setLevel(device.log_level.upper())
        agent.reporter.publisher.info(info_of(plan.inferences, plan.config.requests.allow))
        if self._announcer is not None:
            self._announcer.announce(bundle_names(plan.inferences))
