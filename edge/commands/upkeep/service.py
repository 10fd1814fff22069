"""`offbeat-edge service install`: the unit of the release, for this config, with its secrets as credentials."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from edge.commands.upkeep.bundle_files import read_bundle
from edge.commands.upkeep.init import SHARE
from edge.commands.upkeep.kept_files import PASSWORD_VARIABLE, named_files, passwords, without_passwords
from edge.config.settings import Config, ConfigError, load_without_secrets
from edge.detector.bundle.files import BundleError, read_file
from edge.state.backup import holds_state
from edge.state.lock import holder
from edge.wire.payload import printable

_REFUSED, _BAD_SETUP = 1, 2
_UNIT, _ETC, _STATE = "etc/systemd/system/offbeat.service", "etc/offbeat", "var/lib/offbeat"
_CREDENTIALS = "${CREDENTIALS_DIRECTORY}/secret_"
_COMMAND = "/usr/lib/offbeat/bin/offbeat-edge"
"""As the unit of the release has it."""


class ServiceError(Exception):
    """Nothing was installed; one line with the reason and the remedy."""


class Step(NamedTuple):
    """One file that is to be there, or a command that is to be run."""

    path: Path | None
    content: bytes
    mode: int
    command: Sequence[str] = ()

    def __str__(self) -> str:
        if self.path is None:
            return " ".join(self.command)
        return f"write {self.path}, {len(self.content)} bytes, mode {self.mode:o}"


def service(options: argparse.Namespace) -> int:
    """Install, or with `--dry-run` print what would be done; 1 where that cannot be, 2 where the config is no good."""
    try:
        if not options.dry_run:
            require_system(os.geteuid(), Path("/"))
        steps = plan(options.config, Path("/"), Path(sys.prefix), options.replace)
        for step in steps:
            print(printable(str(step)))
            if not options.dry_run:
                carry_out(step)
    except ConfigError as error:
        print(f"offbeat-edge: {error}", file=sys.stderr)
        return _BAD_SETUP
    except (ServiceError, BundleError, OSError, subprocess.SubprocessError) as error:
        print(f"offbeat-edge: {printable(str(error))}", file=sys.stderr)
        return _REFUSED
    print("nothing was done: this was --dry-run" if options.dry_run else "it runs: journalctl -u offbeat shows its log")
    return 0


def require_system(user: int, root: Path) -> None:
    """Whether a service can be installed here.

    Raises:
        ServiceError: by this user, or under this system, it cannot.
    """
    if not (root / "run/systemd/system").is_dir():
        raise ServiceError("systemd does not run here; whoever starts the agent otherwise runs offbeat-edge run")
    if user != 0:
        raise ServiceError("a service is installed by root: sudo offbeat-edge service install; --dry-run wants no root")


def plan(config_path: Path, root: Path, prefix: Path, replace: bool = False) -> list[Step]:
    """What has to be written below `root`, and run, for this config and the environment in `prefix`.

    The config is copied to /etc/offbeat, with secrets as credentials, bundles beside it and state in /var/lib/offbeat.

    Raises:
        ConfigError: the config cannot be used.
        ServiceError: the service could not see what it needs, or another config is there.
        BundleError, OSError: something that the config names cannot be read.
    """
    config = load_without_secrets(config_path)
    if prefix.is_relative_to("/home") or prefix.is_relative_to("/root") or prefix.is_relative_to("/tmp"):
        raise ServiceError(
            f"{prefix} is hidden from services; install Offbeat into /opt/offbeat, and give this from there"
        )
    text, files = _as_service(config_path, config, root)
    target = root / _ETC / "agent.toml"
    if target.exists() and target.read_text("utf-8") not in (text, config_path.read_text("utf-8")) and not replace:
        raise ServiceError(f"{target} is another config than {config_path}; --replace takes its place")
    steps = [Step(path, content, mode) for path, (content, mode) in files.items()]
    steps += [Step(target, text.encode(), 0o644)]
    steps += [Step(root / _UNIT, unit_for(prefix).encode(), 0o644)]
    commands = (("systemctl", "daemon-reload"), ("systemctl", "enable", "offbeat"), ("systemctl", "restart", "offbeat"))
    return [*steps, *(Step(None, b"", 0, command) for command in commands)]


def unit_for(prefix: Path) -> str:
    """The unit of the release, with the command of this environment.

    Raises:
        ServiceError: it is not installed.
    """
    for share in SHARE:
        for path in (share / "offbeat.service", share / "release/offbeat.service"):
            if path.is_file():
                return path.read_text("utf-8").replace(_COMMAND, f"{prefix}/bin/offbeat-edge")
    packaged = Path("/lib/systemd/system/offbeat.service")
    if packaged.is_file():
        return packaged.read_text("utf-8").replace(_COMMAND, f"{prefix}/bin/offbeat-edge")
    raise ServiceError("offbeat.service is missing below share/offbeat of this environment; install Offbeat again")


def _as_service(path: Path, config: Config, root: Path) -> tuple[str, dict[Path, tuple[bytes, int]]]:
    """The config's text for the service, and the files beside it with their modes."""
    text, files = path.read_text("utf-8"), dict[Path, tuple[bytes, int]]()
    text = _passwords_aside(text, root, files)
    for role, file, _ in named_files(config):
        if "${" not in str(file):
            name = role.replace("_file", "")
            files[root / _ETC / "credentials" / name] = (read_file(file, 1_000_000), 0o600)
            text = _with(text, path, role.rpartition(".")[2], file, f"{_CREDENTIALS}{name}")
    for number, folder in enumerate(dict.fromkeys(stream.bundle for stream in config.stream)):
        if not any(folder.is_relative_to(seen) for seen in ("/etc", "/usr", "/opt", "/var")):
            there = Path("/") / _ETC / "bundles" / (folder.name if number == 0 else f"{folder.name}-{number + 1}")
            for name, content in read_bundle(folder).items():
                files[root / str(there).lstrip("/") / name] = (content, 0o644)
            text = _with(text, path, "bundle", folder, str(there))
    if config.device.bundle_key is not None:
        files[root / _ETC / "bundle-key.pem"] = (read_file(config.device.bundle_key, 1_000_000), 0o644)
        text = _with(text, path, "bundle_key", config.device.bundle_key, f"/{_ETC}/bundle-key.pem")
    return _with_state(text, path, config, root, files), files


def _passwords_aside(text: str, root: Path, files: dict[Path, tuple[bytes, int]]) -> str:
    """A password that is written in the config becomes a credential, that the config names by its file."""
    found = list(dict.fromkeys(passwords(tomllib.loads(text))))
    if not found:
        return text
    clean = without_passwords(text) if len(found) == 1 else None
    if clean is None:
        raise ServiceError("put each password of the config into a file of its own, password_file = FILE, chmod 600")
    files[root / _ETC / "credentials/broker.password"] = (found[0].encode(), 0o600)
    taken_out = rf'\bpassword\s*=\s*"\$\{{{PASSWORD_VARIABLE}\}}"'
    return re.sub(taken_out, f'password_file = "{_CREDENTIALS}broker.password"', clean)


def _with(text: str, path: Path, key: str, old: Path, new: str) -> str:
    """The config with another place for the file that `key` names; every way in which it may be written is looked for.

    Raises:
        ServiceError: it is written in some other way.
    """
    relative = os.path.relpath(old, path.parent)
    ways = "|".join(re.escape(way) for way in (str(old), relative, f"./{relative}"))
    text, count = re.subn(rf"""(\b{key}\s*=\s*)(["'])(?:{ways})\2""", lambda found: f'{found[1]}"{new}"', text)
    if not count:
        raise ServiceError(f"{path} names {old} in a way that is not understood; write it as an absolute path")
    return text


def _with_state(text: str, path: Path, config: Config, root: Path, files: dict[Path, tuple[bytes, int]]) -> str:
    """State in /var/lib/offbeat; what was learnt elsewhere is taken along where nothing is there yet."""
    wanted, state_dir = f"/{_STATE}", config.device.state_dir
    if str(state_dir) == wanted:
        return text
    named = tomllib.loads(text)["device"].get("state_dir")
    if named is None:
        text = text.replace("[device]", f'[device]\nstate_dir = "{wanted}"', 1)
    else:
        text = _with(text, path, "state_dir", state_dir, wanted)
    if holds_state(state_dir) and not holds_state(root / _STATE):
        if pid := holder(state_dir):
            raise ServiceError(
                f"an agent, process {pid}, runs on {state_dir}; end it first, the service goes on with it"
            )
        for file in sorted(one for one in state_dir.rglob("*") if one.is_file() and one.name != ".lock"):
            files[root / _STATE / file.relative_to(state_dir)] = (file.read_bytes(), 0o600)
    return text


def carry_out(step: Step, run: Callable[..., object] = subprocess.run) -> None:
    """Do one step; a file is there as a whole or as it was.

    Raises:
        OSError, subprocess.SubprocessError: it failed.
    """
    if step.path is None:
        run(list(step.command), check=True, timeout=90)
        return
    private = step.mode == 0o600
    step.path.parent.mkdir(mode=0o700 if private else 0o755, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=step.path.parent)
    with open(handle, "wb") as file:
        os.fchmod(handle, step.mode)
        file.write(step.content)
        file.flush()
        os.fsync(handle)
    shutil.move(name, step.path)
