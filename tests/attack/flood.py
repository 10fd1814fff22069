"""A publisher that sends 100 MB payloads, deep JSON and a million names, beside a quiet board: memory and delay.

Publisher, broker and agent are processes of their own. Beside them, on the same machine in the same minutes, another
broker with another agent and another quiet board is not flooded: what is slow there too is the machine's.

By itself: `python -m tests.attack.flood --protocol 3.1.1 --minutes 10 --limit packet`.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.attack.quiet import STREAM, Delays, Quiet, p99
from tests.helpers.agent import MQTT, PUMP, ROOT, Agent, config, health
from tests.helpers.mosquitto import Broker, wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

MINUTES, MOST_MB, MOST_TIMES = 10.0, 10.0, 2.0
LIMITS = {
    "none": (),
    "message": ("message_size_limit 262144",),
    "packet": ("message_size_limit 262144", "max_packet_size 270336"),
}
"""Of the broker: with MQTT 3.1.1 it alone bounds what comes; `check` asks for it. With a limit of messages it takes all
of a message in before it throws it away, and serves nobody meanwhile; with one of packets it hangs up."""
_BEFORE_S, _LOOK_EVERY_S = 30.0, 0.05
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Memory:
    """Resident memory of a process, looked at 20 times a second by a thread."""

    pid: int
    curve: list[tuple[float, float]] = field(default_factory=list)
    """Monotonic time and megabytes."""
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self) -> threading.Thread:
        """Begin."""
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """End."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_EVERY_S):
            with contextlib.suppress(OSError):
                pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
                self.curve.append((time.monotonic(), pages * _PAGE / 1e6))


@dataclass(frozen=True)
class Flooded:
    """What came of it."""

    sent: dict[str, dict[str, int]]
    """Payloads that the broker took, and on which it hung up, by kind."""
    curve: list[tuple[float, float]]
    """Seconds since the flood began, resident megabytes."""
    control_before: Delays
    before: Delays
    control: Delays
    during: Delays
    counted: int
    limit_named: bool
    """Whether `check` names a broker without a limit; with MQTT 5 it need not."""
    ended: int
    """The agent's exit status."""

    @property
    def times(self) -> float:
        """How much longer the slowest hundredth of alerts took than beside, where nobody floods."""
        return p99(self.during.alerts_s) / p99(self.control.alerts_s)

    @property
    def more_mb(self) -> float:
        """The most above what was at the start."""
        return max(mb for _, mb in self.curve) - self.curve[0][1]

    @property
    def held(self) -> bool:
        """Memory within 10 MB, delay at most doubled, no alert lost, the agent there to the end."""
        missing = self.before.missing + self.during.missing
        within = self.more_mb <= MOST_MB and self.times <= MOST_TIMES
        return within and not missing and not self.ended and self.limit_named


class Side:
    """A broker, an agent and a quiet board."""

    def __init__(self, folder: Path, protocol: str, limit: str, stack: contextlib.ExitStack) -> None:
        (folder / "broker").mkdir(parents=True)
        write_tiny_bundle(folder / "tiny")
        self.folder, self.broker = folder, Broker(folder / "broker", ("allow_anonymous true", *LIMITS[limit])).start()
        stack.callback(self.broker.kill)
        self.listener = self.broker.listen("offbeat/gw-1/health")
        stack.callback(self.listener.close)
        text = config(self.broker.port, MQTT, PUMP, STREAM, broker=f'protocol = "{protocol}"')
        self.agent = Agent(folder, text)
        stack.callback(self.agent.process.kill)
        wait_for(lambda: self.agent.said("source field: up"), "the subscription", 60.0)
        self.quiet = Quiet(self.broker)
        stack.callback(self.quiet.close)


def flood(folder: Path, protocol: str, minutes: float, limit: str) -> Flooded:
    """Flood an agent for so many minutes."""
    with contextlib.ExitStack() as stack:
        control, flooded = (Side(folder / name, protocol, limit, stack) for name in ("control", "flooded"))
        memory = Memory(flooded.agent.process.pid)
        stack.callback(memory.stop)
        before_at = time.monotonic() + 2.0
        time.sleep(_BEFORE_S)
        memory.start()
        time.sleep(1.0)
        begun = time.monotonic()
        sent = _flood(flooded.broker.port, 60 * minutes)
        until = time.monotonic()
        for side in (control, flooded):
            side.quiet.stop()
        time.sleep(2.0)
        memory.stop()
        spans = [
            side.quiet.delays(*span) for span in ((before_at, begun), (begun, until)) for side in (control, flooded)
        ]
        counted = health(flooded.listener)["sources"]["field"]["bad_frames"]
        named = _limit_named(folder / "unlimited", stack) if protocol == "3.1.1" else True
        curve = [(at - begun, mb) for at, mb in memory.curve]
        return Flooded(sent, curve, *spans, counted, named, flooded.agent.stop())


def _flood(port: int, seconds: float) -> dict[str, dict[str, int]]:
    line = [sys.executable, "-m", "tests.attack.flooder", str(port), str(seconds)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, stdout=subprocess.PIPE, timeout=seconds + 120, env=environment, check=True)
    return json.loads(done.stdout)


def _limit_named(folder: Path, stack: contextlib.ExitStack) -> bool:
    """Whether `check` names a broker that has no limit, where MQTT 3.1.1 is spoken."""
    (folder / "broker").mkdir(parents=True)
    write_tiny_bundle(folder / "tiny")
    broker = Broker(folder / "broker").start()
    stack.callback(broker.kill)
    (folder / "agent.toml").write_text(config(broker.port, MQTT, PUMP, broker='protocol = "3.1.1"'))
    line = [sys.executable, "-m", "edge", "check", "--config", str(folder / "agent.toml")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, env=environment, check=False)
    return "message_size_limit" in done.stdout + done.stderr


def described(done: Flooded) -> str:
    """In a few lines."""
    curve = [mb for _, mb in done.curve]
    spans = {
        "control before": done.control_before, "before": done.before, "control": done.control, "during": done.during,
    }  # fmt: skip
    missing = f"{done.before.missing + done.during.missing} alerts missing"
    named = "check names a broker without a limit" if done.limit_named else "check does NOT name the broker's limit"
    sent = "; ".join(f"{how} {sum(kinds.values())}: {kinds}" for how, kinds in done.sent.items())
    most = f"{max(curve):.1f} at most ({done.more_mb:+.1f})"
    return "\n".join(
        [
            f"{sent}; {done.counted} counted as bad; {missing}; {named}",
            f"memory: {curve[0]:.1f} MB at start, {most}, {curve[-1]:.1f} at the end",
            *(f"{name:15}{len(span.alerts_s):5d} {span}" for name, span in spans.items()),
            f"p99 during the flood / of the control in the same minutes: {done.times:.2f}",
        ]
    )


def run(folder: Path, rounds: float, protocol: str = "5") -> tuple[bool, str]:
    """Whether it held, and the figures."""
    done = flood(folder, protocol, MINUTES * rounds, "packet")
    return done.held, described(done)


def main() -> int:
    """Flood once and print the curve of memory."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack.flood", description=__doc__)
    parser.add_argument("--protocol", choices=["5", "3.1.1"], default="5")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--limit", choices=list(LIMITS), default="packet", help="of the broker (packet)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="offbeat-flood-") as folder:
        done = flood(Path(folder), options.protocol, options.minutes, options.limit)
    for at in range(0, round(60 * options.minutes) + 1, max(1, round(6 * options.minutes))):
        reached = [mb for when, mb in done.curve if when <= at]
        print(f"{at:5d} s  {reached[-1]:6.1f} MB, at most {max(reached):6.1f}")
    verdict = "held" if done.held else "NOT HELD"
    print(f"MQTT {options.protocol}, broker's limit {options.limit}: {verdict}\n{described(done)}")
    return 0 if done.held else 1


if __name__ == "__main__":
    sys.exit(main())
