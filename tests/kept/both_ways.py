"""A gateway of version 0.1.0 with its state, upgraded, downgraded and upgraded again: `python -m tests.kept.both_ways`.

The old version is that of the repository's history, run as it was. Each agent starts, is ready, and is stopped.
"""

import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.mosquitto import wait_for

ROOT = Path(__file__).resolve().parents[2]
OLD_COMMIT = "66ed7c6"
"""Version 0.1.0, which made the files beside this one."""


@dataclass(frozen=True)
class Stay:
    """One start of an agent."""

    version: str
    log: str
    files: Mapping[str, str]
    """Names below state/streams after it, with the start of their hashes."""


def old_version(folder: Path) -> Path | None:
    """The code of version 0.1.0, unpacked; None where there is no history."""
    done = subprocess.run(["git", "archive", OLD_COMMIT, "edge"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        return None
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def kept_gateway(folder: Path) -> Path:
    """The gateway of version 0.1.0, all of whose streams commission themselves: the bundle's calibration is refused."""
    gateway = Path(shutil.copytree(ROOT / "tests/kept/0.1.0", folder / "gateway"))
    path = gateway / "agent.toml"
    path.write_text(path.read_text().replace('id = "pump2"', 'id = "pump2"\ncalibrate_rows = 900', 1))
    return gateway


def stay(gateway: Path, code: Path) -> Stay:
    """Start that version on the gateway's state, wait until it is ready, stop it."""
    environment = {**os.environ, "PYTHONPATH": str(code)}
    log = gateway / "agent.log"
    with log.open("wb") as file:
        line = [sys.executable, "-m", "edge", "run", "--config", "agent.toml"]
        agent = subprocess.Popen(line, cwd=gateway, env=environment, stdin=subprocess.PIPE, stdout=file, stderr=file)
        try:
            wait_for(lambda: "ready: " in log.read_text() or agent.poll() is not None, "the agent to be ready", 60)
        finally:
            agent.send_signal(signal.SIGTERM)
            agent.wait(30)
            assert agent.stdin is not None
            agent.stdin.close()
    return Stay("0.1.0" if code != ROOT else "this one", log.read_text(), files(gateway))


def files(gateway: Path) -> dict[str, str]:
    """Names below state/streams with the start of their hashes."""
    streams = sorted((gateway / "state/streams").iterdir())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:8] for path in streams}


def print_table() -> None:
    """Print which files each version left, and what it warned of."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "code").mkdir()
        old, gateway = old_version(Path(name) / "code"), kept_gateway(Path(name))
        if old is None:
            sys.exit(f"commit {OLD_COMMIT} is not in this repository's history")
        before = files(gateway)
        print("as version 0.1.0 left it: " + ", ".join(f"{name} {sha}" for name, sha in before.items()))
        for code in (ROOT, old, ROOT):
            one = stay(gateway, code)
            same = sum(one.files[name] == sha for name, sha in before.items())
            print(f"{one.version}: {same} of {len(before)} files of 0.1.0 unchanged, {len(one.files) - same} others")
            print("".join(f"  {line}\n" for line in one.log.splitlines() if "cannot be gone on" in line), end="")


if __name__ == "__main__":
    print_table()
