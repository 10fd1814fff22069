"""A trial: one kind of fault, injected again and again, then calm, then the reckoning."""

import json
import random
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.chaos import clocks, disks, faults, figures, garbage
from tests.chaos.faults import Fault
from tests.chaos.reckoning import reckon
from tests.chaos.rig import Rig, rig

_STRIKE_AGAIN = 0.3
"""Part of the injections that do not wait until the one before has been got over."""
_SILENCE_S = 10.0
"""Nothing new for so long after the last fault: what has not come by then does not come. A calm episode ends in 1 s."""


@dataclass(frozen=True)
class Kind:
    """A kind of fault, and what it needs."""

    name: str
    inject: Fault
    times: int
    """Injections of a whole run."""
    disk: bool = False
    """The state folder lies on a small disk of its own; needs root."""
    clock: bool = False
    """The agent's wall clock is faked; needs Debian's faketime."""
    strike_again: bool = True
    """Whether the next injection may come before recovery from this one."""


KINDS: tuple[Kind, ...] = (
    Kind("agent killed", faults.kill_agent, 80),
    Kind("agent killed after a commit", faults.kill_agent_after_commit, 100),
    Kind("broker killed", faults.kill_broker, 35),
    Kind("agent and broker killed", faults.kill_both, 30),
    Kind("connection cut", faults.cut_connection, 30),
    Kind("acknowledgements dropped", faults.drop_acknowledgements, 15),
    Kind("peer hangs", faults.hang_peer, 12),
    Kind("disk full", disks.fill, 10, disk=True, strike_again=False),
    Kind("disk read-only", disks.turn_read_only, 8, disk=True, strike_again=False),
    Kind("writing forbidden", disks.forbid_writing, 10, strike_again=False),
    Kind("clock jumps", clocks.jump, 20, clock=True),
    Kind("flood, 20 times the rate", faults.flood, 8),
    Kind("garbage on every input", garbage.throw_garbage, 15),
    Kind("any of them at random", faults.anything, 40),
)


def unable(kind: Kind) -> str | None:
    """Why a kind of fault cannot be made here; None where it can."""
    if kind.disk and not disks.may_mount():
        return "only root may mount a small disk"
    if kind.clock and clocks.faketime() is None:
        return "faketime is missing (Debian: apt-get install faketime)"
    return None


def run(kind: Kind, folder: Path, seed: int, times: int) -> tuple[figures.Figures, float]:
    """One trial: its line of the table, and the most memory that the agent said it took, MB."""
    folder.mkdir()
    chance = random.Random(f"{seed} {kind.name}")
    with ExitStack() as stack:
        state = stack.enter_context(disks.small_disk(folder / "disk")) / "state" if kind.disk else None
        environment = clocks.faked_clock(clocks.faketime() or "", folder / "clock") if kind.clock else None
        rigged = stack.enter_context(rig(folder, seed, state, environment))
        strikes = [_strike(rigged, kind, chance) for _ in range(times)]
        _calm_down(rigged)
        rigged.agent.stop()
        recovery_s = tuple(seconds for seconds in strikes if seconds is not None)
        line = reckon(kind.name, times, rigged.broker_kills, recovery_s, rigged.witnesses)
        return line, max(json.loads(each.payload)["rss_bytes"] or 0 for each in rigged.stand.health.heard) / 1e6


def _strike(rigged: Rig, kind: Kind, chance: random.Random) -> float | None:
    """One injection; seconds until recovery, None where the next one comes before."""
    ended = kind.inject(rigged, chance)
    if kind.strike_again and chance.random() < _STRIKE_AGAIN:
        time.sleep(chance.uniform(0.0, 0.5))
        return None
    return rigged.recovered_s(ended)


def _calm_down(rigged: Rig) -> None:
    """No more faults in the readings, until every episode has ended and all is delivered, or nothing comes any more."""
    rigged.boards.calm = True
    progress, since = (0, 0), time.monotonic()
    while not _settled(rigged) and time.monotonic() - since < _SILENCE_S:
        if (now := (len(rigged.subscriber.received), rigged.commit_log.pending)) != progress:
            progress, since = now, time.monotonic()
        time.sleep(0.1)


def _settled(rigged: Rig) -> bool:
    size = rigged.commit_log.size()
    return not rigged.commit_log.pending and not rigged.subscriber.open and len(rigged.subscriber.numbers) >= size
