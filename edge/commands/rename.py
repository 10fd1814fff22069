"""`offbeat-edge rename OLD NEW`: a stream with another name keeps what was learnt under the old one."""

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge.agent.left_behind import read_served
from edge.commands.ending import ended
from edge.config.settings import Config, load_config
from edge.config.structure import nearest
from edge.detector.bundle.files import write_atomically
from edge.state.files import VERSION
from edge.state.lock import InUseError, no_agent_on
from edge.wire.topics import valid_stream_id


class RenameError(Exception):
    """Nothing was renamed; one line with the reason and the remedy."""


def rename(options: argparse.Namespace) -> int:
    """Rename and print what was moved; 1 where that cannot be done now, 2 where the config is no good."""
    return ended(
        lambda: renamed(load_config(options.config), options.old, options.new), "", RenameError, InUseError, OSError
    )


def renamed(config: Config, old: str, new: str) -> list[str]:
    """Move a stream's state files to its new name; what was done, in words.

    Its open episodes stay with the old name: the next start ends them there, where subscribers know them, and
    clears the old name's retained topics.

    Raises:
        RenameError: a name is none, the config does not name the new one, or there is state under it already.
        InUseError: an agent runs on this state folder.
        OSError: the disk refuses; what was renamed by then stays so, and the command may be given again.
    """
    _require_names(config, old, new)
    folder = config.device.state_dir
    if not folder.is_dir():
        raise RenameError(f"there is no state folder {folder}; the agent makes it when it runs first")
    with no_agent_on(folder):
        moves = dict(_moves(folder / "streams", old, new))
        if not moves:
            raise RenameError(f"there is no state of a stream {old!r} in {folder}{nearest(old, _streams(folder))}")
        for target, (_, content) in moves.items():
            if target.exists() and target.read_bytes() != content:
                raise RenameError(
                    f"{target} is there already: {new!r} has learnt by itself; move it away to replace it"
                )
        _remember(folder / "served.json", config, old)
        for target, (_, content) in moves.items():
            write_atomically(target, content)
            target.chmod(0o600)
        for path, _ in moves.values():
            path.unlink()
    return _told(config, moves, old, new)


def _told(config: Config, moves: dict[Path, tuple[Path, bytes]], old: str, new: str) -> list[str]:
    said = [f"{path.name} is {target.name} now" for target, (path, _) in moves.items()]
    said.append(f"episodes open under {old} are ended, and its retained topics cleared, when the agent starts")
    if any(stream.id == stream.board == new for stream in config.stream):
        said.append(f'{new} reads board {new!r}; a board that keeps its name wants board = "{old}"')
    return said


def _require_names(config: Config, old: str, new: str) -> None:
    for name in (old, new):
        if not valid_stream_id(name):
            raise RenameError(f"{name!r} is no stream's id: letters, digits, _ and - only, and no word of the topics")
    ids = [stream.id for stream in config.stream]
    if old == new:
        raise RenameError(f"{old} is called so already")
    if old in ids:
        raise RenameError(f"the config still has a stream {old}; rename it there first, then give this command")
    if new not in ids:
        raise RenameError(f"the config has no stream {new}{nearest(new, ids)}; rename it there first")


def _moves(folder: Path, old: str, new: str) -> Iterator[tuple[Path, tuple[Path, bytes]]]:
    """Target, source and content of each file, one pair for each bundle that the stream has had."""
    named = re.compile(re.escape(old) + r"-([0-9a-f]{16}(?:\.2)?\.(?:json|rows))")
    for path in sorted(folder.glob(f"{old}-*")):
        if (match := named.fullmatch(path.name)) is not None:
            content = path.read_bytes() if path.suffix == ".rows" else _under(new, path)
            yield folder / f"{new}-{match[1]}", (path, content)


def _under(new: str, path: Path) -> bytes:
    """A state file's content for the new name, without episodes."""
    try:
        body: dict[str, Any] = json.loads(path.read_bytes())
        version, state = body["version"], {**body["state"], "open": {}}
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise RenameError(f"{path} cannot be read ({error!r}); move it away, the stream then starts afresh") from error
    if version != VERSION:
        raise RenameError(f"{path} is of version {version}, this one reads {VERSION}: use the Offbeat that wrote it")
    return json.dumps({**body, "stream": new, "state": state}, separators=(",", ":"), allow_nan=False).encode()


def _streams(folder: Path) -> list[str]:
    return sorted({path.name.rpartition("-")[0] for path in (folder / "streams").glob("*.json")})


def _remember(path: Path, config: Config, old: str) -> None:
    """That the old name had retained topics, also where an earlier version did not note it."""
    try:
        body = read_served(path)
    except (OSError, ValueError):
        body = []
    device, root = config.device.id, config.device.root
    ours = next((one for one in body if (one["device"], one["root"]) == (device, root)), None)
    if ours is None:
        ours = {"root": root, "device": device, "streams": [], "clear": []}
        body.append(ours)
    ours["streams"] = sorted({*ours["streams"], old})
    write_atomically(path, json.dumps(body).encode())
    path.chmod(0o600)
