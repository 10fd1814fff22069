"""Carries out `install-bundle` and `rollback` for a running agent, in a process of its own and after all else.

What it reads comes from strangers: it is bounded in bytes, time and memory, and whatever becomes of this process, the
agent goes on.
"""

import json
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.commands.remote.download import DownloadError, Limits, fetch
from edge.commands.upkeep.bundle_files import read_bundle
from edge.commands.upkeep.install import install_files, roll_back, sharing
from edge.config.settings import Config, ConfigError, load_config
from edge.detector.bundle.files import BundleError, load_bundle
from edge.state.bundle_place import SwitchError
from edge.wire.payload import encode_payload

_NICE = 10
_ROOM = 64_000_000
"""Bytes beyond what the archive and its content take."""


def main(config: str) -> int:
    """Read a job, one JSON object, from standard input; print what came of it as another."""
    os.nice(_NICE)
    job = json.load(sys.stdin)
    try:
        body: dict[str, Any] = {"ok": done(load_config(config), job)}
    except (ConfigError, BundleError, SwitchError, DownloadError, OSError) as error:
        body = {"error": f"the old bundle stays: {error}"}
    sys.stdout.write(encode_payload(body).decode())
    return 0


def done(config: Config, job: dict[str, Any]) -> dict[str, Any]:
    """Do it; what is in place then.

    Raises:
        ConfigError, BundleError, SwitchError, DownloadError, OSError: the old bundle stays.
    """
    streams = sharing(config, job.get("stream"))
    if job["command"] == "install-bundle":
        files = _fetched(config, streams[0].bundle, job)
        install_files(config, streams, files)
    else:
        roll_back(config, job.get("stream"))
    bundle = load_bundle(streams[0].bundle)
    return {"streams": [one.id for one in streams], "bundle": bundle.name, "sha256": bundle.sha256}


def _fetched(config: Config, place: Path, job: dict[str, Any]) -> dict[str, bytes]:
    bounds = config.requests.bundles
    folder = bounds.folder
    if folder is None or place.absolute().parent.resolve() != folder.resolve():
        raise ConfigError(f"{place} is not in the folder of bundles, [requests.bundles] folder = {folder}")
    limits = Limits(bounds.hosts, bounds.max_bytes, bounds.max_s, bounds.ca)
    with at_most(bounds.max_s), tempfile.TemporaryFile(dir=folder) as file:
        fetch(job["url"], job["sha256"], file, folder, limits)
        with memory_for(2 * bounds.max_bytes):
            try:
                # By its handle: it has no name that a power cut could leave behind.
                return read_bundle(Path(f"/proc/self/fd/{file.fileno()}"), bounds.max_bytes)
            except MemoryError as error:
                raise BundleError("the archive takes more memory than its size allows; do not use it") from error


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """End what is done within, when it takes longer.

    Raises:
        DownloadError: it does.
    """

    def late(_number: int, _frame: Any) -> None:
        raise DownloadError(f"it takes longer than {seconds:g} s ([requests.bundles] max_s)")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def memory_for(size: int) -> Iterator[None]:
    """What is done within may take so many bytes more than this process has, and some room; else MemoryError."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = _data_bytes() + size + _ROOM
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
