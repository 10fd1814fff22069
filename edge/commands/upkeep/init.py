"""`offbeat-edge init KIND…`: a commented agent.toml that runs as it stands, its state folder, and a first check."""

import argparse
import json
import platform
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from edge.commands.check import check
from edge.commands.upkeep.init_sources import KINDS, table
from edge.config.settings import ConfigError, load_without_secrets
from edge.config.structure import nearest
from edge.detector.bundle.files import Bundle, BundleError, load_bundle, write_atomically
from edge.wire.payload import printable
from edge.wire.topics import valid_stream_id

_REFUSED, _BAD_SETUP = 1, 2
SHARE = (Path(sys.prefix) / "share/offbeat", Path("/usr/share/offbeat"), Path(__file__).resolve().parents[3])
"""Where an installed Offbeat, its package and a source tree keep the sample bundle and the unit."""


class InitError(Exception):
    """Nothing was written; one line with the reason and the remedy."""


def init(options: argparse.Namespace, ask: Callable[[str], str] | None = None) -> int:
    """Write, make the state folder, check; 1 where the check finds something, 2 where nothing was written.

    `ask` asks whoever sits at the terminal; nobody is asked where there is none.
    """
    if ask is None and sys.stdin.isatty() and sys.stdout.isatty():
        ask = input
    try:
        text = written(options)
        state_dir = _state_dir(text, options.config)
        _require_free(options.config, options.replace, ask)
        options.config.parent.mkdir(parents=True, exist_ok=True)
        if options.config.exists():
            options.config.replace(_aside(options.config))
        write_atomically(options.config, text.encode())
        options.config.chmod(0o600)  # a password may be written into it
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (InitError, BundleError, ConfigError, OSError) as error:
        print(f"offbeat-edge: {printable(str(error))}", file=sys.stderr)
        return _BAD_SETUP
    print(f"{options.config} is written; every other key is in docs/reference/agent-toml.md. What it finds here:")
    found = check(options.config)
    print(f"to run it: offbeat-edge run --config {options.config}; from each start on: offbeat-edge service install")
    return _REFUSED if found else 0


def _state_dir(text: str, path: Path) -> Path:
    """Where that of a config to be written will be.

    Raises:
        InitError: the config could not be used.
    """
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / path.name).write_text(text, "utf-8")
        try:
            return load_without_secrets(Path(scratch) / path.name, path.absolute().parent).device.state_dir
        except ConfigError as error:
            raise InitError(str(error).replace(f"{scratch}/", "")) from error


def _require_free(path: Path, replace: bool, ask: Callable[[str], str] | None) -> None:
    if not path.exists() or replace:
        return
    aside = _aside(path).name
    if ask is not None and ask(f"{path} is there already. Keep it as {aside} and write anew? [y/N] ") == "y":
        return
    raise InitError(f"{path} is there already; --replace keeps it as {aside}, or name another --config")


def _aside(path: Path) -> Path:
    """Where a config that is there is kept, over none that was kept before."""
    aside, number = path.with_name(f"{path.name}.before"), 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.before-{number}")
    return aside


def written(options: argparse.Namespace) -> str:
    """The text of agent.toml for the sources that were named.

    Raises:
        InitError: a source or name is none.
        BundleError: the bundle cannot be read.
    """
    kinds = _kinds(options.sources)
    bundle = load_bundle(options.bundle or _sample())
    device = options.device or re.sub(r"[^a-zA-Z0-9_-]+", "-", platform.node()).strip("-") or "gw-1"
    streams = _streams(list(kinds), options.board)
    lines = [
        "# Written by offbeat-edge init. Keys that are left out have their defaults.",
        "[device]",
        f'id = "{device}"                       # this gateway\'s level in every topic',
        f"state_dir = {json.dumps(str(options.state_dir))}               # what is learnt; must outlive a restart",
        "",
        "[broker]                          # where alerts go; it may be away, alerts wait on disk meanwhile",
        f"host = {json.dumps(options.broker)}",
        '# username = "gw-1"',
        '# password_file = "broker.password"   # a file of its own, chmod 600',
        '# ca = "ca.pem"                   # TLS; without it a broker on another machine wants plaintext = true',
        "",
    ]
    for kind, place in kinds.items():
        where = str(Path(place).absolute()) if kind == "file" and place else place
        lines += [*table(kind, where, streams[kind], bundle.period_s, bundle.channel_names), ""]
    for kind, stream in streams.items():
        lines += _stream(stream, kind, options.board, bundle)
    return "\n".join(lines)


def _kinds(sources: list[str]) -> dict[str, str]:
    """By the kind, its place; empty for the default."""
    kinds: dict[str, str] = {}
    for kind, _, place in (source.partition("=") for source in sources):
        if kind not in KINDS:
            raise InitError(f"{kind!r} is no kind of source{nearest(kind, KINDS)}")
        if place and not KINDS[kind].place:
            raise InitError(f"{kind}={place}: {kind} takes no place; --broker names the broker, --board the board")
        if kind in kinds:
            raise InitError(f"{kind} is named twice; name it once, and write the second [[source]] beside it by hand")
        kinds[kind] = place
    return kinds


def _streams(kinds: list[str], board: str) -> dict[str, str]:
    if not valid_stream_id(board):
        raise InitError(f"{board!r} can be no stream's id: letters, digits, _ and - only, and no word of the topics")
    return {kind: board if len(kinds) == 1 else f"{board}-{kind}" for kind in kinds}


def _stream(stream: str, kind: str, board: str, bundle: Bundle) -> list[str]:
    own = [] if kind in ("modbus", "file", "stdin", "iio") or stream == board else [f'board = "{board}"']
    return [
        "[[stream]]                        # the readings of one board under the eye of one bundle",
        f'id = "{stream}"',
        f'source = "{kind}"',
        *own,
        f"bundle = {json.dumps(str(bundle.folder.absolute()))}   # channels {', '.join(bundle.channel_names)}",
        "# calibrate_rows = 3600           # the stream commissions itself on its own first normal rows",
        "",
    ]


def _sample() -> Path:
    for share in SHARE:
        if (folder := share / "models/pump").is_dir():
            return folder
    raise InitError("there is no sample bundle here; name yours, --bundle FOLDER")
