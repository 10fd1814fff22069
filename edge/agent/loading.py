"""From configured streams to loaded ones: bundle, model, group, aligners."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.agent.fastest import load_fastest
from edge.agent.stream import Stream
from edge.agent.trial import Trial
from edge.config.settings import Config, StreamConfig
from edge.config.structure import ConfigError, nearest
from edge.detector.bundle.files import Bundle, Variant, load_bundle
from edge.detector.bundle.rules import merged
from edge.detector.group import StreamGroup, StreamSettings
from edge.detector.score.runtime import Model, load_model
from edge.sources.settings import SourceSettings
from edge.trust.envelope import SignatureError
from edge.trust.signed_only import SignedOnly

GroupKey = tuple[Path, str]
"""Bundle folder and variant; streams with the same share an interpreter."""


@dataclass(frozen=True)
class Loaded:
    """Streams that share a bundle and a variant, ready to score; the group's first axis is their order."""

    bundle: Bundle
    variant: Variant
    model: Model
    group: StreamGroup
    streams: tuple[Stream, ...]


def grouped(streams: Sequence[StreamConfig]) -> dict[GroupKey, list[StreamConfig]]:
    """The streams by what they share, in the order of the config.

    Raises:
        ConfigError: a bundle's path leads nowhere.
    """
    groups: dict[GroupKey, list[StreamConfig]] = {}
    for stream in streams:
        groups.setdefault((_resolved(stream), stream.variant), []).append(stream)
    return groups


def _resolved(stream: StreamConfig) -> Path:
    try:
        return stream.bundle.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links; a name that no file can have
        raise ConfigError(f"[[stream]] {stream.id}: bundle {str(stream.bundle)!r}: {error}") from error


def load_streams(
    configs: Sequence[StreamConfig],
    runtime: str,
    live: Collection[str],
    trial: Trial | None = None,
    trust: SignedOnly | None = None,
) -> Loaded:
    """Load what the streams share and make each stream; `live` names the sources that are no recordings.

    With a `trial` the bundle has run in a process of its own before; with `trust` its signature was looked at before
    any model file.

    Raises:
        BundleError: the bundle cannot be used, or in no runtime here.
        ConfigError: a rule names a channel that the bundle has not.
    """
    place = configs[0].bundle
    signed = None if trust is None else trust.require(place, place)
    bundle = load_bundle(place)
    if signed is not None and bundle.sha256 != signed.manifest_sha256:
        raise SignatureError(f"{place}: the manifest changed while it was read; it is tried again")
    for config in configs:
        check_rules(config, bundle)
    if trial is not None:
        trial.passed(bundle)
    variant, model = _model(bundle, configs, None if runtime == "auto" else runtime)
    if trust is not None and signed is not None:
        trust.ran(signed, place)
    group = StreamGroup(bundle, variant, model, [_settings(config, bundle) for config in configs], stepwise=True)
    streams = tuple(Stream(config, bundle, config.source in live) for config in configs)
    return Loaded(bundle, variant, model, group, streams)


def _model(bundle: Bundle, configs: Sequence[StreamConfig], runtime: str | None) -> tuple[Variant, Model]:
    # What a device learnt with one variant, it must go on with after a restart: there nothing is measured.
    measured = configs[0].variant == "auto" and not any(config.calibrate_rows for config in configs)
    return load_fastest(bundle, runtime, len(configs)) if measured else load_model(bundle, configs[0].variant, runtime)


def check_rules(config: StreamConfig, bundle: Bundle) -> None:
    """Whether the stream's rules are about channels of its bundle.

    Raises:
        ConfigError: one is not.
    """
    for name in config.rules:
        if name not in bundle.channel_names:
            hint = nearest(name, bundle.channel_names)
            raise ConfigError(
                f"[stream.rules.{name}] of {config.id}: the bundle {bundle.name} has no channel {name!r}{hint}"
            )


def trust_of(config: Config, notes: bool = True) -> SignedOnly | None:
    """What vouches for bundles, and where it `notes` so which were run; None where any bundle is run."""
    key = config.device.bundle_key
    return None if key is None else SignedOnly(key, config.device.state_dir / "bundle-counters.json", notes)


def live_sources(sources: Sequence[SourceSettings]) -> frozenset[str]:
    """Names of the sources whose readings come as they are measured."""
    return frozenset(source.name for source in sources if source.live)


def _settings(config: StreamConfig, bundle: Bundle) -> StreamSettings:
    return StreamSettings(
        id=config.id,
        level=config.alarm.level,
        min_windows=config.alarm.min_windows,
        update_every_s=config.alarm.update_every_s,
        rules=merged(bundle.rules, config.rules) if config.learned_rules else config.rules,
        calibrate_rows=config.calibrate_rows,
        max_drift_sd=config.max_drift_sd,
        planned=tuple(config.planned),
    )
