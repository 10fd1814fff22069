"""`offbeat-edge backup FILE`: what a gateway has learnt, its config and bundles, in one file."""

import argparse
import sqlite3
import time
from pathlib import Path
from typing import Any

from edge import __version__
from edge.commands.ending import ended
from edge.commands.upkeep.bundle_files import read_bundle
from edge.commands.upkeep.kept_files import PASSWORD_VARIABLE, named_files, without_passwords
from edge.config.settings import Config, load_without_secrets
from edge.detector.bundle.files import BundleError, load_bundle, read_file
from edge.state.backup import add_state, holds_state
from edge.state.backup_file import BackupError, BackupWriter

_MOST_BYTES = 1_000_000
"""Of a certificate, key or password."""


def backup(options: argparse.Namespace) -> int:
    """Write a backup and print what is in it; 1 where that cannot be done, 2 where the config is no good."""
    return ended(
        lambda: write_backup(options.config, options.file, options.secrets),
        "no backup was written: ", BackupError, OSError, sqlite3.Error,
    )  # fmt: skip


def write_backup(config_path: Path, file: Path, secrets: bool = False) -> list[str]:
    """Write the backup; what is in it and what is not, in words. An agent may run meanwhile.

    Raises:
        ConfigError: the config cannot be used.
        BackupError, OSError, sqlite3.Error: something cannot be read or written; there is no backup then.
    """
    config = load_without_secrets(config_path)
    state_dir = config.device.state_dir
    if not holds_state(state_dir):
        raise BackupError(f"{state_dir} holds nothing yet; the agent that learns there makes it")
    text = config_path.read_text("utf-8")
    shown = text if secrets else without_passwords(text)
    bundles, said = _bundles(config)
    about = {
        "offbeat": __version__,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "device": config.device.id,
        "root": config.device.root,
        "secrets": secrets,
        "config": shown,
        "bundles": [{key: part[key] for key in ("folder", "name", "sha256", "streams")} for part in bundles],
    }
    writer = BackupWriter(file, about)
    try:
        count = add_state(state_dir, writer)
        for part in bundles:
            for name, content in part["files"].items():
                writer.add(f"{part['folder']}/{name}", content)
        said += _named(config, writer, secrets)
        writer.finish()
    finally:
        writer.abandon()
    said[:0] = [
        f"{file}: {count} files of {state_dir}, {len(bundles)} bundles, {writer.bytes / 1e6:.1f} MB, packed "
        f"{file.stat().st_size / 1e6:.1f} MB; offbeat-edge restore puts it in place"
    ]
    return [*said, *_left_out(text, shown, file)]


def _bundles(config: Config) -> tuple[list[dict[str, Any]], list[str]]:
    parts: list[dict[str, Any]] = []
    said = []
    for folder in dict.fromkeys(stream.bundle for stream in config.stream):
        streams = [stream.id for stream in config.stream if stream.bundle == folder]
        try:
            loaded, files = load_bundle(folder), read_bundle(folder)
        except BundleError as error:
            said.append(f"not in it, the bundle of {', '.join(streams)}: {error}")
            continue
        about = {"folder": f"bundles/{len(parts)}", "name": loaded.name, "sha256": loaded.sha256}
        parts.append({**about, "streams": streams, "files": files})
    return parts, said


def _named(config: Config, writer: BackupWriter, secrets: bool) -> list[str]:
    left_out = []
    for role, path, secret in named_files(config):
        if secret and not secrets:
            left_out.append(role)
        elif "${" not in str(path) and path.is_file():
            writer.add(f"files/{role}", read_file(path, _MOST_BYTES))
        else:
            left_out.append(role)
    return [f"not in it: {', '.join(left_out)}; copy them by another way"] if left_out else []


def _left_out(text: str, shown: str | None, file: Path) -> list[str]:
    said = []
    if shown is None:
        said.append("not in it: agent.toml, whose password could not be taken out; copy it by another way")
    elif shown != text:
        said.append(f"agent.toml is in it without its passwords: ${{{PASSWORD_VARIABLE}}} stands in their place")
    if file.stat().st_mode & 0o077:
        said.append(f"{file} lies on a file system without modes: whoever holds it can read it")
    return said
