"""Bundles switched under load, and cut in the middle: `python -m tests.chaos.switching --switches 100 --cuts 50`.

A real agent scores rows that never stop, bundles are installed and rolled back by commands, and at cuts the installing
process and the agent are killed at a moment by chance. Meanwhile the bundle's name is looked at all the time.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from edge.detector.bundle.files import BundleError, load_bundle
from tests.chaos.agent_process import ROOT, AgentProcess
from tests.helpers.agent import config
from tests.helpers.tiny_bundle import normal, write_tiny_bundle

_SOURCE = '[[source]]\nname = "pipe"\ntype = "stdin"\ntime_format = "s"\nboard = "pump1"\n'
_STREAM = 'id = "pump1"\nbundle = "tiny"\nmax_future_s = inf\n'


class Feeder:
    """Rows into an agent's standard input, some 50 a second, until it is stopped."""

    def __init__(self) -> None:
        self.rows, self._pipe = 0, None  # type: int, object
        self._leaving = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def feed(self, pipe: object) -> None:
        """From here on to this agent."""
        pipe.write(b"time,flow,pressure\n")  # type: ignore[attr-defined]
        self._pipe = pipe

    def stop(self) -> None:
        self._leaving.set()

    def _run(self) -> None:
        while not self._leaving.wait(0.02):
            try:
                if (pipe := self._pipe) is not None:
                    values = normal(self.rows)
                    pipe.write(f"{1000 + self.rows},{values['flow']},{values['pressure']}\n".encode())
                    pipe.flush()
                    self.rows += 1
            except (OSError, ValueError):
                self._pipe = None


class Look:
    """Whether the bundle's name leads to a whole bundle, all the time, and to which."""

    def __init__(self, place: Path) -> None:
        self.seen: Counter[str] = Counter()
        self.neither: list[str] = []
        self._place, self._leaving = place, threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._leaving.set()

    def _run(self) -> None:
        while not self._leaving.wait(0.005):
            try:
                folder = self._place.resolve()
                self.seen[load_bundle(folder).name] += 1
            except BundleError as error:
                if folder == self._place.resolve():  # else an older one, removed while it was read
                    self.neither.append(str(error))


def command(folder: Path, *words: str) -> "subprocess.Popen[bytes]":
    line = [sys.executable, "-m", "edge", *words, "--config", str(folder / "agent.toml")]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(line, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=quiet, stderr=quiet)


def run(folder: Path, switches: int, cuts: int, seed: int) -> dict[str, object]:
    """The figures of a whole run."""
    write_tiny_bundle(folder / "tiny")
    ways = []
    for name in ("one", "two", "three"):
        ways.append(folder / name)
        shutil.copytree(folder / "tiny", ways[-1])
        manifest = ways[-1] / "manifest.json"
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "name": name}))
    (folder / "agent.toml").write_text(config(1, _SOURCE, _STREAM))
    agent, feeder, look = AgentProcess(folder), Feeder(), Look(folder / "tiny")
    chance, failed, ends, began = random.Random(seed), 0, 0, time.monotonic()
    feeder.feed(agent.start())
    for number in range(switches):
        words = ("rollback",) if number % 4 == 3 else ("install-bundle", str(ways[number % 3]))
        failed += command(folder, *words).wait(120) != 0
        ends += agent.ended is not None
    for _ in range(cuts):
        installing = command(folder, "install-bundle", str(ways[chance.randrange(3)]))
        time.sleep(chance.uniform(0.3, 2.5))
        ends += agent.ended is not None
        installing.kill()
        installing.wait(10)
        agent.kill()
        feeder.feed(agent.start())
    replaced = agent.log().count("replaces")
    ends += agent.ended is not None
    feeder.stop()
    look.stop()
    agent.kill()
    return {
        "switches": switches, "commands that failed": failed, "power cuts": cuts, "ends of the agent by itself": ends,
        "taken up by the agent": replaced, "rows": feeder.rows, "looks": sum(look.seen.values()),
        "by bundle": dict(look.seen), "neither": len(look.neither), "seconds": round(time.monotonic() - began),
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.switching", description=__doc__)
    parser.add_argument("--switches", type=int, default=100)
    parser.add_argument("--cuts", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="offbeat-switching-") as folder:
        figures = run(Path(folder), arguments.switches, arguments.cuts, arguments.seed)
    for name, figure in figures.items():
        print(f"{name:<28} {figure}")
    good = not (figures["neither"] or figures["ends of the agent by itself"] or figures["commands that failed"])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
