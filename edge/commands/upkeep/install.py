"""`offbeat-edge install-bundle` and `rollback`: another bundle for the streams of a config, while the agent runs."""

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import evolve

from edge.agent.loading import live_sources, load_streams, trust_of
from edge.agent.trial import Trial
from edge.commands.ending import ended
from edge.commands.upkeep.bundle_files import read_bundle
from edge.config.settings import Config, ConfigError, StreamConfig, load_config
from edge.config.structure import nearest
from edge.detector.bundle.files import MANIFEST, BundleError
from edge.state.bundle_place import BundlePlace, SwitchError
from edge.trust.envelope import SIGNATURE


def install_bundle(options: argparse.Namespace) -> int:
    """Verify, copy aside, try and switch; 1 where the old bundle stays, 2 where the config is no good."""
    return _ended(lambda: install(load_config(options.config), options.stream, options.bundle))


def rollback(options: argparse.Namespace) -> int:
    """Go back to the bundle before; 1 where there is none, 2 where the config is no good."""
    return _ended(lambda: roll_back(load_config(options.config), options.stream))


def _ended(act: Callable[[], list[str]]) -> int:
    return ended(act, "the old bundle stays: ", BundleError, SwitchError, OSError)


def install(config: Config, stream: str | None, path: Path) -> list[str]:
    """Put a bundle in place of that of a stream, and of all that share it; what was done, in words.

    Raises:
        BundleError: it is none, does not run here, or does not fit the streams.
        SwitchError, OSError: it cannot be put there. The old one stays, as with any error.
        ConfigError: the config has no such stream, or a rule names a channel that the bundle has not.
    """
    streams = sharing(config, stream)
    return install_files(config, streams, read_bundle(path))


def install_files(config: Config, streams: list[StreamConfig], files: Mapping[str, bytes]) -> list[str]:
    """The same of files by their names, for streams that share a bundle."""
    place, trust = BundlePlace(streams[0].bundle), trust_of(config)
    if trust is not None:
        trust.require_bytes(files[MANIFEST], files.get(SIGNATURE), streams[0].bundle)
    with place.locked():
        bundle = place.add(files)
        _try(streams, bundle.folder, config)
        place.switch(bundle.folder)
        kept = place.previous is not None
    said = [f"{', '.join(one.id for one in streams)}: bundle {bundle.name} {bundle.sha256[:12]} is in place"]
    said += [f"{one.id} commissions itself anew on {one.calibrate_rows} rows" for one in streams if one.calibrate_rows]
    back = "offbeat-edge rollback goes back" if kept else "it is the one that was there, so there is none to go back to"
    return [*said, f"an agent that runs takes it up within some seconds; {back}"]


def roll_back(config: Config, stream: str | None) -> list[str]:
    """Put the bundle before in place again; what was done, in words.

    Raises:
        BundleError, SwitchError, OSError, ConfigError: as `install` does.
    """
    streams = sharing(config, stream)
    place = BundlePlace(streams[0].bundle)
    with place.locked():
        if place.previous is not None:
            if (trust := trust_of(config)) is not None:
                trust.go_back_to(place.previous, streams[0].bundle)
            _try(streams, place.previous, config)
        folder = place.rollback()
    return [f"{', '.join(one.id for one in streams)}: the bundle before is in place again, {folder.name}"]


def _try(streams: list[StreamConfig], folder: Path, config: Config) -> None:
    """Load it as the agent will, the first inference in a process of its own."""
    here = [evolve(one, bundle=folder) for one in streams]
    variants = {one.variant: [two for two in here if two.variant == one.variant] for one in here}
    for alike in variants.values():
        load_streams(alike, config.device.runtime, live_sources(config.source), Trial(_memo(config)))


def _memo(config: Config) -> Path | None:
    """Where it is noted that a bundle was tried, so that the agent need not; None where that is another user's."""
    folder = config.device.state_dir
    try:
        return folder / "tried-bundles" if folder.stat().st_uid == os.geteuid() else None
    except OSError:
        return None


def sharing(config: Config, stream: str | None) -> list[StreamConfig]:
    """The streams that have the bundle of this one, or of all.

    Raises:
        ConfigError: there is no such stream, or there are several bundles and none is named.
    """
    folders = dict.fromkeys(one.bundle for one in config.stream)
    ids = [one.id for one in config.stream]
    if stream is None and len(folders) > 1:
        raise ConfigError(f"the streams have {len(folders)} bundles; say which, --stream {' or '.join(ids)}")
    if stream is not None and stream not in ids:
        raise ConfigError(f"there is no stream {stream!r}{nearest(stream, ids)}")
    folder = next(one.bundle for one in config.stream if stream in (None, one.id))
    return [one for one in config.stream if one.bundle == folder]
