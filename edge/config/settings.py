"""agent.toml: what the agent serves and how, as frozen settings. `agent.example.toml` is the commented reference."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from attrs import evolve, field, frozen
from attrs.validators import ge, le, optional

from edge.config.errors import ConfigError, check_certificates
from edge.config.file import AsWritten, read_tables
from edge.config.structure import nearest, structure
from edge.delivery.settings import DeliverySettings
from edge.detector.bundle.rules import ChannelRules
from edge.detector.events.planned import PlannedException
from edge.history.settings import HistorySettings
from edge.homeassistant.settings import HomeAssistantSettings
from edge.prometheus.settings import PrometheusSettings
from edge.sources.checks import is_id, is_positive, is_positive_or_inf, is_topic_root, not_negative
from edge.sources.settings import SourceSettings
from edge.web.settings import WebSettings
from edge.wire.broker import BrokerSettings
from edge.wire.topics import RESERVED_STREAMS

COMMANDS = (
    "ack", "health", "install-bundle", "normal", "recalibrate", "replay", "rollback", "rows", "snapshot", "snooze",
    "status", "unsnooze",
)  # fmt: skip
"""Requests that the device understands, once they are allowed."""
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
__all__ = ["AlarmSettings", "Config", "ConfigError", "DeviceSettings", "RequestSettings", "StreamConfig", "load_config"]


def _is_stream_id(owner: Any, attribute: Any, value: str) -> None:
    is_id(owner, attribute, value)
    if value in RESERVED_STREAMS:
        raise ValueError(
            f"{attribute.name} is {value!r}, a word of the topics; wanted none of {sorted(RESERVED_STREAMS)}"
        )


def _known_commands(_owner: Any, attribute: Any, value: list[str]) -> None:
    for command in value:
        if command not in COMMANDS:
            raise ValueError(f"{attribute.name} lists {command!r}, which is no request{nearest(command, COMMANDS)}")


def _sensible(_owner: Any, _attribute: Any, value: Mapping[str, ChannelRules]) -> None:
    for channel, rules in value.items():
        if rules.min is not None and rules.max is not None and not rules.min < rules.max:
            raise ValueError(f"rules.{channel}: min is {rules.min:g} and max {rules.max:g}; wanted min below max")
        for name in ("flat_for_s", "max_rate", "silent_for_s"):
            number = getattr(rules, name)
            if number is not None and not number > 0:
                raise ValueError(f"rules.{channel}: {name} is {number:g}; wanted more than 0")


@frozen(kw_only=True)
class DeviceSettings:
    """[device]: the agent itself."""

    id: str = field(validator=is_id)
    """The device's level in every topic."""
    state_dir: Path = Path("state")
    """Folder of the outbox and of what streams have learnt, beside agent.toml; must outlive a restart."""
    root: str = field(default="offbeat", validator=is_topic_root)
    """Topic above the device."""
    runtime: Literal["auto", "ai-edge-litert", "tflite-runtime"] = "auto"
    """TFLite runtime to load models in."""
    bundle_key: Path | None = None
    """PEM file of the Ed25519 public key that must have signed every bundle; any bundle is run where left out."""
    health_every_s: float = field(default=30.0, validator=is_positive)
    """Between two messages on the health topic, seconds."""
    snapshot_every_s: float = field(default=600.0, validator=is_positive)
    """Longest time between two writes of a stream's state, seconds; a change of episode is written at once."""
    queue_readings: int = field(default=256, validator=is_positive)
    """Readings kept for each board while the agent is busy; the newest win."""
    gather: float = field(default=0.05, validator=[not_negative, le(0.5)])
    """Part of a period that readings of several streams are gathered for, 0.1 s at most, to be scored in one call."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity that is logged."""


@frozen(kw_only=True)
class AlarmSettings:
    """[stream.alarm]: when a score becomes an event."""

    level: float = field(default=1.0, validator=is_positive)
    """Multiplies the calibrated alarm level; above 1 is less sensitive."""
    min_windows: int | None = field(default=None, validator=optional(ge(1)))
    """Scores above the level before an episode opens; the bundle's number where left out."""
    update_every_s: float = field(default=3600.0, validator=is_positive)
    """Longest time between two updates of an open episode, seconds: the first comes after a minute, each next one after
    twice as long."""


@frozen(kw_only=True)
class StreamConfig:
    """[[stream]]: the readings of one board under the eye of one bundle."""

    id: str = field(validator=_is_stream_id)
    """The stream's level in its topics."""
    source: str | None = None
    """Name of the source; may be left out where there is only one."""
    board: str | None = field(default=None, validator=optional(is_id))
    """Board at that source; the stream's id where left out."""
    bundle: Path
    """Folder of the bundle."""
    variant: str = "auto"
    """float32, dynamic or int8, with `-loop` where the bundle has it; auto measures which is the fastest here."""
    time_from: Literal["reading", "arrival"] = "reading"
    """Whose clock dates a row: the board's, or the gateway's for boards without a good one."""
    aggregate: Literal["last", "mean"] = "last"
    """What a row takes of several readings within a period."""
    max_hold_s: float | None = field(default=None, validator=optional(not_negative))
    """How long an older value stands in for a missing one, seconds; 3 periods where left out."""
    max_gap_s: float | None = field(default=None, validator=optional(is_positive))
    """Silence after which the window starts over, seconds; 5 periods where left out."""
    max_delay_s: float | None = field(default=None, validator=optional(not_negative))
    """How long a row waits for channels that are late, seconds; 1 period where left out."""
    max_future_s: float = field(default=60.0, validator=is_positive_or_inf)
    """A reading dated further ahead of the gateway's clock is dropped, seconds; inf for simulators in a hurry."""
    offline_after_s: float | None = field(default=None, validator=optional(is_positive))
    """Silence after which the stream is offline, seconds; max_gap_s, at least 5, where left out."""
    calibrate_rows: int = field(default=0, validator=not_negative)
    """Above 0 the stream commissions itself on its own first normal rows, so many of them."""
    max_drift_sd: float | None = field(default=None, validator=optional(is_positive))
    """How far a channel's baseline may creep, in the standard deviations it was commissioned with, before an event
    of kind drift; the bundle's own bound where left out."""
    planned: tuple[PlannedException, ...] = ()
    """[[stream.planned]]: maintenance and holidays, in which nothing is said of the stream."""
    learned_rules: bool = False
    """Whether the rules that the bundle learned from normal rows hold as well, where [stream.rules] names no others."""
    alarm: AlarmSettings = AlarmSettings()
    """[stream.alarm]: when a score becomes an event."""
    rules: Mapping[str, ChannelRules] = field(factory=dict, validator=_sensible)
    """[stream.rules.<channel>]: limits beside the network, per channel of the bundle."""


def _hosts(_owner: Any, attribute: Any, value: list[str]) -> None:
    for host in value:
        if not _HOST.fullmatch(host):
            raise ValueError(f"{attribute.name} lists {host!r}; wanted a host or host:port, as models.example.org:8443")


@frozen(kw_only=True)
class BundleRequestSettings:
    """[requests.bundles]: from where the request install-bundle may fetch, to where, and what that may cost."""

    folder: Path | None = None
    """Folder of the bundles; streams whose bundle is elsewhere get none by request."""
    hosts: list[str] = field(factory=list, validator=_hosts)
    """Hosts, host:port where the port is not 443, of which https:// addresses are fetched; redirects included."""
    ca: Path | None = None
    """PEM file with the authorities of their certificates; those of the system where left out."""
    max_bytes: int = field(default=20_000_000, validator=[is_positive, le(200_000_000)])
    """Most bytes of an archive, and of what is packed in it."""
    max_s: float = field(default=120.0, validator=[is_positive, le(3600.0)])
    """Longest time that fetching and unpacking may take, seconds."""


@frozen(kw_only=True)
class RequestSettings:
    """[requests]: what may be asked of the device over MQTT."""

    allow: list[str] = field(factory=list, validator=_known_commands)
    """Commands that are answered; each is off until it is named here."""
    max_snooze_s: float = field(default=86_400.0, validator=[is_positive, le(30 * 86_400.0)])
    """Longest time that an alert may be snoozed for, seconds; at most 30 days."""
    bundles: BundleRequestSettings = BundleRequestSettings()
    """[requests.bundles]: for the request install-bundle."""


@frozen(kw_only=True)
class Config:
    """A whole agent.toml, checked as far as that can be done without opening anything else."""

    device: DeviceSettings
    broker: BrokerSettings = field(factory=BrokerSettings)
    delivery: DeliverySettings = field(factory=DeliverySettings)
    source: tuple[SourceSettings, ...]
    stream: tuple[StreamConfig, ...]
    requests: RequestSettings = RequestSettings()
    history: HistorySettings = field(factory=HistorySettings)
    homeassistant: HomeAssistantSettings = field(factory=HomeAssistantSettings)
    prometheus: PrometheusSettings = field(factory=PrometheusSettings)
    web: WebSettings = field(factory=WebSettings)

    @property
    def brokers(self) -> tuple[BrokerSettings, ...]:
        """Every broker that the agent connects to."""
        own = [source.own_broker for source in self.source if source.own_broker is not None]
        return (self.broker, *own)


def load_config(path: str | Path) -> Config:
    """Read and check agent.toml. Relative paths in it are relative to its folder.

    Raises:
        ConfigError: one line with the file, the key, what was found and what was wanted.
    """
    path = Path(path)
    try:
        return _linked(structure(read_tables(path), Config, path.parent))
    except ConfigError as error:
        raise type(error)(f"{path}: {error}") from error.__cause__


def load_without_secrets(path: str | Path, base: Path | None = None) -> Config:
    """The same for who needs no password: a variable that is not set stays as it is written, and certificates need not
    be there. `base` is the folder of relative paths, where it is another than the file's.

    Raises:
        ConfigError: as `load_config` does.
    """
    path = Path(path)
    try:
        tables = read_tables(path, AsWritten(os.environ))
        return _named(structure(tables, Config, path.parent if base is None else base))
    except ConfigError as error:
        raise type(error)(f"{path}: {error}") from error.__cause__


def require_privacy(what: str, broker: BrokerSettings) -> None:
    """Whether a broker on another machine is reached over TLS, or the config says that it need not be.

    Raises:
        ConfigError: neither; it names both remedies.
    """
    if broker.exposed and not broker.plaintext:
        raise ConfigError(
            f"{what}: {broker.address} is another machine, and without TLS everybody on the way reads and changes what "
            "is said; name the broker's authority, ca = FILE, or say plaintext = true where that is meant"
        )


def _linked(config: Config) -> Config:
    """The config with every stream's source and board filled in, and brokers that may be spoken to.

    Raises:
        ConfigError: a name that is used twice, or names nothing; a certificate is missing.
    """
    named = _named(config)
    own = [(f"[source.broker] of {one.name}", one.own_broker) for one in config.source if one.own_broker is not None]
    for what, broker in [("[broker]", config.broker), *own]:
        check_certificates(what, broker)
        require_privacy(what, broker)
    return named


def _named(config: Config) -> Config:
    sources = [source.name for source in config.source]
    _unique("[[source]]: name", sources)
    _unique("[[stream]]: id", [stream.id for stream in config.stream])
    if sum(source.type == "stdin" for source in config.source) > 1:
        raise ConfigError("[[source]]: two sources of type stdin; there is only one standard input")
    if not sources or not config.stream:
        raise ConfigError(f"wanted at least one [[{'stream' if sources else 'source'}]], found none")
    if "install-bundle" in config.requests.allow and not (
        config.requests.bundles.folder and config.requests.bundles.hosts
    ):
        raise ConfigError(
            "[requests] allow names install-bundle, which wants [requests.bundles] folder, where the bundles are, and "
            'hosts, from where they may come, such as hosts = ["models.example.org"]'
        )
    return evolve(config, stream=tuple(_with_source(stream, sources) for stream in config.stream))


def _with_source(stream: StreamConfig, sources: list[str]) -> StreamConfig:
    if stream.source is None and len(sources) > 1:
        raise ConfigError(f"[[stream]] {stream.id}: the key 'source' is missing; name one of {', '.join(sources)}")
    source = stream.source or sources[0]
    if source not in sources:
        raise ConfigError(f"[[stream]] {stream.id}: source {source!r} is no [[source]]{nearest(source, sources)}")
    return evolve(stream, source=source, board=stream.board or stream.id)


def _unique(what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{what} {name!r} is used twice")
