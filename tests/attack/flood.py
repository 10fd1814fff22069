"""A publisher that sends 100 MB payloads, deep JSON and a million names, beside a quiet board: memory and delay.

By itself: `python -m tests.attack.flood --protocol 3.1.1 --minutes 10`.
"""

import argparse
import itertools
import json
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.agent import MQTT, PUMP, Agent, board, config, health, rows
from tests.helpers.mosquitto import Broker, Listener, wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

MINUTES, MOST_MB = 10.0, 10.0
LIMIT_BYTES = 262_144
"""Of the broker: with MQTT 3.1.1 it alone bounds what comes; `check` asks for it."""
_NAMES = json.dumps({"values": {f"channel-{number}": number for number in range(1_000_000)}}).encode()
PAYLOADS = {
    "100 MB": b" " * 100_000_000, "deep JSON": b"[" * 60_000, "deeper": b'{"values":' * 100_000, "names": _NAMES,
    "names below the bound": json.dumps({"values": {f"c{number}": number for number in range(5000)}}).encode(),
}  # fmt: skip
_BEFORE_S, _PROBE_EVERY_S, _SWING, _FIRST = 15.0, 0.1, 60.0, 1_000_000
_QUIET = 'id = "quiet"\nbundle = "tiny"\nsource = "field"\nmax_future_s = inf\n[stream.rules.flow]\nmax = 50.0\n'


@dataclass(frozen=True)
class Flooded:
    """What came of it."""

    rounds: int
    curve: list[tuple[float, float]]
    """Seconds since the flood began, resident megabytes above what was before."""
    before_s: list[float]
    during_s: list[float]
    """From the quiet board's publishing to its alert, seconds."""
    unanswered: int
    """Alerts of the quiet board that did not come."""
    counted: int
    ended: int
    """The agent's exit status."""

    @property
    def held(self) -> bool:
        """Memory within 10 MB, no alert lost, the agent there to the end."""
        return max(mb for _, mb in self.curve) <= MOST_MB and self.unanswered == 0 and self.ended == 0


class Quiet:
    """A board beside the flood: now and then its flow is beyond a rule, and the alert's way is timed."""

    def __init__(self, broker: Broker) -> None:
        self._broker, self._stop = broker, threading.Event()
        self.sent: list[float] = []
        """When each swing beyond the limit was published, monotonic."""
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """Leave the broker."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with board(self._broker) as publish:
            for number in itertools.count():
                row = rows(_FIRST + number, 1)[0]
                values = dict(row.values)
                if beyond := number % 12 == 11:  # a rule's episode is over once it was kept for some rows
                    values["flow"] += _SWING
                    self.sent.append(time.monotonic())
                publish("sensors/quiet/readings", json.dumps({"time": row.time, "values": values}).encode())
                if self._stop.wait(_PROBE_EVERY_S if beyond else _PROBE_EVERY_S / 5):
                    return


class Answers:
    """Hears the alerts of the quiet board."""

    def __init__(self, broker: Broker) -> None:
        self.came: dict[int, float] = {}
        """By the row's number, when its alert came, monotonic."""
        self._listener = broker.listen("offbeat/gw-1/quiet/event")
        self._listener._client.on_message = self._take

    def close(self) -> None:
        """Leave."""
        self._listener.close()

    def _take(self, _client: object, _data: object, message: object) -> None:
        event = json.loads(message.payload)  # type: ignore[attr-defined]
        if event["event_type"] == "new" and event["kind"] == "rule":
            self.came.setdefault(round(event["time"]) - _FIRST, time.monotonic())


def flood(folder: Path, protocol: str, minutes: float) -> Flooded:
    """Flood an agent for so many minutes."""
    (folder / "broker").mkdir(parents=True)
    write_tiny_bundle(folder / "tiny")
    lines = ("allow_anonymous true", *([f"message_size_limit {LIMIT_BYTES}"] if protocol == "3.1.1" else []))
    broker = Broker(folder / "broker", lines).start()
    listener, answers = broker.listen("offbeat/gw-1/health"), Answers(broker)
    agent = Agent(folder, config(broker.port, MQTT, PUMP, _QUIET, broker=f'protocol = "{protocol}"'))
    quiet = None
    try:
        wait_for(lambda: agent.said("source field: up"), "the subscription", 60.0)
        quiet = Quiet(broker)
        time.sleep(_BEFORE_S)
        begun, before = time.monotonic(), health(listener)["rss_bytes"]
        rounds, curve = _send(broker, listener, minutes, before)
        quiet.stop()
        time.sleep(2.0)
        times = [(sent, answers.came.get(12 * number + 11)) for number, sent in enumerate(quiet.sent)]
        counted = health(listener)["sources"]["field"]["bad_frames"]
        delays = [[came - sent for sent, came in times if came and (sent < begun) == first] for first in (True, False)]
        lost = sum(came is None for _, came in times)
        return Flooded(rounds, curve, delays[0], delays[1], lost, counted, agent.stop())
    finally:
        if quiet is not None:
            quiet.stop()
        agent.process.kill()
        listener.close()
        answers.close()
        broker.kill()


def _send(broker: Broker, listener: Listener, minutes: float, before: int) -> tuple[int, list[tuple[float, float]]]:
    """One payload after another, to the board that is served and to a stranger; a connection each: it may be ended."""
    begun, rounds, curve = time.monotonic(), 0, []
    while time.monotonic() - begun < 60 * minutes:
        payload = list(PAYLOADS.values())[rounds % len(PAYLOADS)]
        try:
            with board(broker) as publish:
                publish(f"sensors/{('pump1', 'stranger')[rounds // len(PAYLOADS) % 2]}/readings", payload)
        except (OSError, RuntimeError, ValueError):  # the broker's limit
            time.sleep(0.1)
        rounds += 1
        curve.append((time.monotonic() - begun, (health(listener)["rss_bytes"] - before) / 1e6))
    return rounds, curve


def percentile(values: list[float], part: float) -> float:
    """Nearest rank; NaN without values."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))] if values else float("nan")


def described(done: Flooded) -> str:
    """In one line."""
    lag = "; ".join(
        f"{name} p50 {statistics.median(values) * 1e3:.0f} ms, p99 {percentile(values, 0.99) * 1e3:.0f} ms"
        for name, values in (("before", done.before_s), ("during", done.during_s))
    )
    memory = f"+{max(mb for _, mb in done.curve):.1f} MB at most, {done.curve[-1][1]:+.1f} at the end"
    missing = f"{done.unanswered} of {len(done.before_s) + len(done.during_s)} alerts missing"
    return f"{done.rounds} payloads, {memory}; delay of another stream's alerts: {lag}; {missing}; {done.counted} bad"


def run(folder: Path, rounds: float, protocol: str = "5") -> tuple[bool, str]:
    """Whether it held, and the figures."""
    done = flood(folder, protocol, MINUTES * rounds)
    return done.held, described(done)


def main() -> int:
    """Flood once and print the curve of memory."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack.flood", description=__doc__)
    parser.add_argument("--protocol", choices=["5", "3.1.1"], default="5")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="offbeat-flood-") as folder:
        done = flood(Path(folder), options.protocol, options.minutes)
    for at in range(0, round(60 * options.minutes) + 1, max(1, round(6 * options.minutes))):
        reached = [mb for when, mb in done.curve if when <= at]
        print(f"{at:5d} s  {reached[-1] if reached else 0.0:+6.1f} MB, at most {max(reached, default=0.0):+6.1f}")
    print(f"MQTT {options.protocol}: {described(done)}: {'held' if done.held else 'NOT HELD'}")
    return 0 if done.held else 1


if __name__ == "__main__":
    sys.exit(main())
