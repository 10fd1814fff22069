"""Storms of each kind of request: is every one answered within a second, and what does it cost a live alert?

Beside the agent that is asked runs another that nobody asks, with the same board; what both take longer in the same
seconds is the machine's doing. `python -m tests.attack.storms` prints the table.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.attack.quiet import STREAM, Delays, Quiet, p99
from tests.helpers.agent import MQTT, PUMP, ROOT, Agent, board, config, rows
from tests.helpers.mosquitto import Broker, wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

WITHIN_S, MORE_S = 1.0, 0.1
"""Longest until an answer; most that the slowest hundredth of alerts may take longer than where nobody asks: about what
a person sees as at once."""
SECONDS = 12.0
"""Of each storm."""
FEW, MANY = 20.0, 1000.0
"""Requests a second: as programs may send them, and as fast as somebody can who means harm."""
ALLOW = ("replay", "normal", "rows", "snapshot", "health", "status", "ack", "snooze", "recalibrate")
ASKED: dict[str, tuple[str, str]] = {
    "replay of everything": ("replay", '{"since_seq":0}'),
    "the latest rows": ("rows", '{"stream":"quiet"}'),
    "what is known as normal": ("normal", '{"list":true}'),
    "the last anomaly is normal": ("normal", '{"stream":"quiet"}'),
    "a snapshot": ("snapshot", "{}"),
    "health": ("health", "{}"),
    "status": ("status", "{}"),
    "to acknowledge nothing": ("ack", '{"event_id":"nobody"}'),
    "to snooze another stream": ("snooze", '{"stream":"pump1","minutes":1}'),
    "to calibrate another stream": ("recalibrate", '{"stream":"pump1"}'),
    "no known command": ("explode", "{}"),
    "one that is not allowed": ("unsnooze", '{"stream":"pump1"}'),
    "no JSON": ("status", "\xff{"),
    "nested 30,000 deep": ("status", "[" * 30_000),
    "60 KB": ("status", json.dumps({"x": "y" * 60_000})),
    "200 KB": ("status", " " * 200_000),
}
"""Command and fields."""


@dataclass(frozen=True)
class Storm:
    """What came of one."""

    name: str
    a_second: float
    sent: int
    answered: int
    delays_s: list[float]
    """Of the answers to what had a transaction."""
    control: Delays
    asked: Delays

    @property
    def more_s(self) -> float:
        """How much longer the slowest hundredth of alerts took than where nobody asks, in the same seconds."""
        return p99(self.asked.alerts_s) - p99(self.control.alerts_s)

    @property
    def held(self) -> bool:
        """No alert late or lost; what is asked as programs do is answered in time, each."""
        late = sum(delay > WITHIN_S for delay in self.delays_s)
        answered = self.a_second > FEW or self.answered >= self.sent
        return not late and answered and self.more_s <= MORE_S and not self.asked.missing

    def __str__(self) -> str:
        alerts = (f"{p99(one.alerts_s) * 1e3:6.0f}" for one in (self.control, self.asked))
        middle = (f"{_middle(one.alerts_s) * 1e3:6.0f}" for one in (self.control, self.asked))
        slowest = f"{self.delays_s[-1] * 1e3:6.0f}" if self.delays_s else "     -"
        asked = f"{self.sent:7d}{self.answered:9d} {_middle(self.delays_s) * 1e3:6.0f} {p99(self.delays_s) * 1e3:6.0f}"
        broker = f"{p99(self.asked.through_broker_s) * 1e3:6.0f}"
        line = f"{self.name:28}{self.a_second:6.0f}{asked} {slowest}  {' '.join(middle)}  {' '.join(alerts)} {broker}"
        return line + ("" if self.held else "  NOT HELD")


HEAD = (
    f"{'request':28}{'a s':>6}{'sent':>7}{'answered':>9} {'p50':>6} {'p99':>6} {'last':>6}"
    "  alerts, ms: p50 beside, asked; p99 beside, asked; p99 through the broker alone"
)


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2] if values else float("nan")


class Side:
    """A broker, an agent that allows every command, and its board."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        (folder / "broker").mkdir(parents=True)
        write_tiny_bundle(folder / "tiny")
        self.broker = Broker(folder / "broker").start()
        stack.callback(self.broker.kill)
        allow = f"[requests]\nallow = {json.dumps(ALLOW)}\n"
        self.agent = Agent(folder, config(self.broker.port, MQTT, PUMP, STREAM, broker=allow))
        stack.callback(self.agent.process.kill)
        wait_for(lambda: self.agent.said("source field: up"), "the subscription", 60.0)
        self._other()
        self.quiet = Quiet(self.broker)
        stack.callback(self.quiet.close)

    def _other(self) -> None:
        """Rows of the stream that is not timed."""
        with board(self.broker) as publish:
            for row in rows(1000, 100):
                publish("sensors/pump1/readings", json.dumps({"time": row.time, "values": row.values}).encode())


def storms(folder: Path, seconds: float, rates: tuple[float, ...] = (FEW, MANY), only: str = "") -> list[Storm]:
    """One after another, on one pair of agents."""
    done = []
    with contextlib.ExitStack() as stack:
        control, asked = (Side(folder / name, stack) for name in ("control", "asked"))
        time.sleep(10.0)  # some alerts to replay
        for name, (command, fields) in ASKED.items():
            for a_second in rates if only in name else ():
                began = time.monotonic()
                told = _ask(asked.broker.port, command, fields, seconds, a_second)
                until = time.monotonic() - 2.0
                time.sleep(1.0)
                delays = (side.quiet.delays(began, until) for side in (control, asked))
                answered = len(told["delays_s"]) + told["anyhow"]
                done.append(Storm(name, a_second, told["sent"], answered, told["delays_s"], *delays))
                print(done[-1], flush=True)
        for side in (control, asked):
            side.quiet.stop()
            assert side.agent.stop() == 0
    return done


def _ask(port: int, command: str, fields: str, seconds: float, a_second: float) -> dict:
    line = [sys.executable, "-m", "tests.attack.asker", str(port), command, str(seconds), str(a_second)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    output, timeout = subprocess.PIPE, seconds + 60
    done = subprocess.run(
        line, stdout=output, input=fields.encode(), timeout=timeout, env=environment, cwd=ROOT, check=True
    )
    return json.loads(done.stdout)


def run(folder: Path, rounds: float) -> tuple[bool, str]:
    """Whether all held, and the slowest."""
    print(HEAD)
    done = storms(folder, max(5.0, SECONDS * rounds))
    answers = [delay for storm in done for delay in storm.delays_s]
    more_ms = max(storm.more_s for storm in done) * 1e3
    told = f"{len(done)} storms, {len(answers)} answers, the slowest after {max(answers) * 1e3:.0f} ms; "
    return all(storm.held for storm in done), f"{told}p99 of alerts at most {more_ms:+.0f} ms beside the control"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack.storms", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each storm")
    parser.add_argument("--only", default="", metavar="TEXT", help="part of a request's name")
    options = parser.parse_args()
    print(HEAD)
    with tempfile.TemporaryDirectory(prefix="offbeat-storms-") as folder:
        done = storms(Path(folder), options.seconds, only=options.only)
    print(f"{sum(storm.held for storm in done)} of {len(done)} held")
    return 0 if all(storm.held for storm in done) else 1


if __name__ == "__main__":
    sys.exit(main())
