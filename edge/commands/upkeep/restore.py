"""`offbeat-edge restore FILE`: on new hardware, what a backup holds is put in place, wholly or not at all."""

import argparse
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.agent.loading import trust_of
from edge.commands.ending import ended
from edge.commands.upkeep.bundle_files import read_bundle
from edge.commands.upkeep.kept_files import named_files
from edge.config.settings import Config, load_without_secrets
from edge.detector.bundle.files import MANIFEST, BundleError, load_bundle
from edge.state.backup import holds_state, prepared, put_in_place, staging
from edge.state.backup_file import BackupError, Unpacked, about, unpack
from edge.state.bundle_place import BundlePlace, SwitchError
from edge.state.lock import InUseError, StateLock
from edge.trust.envelope import SIGNATURE

_SERVICE_STATE = Path("/var/lib/offbeat")


def restore(options: argparse.Namespace) -> int:
    """Restore and print what was done; 1 where all stays as it is, 2 where the config is no good."""
    return ended(
        lambda: put_back(options.config, options.file, options.replace),
        "nothing was restored: ", BackupError, BundleError, SwitchError, InUseError, OSError,
    )  # fmt: skip


def put_back(config_path: Path, file: Path, replace: bool = False) -> list[str]:
    """Put bundles, certificates, state and config where they belong; what was done, in words.

    What is there already stays, but for the state folder, which changes at one stroke. Before that nothing of a
    backup is in use; a config comes last, since without one no agent runs.

    Raises:
        ConfigError: the config, that here or that of the backup, cannot be used.
        BackupError: the backup or the place is no good.
        BundleError, SwitchError: a bundle cannot be put in place.
        InUseError: an agent runs on the state folder.
        OSError: the disk refuses.
    """
    head = about(file)
    config, text = _config(config_path, head)
    state_dir = _place(config, head, config_path, own=text is None)
    with staging(state_dir) as folder:
        unpacked = unpack(file, folder)
        if unpacked.about != head:
            raise BackupError(f"{file} changed while it was read; try again")
        state, log = prepared(unpacked)
        lock = StateLock(state_dir)
        lock.take()
        try:
            if holds_state(state_dir) and not replace:
                raise BackupError(f"{state_dir} holds what was learnt here; --replace keeps that aside")
            said = [*_bundles(config, unpacked), *_files(config, unpacked)]
            aside = put_in_place(state, state_dir, lock)
        finally:
            lock.release()
    if text is not None:
        _write(config_path, text.encode(), 0o600 if head.get("secrets") else 0o644)
        said.append(f"{config_path} is that of the backup")
    return [*_told(head, state_dir, log, aside), *said]


def _config(path: Path, head: Mapping[str, Any]) -> tuple[Config, str | None]:
    """The config here, or, where none is, that of the backup with its text."""
    if path.exists():
        return load_without_secrets(path), None
    text = head.get("config")
    if not isinstance(text, str):
        raise BackupError(f"there is no {path}, and none in the backup; write it, and restore again")
    with tempfile.TemporaryDirectory() as scratch:
        there = Path(scratch) / path.name
        there.write_text(text, "utf-8")
        return load_without_secrets(there, path.absolute().parent), text


def _place(config: Config, head: Mapping[str, Any], config_path: Path, own: bool) -> Path:
    """The state folder, once all places are such as may be written to."""
    device, ours = (head.get("root"), head.get("device")), (config.device.root, config.device.id)
    if device != ours:
        raise BackupError(
            f"it is of device {'/'.join(map(str, device))}, and {config_path} is of {'/'.join(ours)}; give the config "
            "that id where this machine takes the other's place, or move the config away to take that of the backup"
        )
    state_dir = config.device.state_dir
    if "${" in str(state_dir):
        raise BackupError(f"state_dir is {state_dir}; set the variable, as it is set for the agent")
    # Whoever wrote the backup must not choose files elsewhere on this machine; whoever wrote the config here may.
    here = config_path.absolute().parent.resolve()
    places = [state_dir, *(stream.bundle for stream in config.stream), *(one.path for one in named_files(config))]
    for place in () if own else places:
        if not any(_is_below(place, folder) for folder in (here, _SERVICE_STATE)) and "${" not in str(place):
            raise BackupError(
                f"the backup's config names {place}, not below {here}; write agent.toml by hand, and restore again"
            )
    return Path(os.path.realpath(state_dir))


def _is_below(place: Path, folder: Path) -> bool:
    return Path(os.path.realpath(place)).is_relative_to(os.path.realpath(folder))


def _bundles(config: Config, unpacked: Unpacked) -> list[str]:
    """Put bundles where the config has none yet."""
    said, trust = [], trust_of(config)
    for place, folder in _wanted_bundles(config, unpacked).items():
        files = read_bundle(folder)
        sha256 = load_bundle(folder).sha256
        if place.exists():
            if _sha256(place) != sha256:
                said.append(
                    f"{place} is no bundle of the backup, whose state waits for it: offbeat-edge install-bundle"
                )
            continue
        if trust is not None:
            trust.require_bytes(files[MANIFEST], files.get(SIGNATURE), place)
        place.parent.mkdir(parents=True, exist_ok=True)
        bundle_place = BundlePlace(place)
        with bundle_place.locked():
            bundle_place.switch(bundle_place.add(files).folder)
        said.append(f"{place} is the bundle of the backup")
    return said


def _sha256(folder: Path) -> str | None:
    try:
        return load_bundle(folder).sha256
    except BundleError:
        return None


def _wanted_bundles(config: Config, unpacked: Unpacked) -> dict[Path, Path]:
    """Places that the config names, to folders of the backup."""
    parts, wanted = unpacked.about.get("bundles"), dict[Path, Path]()
    for number, part in enumerate(parts if isinstance(parts, list) else []):
        streams = part.get("streams") if isinstance(part, dict) else None
        folder = unpacked.folder / f"bundles/{number}"
        for stream in config.stream:
            if isinstance(streams, list) and stream.id in streams and folder.is_dir():
                wanted.setdefault(stream.bundle, folder)
    return wanted


def _files(config: Config, unpacked: Unpacked) -> list[str]:
    """Put certificates, keys and passwords where the config names them and none are."""
    said = []
    for role, path, secret in named_files(config):
        kept = unpacked.folder / "files" / role
        if path.exists():
            continue
        if "${" in str(path) or f"files/{role}" not in unpacked.names:
            said.append(f"to be put there by hand: {role}, {path}")
            continue
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        _write(path, kept.read_bytes(), 0o600 if secret else 0o644)
        said.append(f"{path} is that of the backup")
    return said


def _write(path: Path, content: bytes, mode: int) -> None:
    """A new file with its mode from the start; never over one that is there."""
    unfinished = path.with_name(f".{path.name}.restored")
    unfinished.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(unfinished, flags, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)


def _told(head: Mapping[str, Any], state_dir: Path, log: str, aside: Path | None) -> list[str]:
    said = [f"{state_dir}: what {head['device']} had learnt by {head.get('created')} is in place"]
    if log:
        said.append(f"its messages go on in a new log, {log[:8]}…; subscribers take them for no old ones")
    if aside is not None:
        said.append(f"what was learnt here before is kept as {aside}")
    return [*said, f"end the agent on the old machine: two agents of device {head['device']} throw each other out"]
