"""A day without a broker, in simulated time: what was raised meanwhile comes in order and not all at once."""

import bisect
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.chaos import figures
from tests.chaos.agent_process import AgentProcess
from tests.chaos.commit_log import CommitLog
from tests.chaos.reckoning import Witnesses, reckon
from tests.chaos.recording import APART_S, Recording
from tests.chaos.stand import FROM_STDIN, stand
from tests.helpers.mosquitto import wait_for
from tests.helpers.tiny_bundle import CHANNELS

DAY_S = 86400
APART = (round(APART_S), round(APART_S) + 30)
"""Rows between two faults, an episode each: some 300 events in a day."""
MOST_A_SECOND = 55
"""Events: `delivery.drain_per_s` is 50, and a second's edges are not sharp."""

_LONGEST_S = 900.0


@dataclass(frozen=True)
class Outage:
    """What became of the events raised while no broker was there."""

    simulated_s: int
    took_s: float
    """What that took in our time."""
    line: figures.Figures
    drained_s: float
    """From the first to the last of the delayed events as they were sent."""
    busiest: int
    """Most events sent in any one second."""

    @property
    def faultless(self) -> bool:
        """Whether all came, in order, at a bounded rate and soon."""
        return self.line.faultless and self.busiest <= MOST_A_SECOND and max(self.line.recovery_s) < 10

    def __str__(self) -> str:
        return (
            f"without a broker for {self.simulated_s / 3600:g} h ({self.took_s:.0f} s here): {self.line.committed} "
            f"events, {self.line.received} received; the first {self.line.recovery_s[0]:.1f} s after it was back, "
            f"then all within {self.drained_s:.1f} s, at most {self.busiest} in a second"
        )


def run(folder: Path, seed: int, simulated_s: int = DAY_S) -> Outage:
    """The agent is connected, the broker goes, `simulated_s` rows are read, the broker comes back."""
    with stand(folder) as base:
        base.configure(FROM_STDIN, of_device="")
        lines = base.agent.start()
        wait_for(lambda: base.proxy.acknowledged, "the agent to be connected")
        base.broker.kill()
        recording = Recording(seed, "pump1", time.time() // 1 - simulated_s, APART)
        took_s = _live_through(base.agent, lines, recording, simulated_s)
        base.broker.start()
        witnesses = Witnesses(base.agent, CommitLog(folder / "state/outbox.db"), base.proxy, base.subscriber)
        return _recover(witnesses, time.monotonic(), simulated_s, took_s)


def _live_through(agent: AgentProcess, lines: IO[bytes], recording: Recording, rows: int) -> float:
    """Feed the rows; seconds until the agent has seen the end of every episode."""
    began = time.monotonic()
    lines.write(_csv(recording, rows))
    lines.flush()
    wait_for(lambda: _ended(agent) == recording.faults, "the end of every known episode", _LONGEST_S)
    return time.monotonic() - began


def _recover(witnesses: Witnesses, since: float, simulated_s: int, took_s: float) -> Outage:
    """The broker is back at `since`, monotonic: wait until all is delivered, and reckon."""
    commit_log, proxy, came = witnesses.commit_log, witnesses.proxy, witnesses.subscriber
    wait_for(lambda: commit_log.size() and not commit_log.pending, "the outbox to be empty", _LONGEST_S)
    wait_for(lambda: commit_log.events.keys() <= came.numbers, "the subscriber to have all", 30)
    witnesses.agent.stop()
    first = next(at for topic, at in proxy.acknowledged if topic.endswith("/event"))
    line = reckon("a day without a broker", 1, 1, (first - since,), witnesses)
    sent_at = [
        at
        for (topic, _), at in zip(proxy.published, proxy.published_at, strict=True)
        if at > since and topic.endswith("/event")
    ]
    return Outage(simulated_s, took_s, line, sent_at[-1] - sent_at[0], _busiest(sent_at))


def _csv(recording: Recording, rows: int) -> bytes:
    lines = [f"time,{','.join(CHANNELS)}"]
    for number in range(rows):
        row = recording.row(number)
        lines.append(f"{row.time},{','.join(str(row.values[name]) for name in CHANNELS)}")
    return "\n".join([*lines, ""]).encode()


def _ended(agent: AgentProcess) -> int:
    return sum(event_type == "end" for _, event_type, _ in agent.raised())


def _busiest(times: Sequence[float]) -> int:
    return max(bisect.bisect_left(times, at + 1.0) - n for n, at in enumerate(times))
