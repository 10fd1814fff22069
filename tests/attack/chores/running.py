"""An agent whose standard streams, limits or clock are other than usual."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.attack.stand import Stand
from tests.helpers.agent import ROOT, Agent

CLOCK = """
import os, time
real, file = time.time, os.environ["OFFBEAT_CLOCK"]
def faked():
    try:
        with open(file) as offset:
            return real() + float(offset.read() or 0)
    except (OSError, ValueError):
        return real()
time.time = faked
"""
"""sitecustomize of a process whose wall clock is off by what a file says; the monotonic one is not."""


def started_with(stand: Stand, text: str, before: str = "", **streams: object) -> Agent:
    """An agent on this config with other standard streams; `before` are commands of a shell, such as `ulimit`."""
    assert stand.listener
    (stand.folder / "agent.toml").write_text(text)
    agent = Agent.__new__(Agent)
    agent.folder, agent.log = stand.folder, stand.folder / "agent.log"
    agent.log.touch()
    shell = f'{before} exec "$0" -m edge run --config "$1"'
    line = ["sh", "-c", shell, sys.executable, str(stand.folder / "agent.toml")]
    agent._environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    usual = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": agent.log.open("ab")}
    agent.process = subprocess.Popen(line, env=agent._environment, **{**usual, **streams})  # type: ignore[call-overload]
    stand.agent = agent
    return agent


@contextmanager
def limited(stand: Stand, which: int, most: int) -> Iterator[None]:
    """The running agent has this limit within."""
    assert stand.agent is not None
    pid = stand.agent.process.pid
    before = resource.prlimit(pid, which)
    resource.prlimit(pid, which, (most, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, which, before)


def injected(stand: Stand, text: str) -> str:
    """PYTHONPATH with a sitecustomize of this text."""
    inject = stand.folder / "inject"
    inject.mkdir()
    (inject / "sitecustomize.py").write_text(text)
    return f"{inject}:{ROOT}"
