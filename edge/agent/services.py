"""What serves readers beside the alerts on MQTT: Home Assistant's discovery, metrics, the live page.

Their modules are imported only where they are configured.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from edge import __version__
from edge.agent.inference import Inference
from edge.agent.parts import bundle_names
from edge.agent.reporter import Service
from edge.config.settings import Config, ConfigError
from edge.delivery.publisher import Publisher
from edge.wire.topics import DeviceTopics

if TYPE_CHECKING:
    from edge.homeassistant.announcer import Announcer


def announced(config: Config, inferences: list[Inference], publisher: Publisher) -> "Announcer | None":
    """Entities for Home Assistant, where they are wanted."""
    if not config.homeassistant.discovery:
        return None
    from edge.homeassistant.announcer import Announcer
    from edge.homeassistant.discovery import Discovery

    discovery = Discovery(_topics(config), config.homeassistant, __version__, config.requests.allow)
    announcer = Announcer(discovery, publisher.retain, publisher.again)
    announcer.announce(bundle_names(inferences))
    publisher.listen(announcer.birth_topic, announcer.heard)
    return announcer


def services(config: Config, publisher: Publisher) -> Iterator[Service]:
    """Those that are configured, not yet started.

    Raises:
        ConfigError: an extra is not installed, or the page must not be served so.
    """
    if config.prometheus.port is not None:
        yield _metrics(config, publisher)
    if config.web.port is not None:
        yield _page(config)


def _metrics(config: Config, publisher: Publisher) -> Service:
    try:
        from edge.prometheus.exporter import Exporter, Server
    except ModuleNotFoundError as error:
        raise ConfigError(f"[prometheus] wants {error.name}: pip install 'offbeat[prometheus]'") from error
    exporter = Exporter(_topics(config), __version__)
    publisher.taps.append(exporter.heard)
    return Server(exporter, config.prometheus)


def _page(config: Config) -> Service:
    if (problem := config.web.problem()) is not None:
        raise ConfigError(problem)
    try:
        from edge.web.server import PageThread
        from edge.web.service import PageService
    except ModuleNotFoundError as error:
        raise ConfigError(f"[web] wants {error.name}: pip install 'offbeat[web]'") from error
    device = config.device
    service = PageService(replace(config.broker, client_id=None), device.root, device.id, device.state_dir / "page.db")
    return PageThread(service, config.web)


def _topics(config: Config) -> DeviceTopics:
    return DeviceTopics(config.device.id, config.device.root)
