"""Faults made on purpose. Each function is one injection; it gives the monotonic time at which the fault was over."""

import random
import time
from collections.abc import Callable

from tests.chaos.rig import Rig

Fault = Callable[[Rig, random.Random], float]

_WATCH_COMMITS_S = 5.0
"""Longest wait for a commit to strike after; an agent that is still starting has none."""


def kill_agent(rig: Rig, chance: random.Random) -> float:
    """kill -9 at any moment, the start included."""
    time.sleep(chance.uniform(0.0, 1.0))
    rig.agent.kill()
    return _start_agent(rig)


def kill_agent_after_commit(rig: Rig, _chance: random.Random) -> float:
    """kill -9 as soon as a COMMIT shows, which is before or just after the agent knows of it itself."""
    until = time.monotonic() + _WATCH_COMMITS_S
    first = None
    for version in rig.commit_log.versions():
        first = version if first is None else first
        if version != first or time.monotonic() > until:
            break
        time.sleep(0.0002)
    rig.agent.kill()
    return _start_agent(rig)


def kill_broker(rig: Rig, chance: random.Random) -> float:
    """kill -9 of the broker, which comes back after up to two seconds."""
    time.sleep(chance.uniform(0.0, 0.5))
    _kill_broker(rig)
    return _start_broker(rig, chance)


def kill_both(rig: Rig, chance: random.Random) -> float:
    """kill -9 of both; the agent is back first."""
    time.sleep(chance.uniform(0.0, 0.5))
    for kill in chance.sample([lambda: _kill_broker(rig), rig.agent.kill], 2):
        kill()
    _start_agent(rig)
    return _start_broker(rig, chance)


def cut_connection(rig: Rig, chance: random.Random) -> float:
    """All connections break, up to three times in a row."""
    for _ in range(chance.randint(1, 3)):
        time.sleep(chance.uniform(0.0, 0.3))
        rig.proxy.cut()
    return time.monotonic()


def drop_acknowledgements(rig: Rig, chance: random.Random) -> float:
    """No PUBACK comes through for up to 8 s; after 5 the agent gives the connection up."""
    rig.proxy.lose_acknowledgements = True
    time.sleep(chance.choice([0.3, 1.0, 2.0, 6.0, 8.0]))
    rig.proxy.lose_acknowledgements = False
    return time.monotonic()


def hang_peer(rig: Rig, chance: random.Random) -> float:
    """The connection stays and nothing passes, or the broker itself stands still."""
    for_s = chance.uniform(1.0, 9.0)
    if chance.random() < 0.5:
        rig.proxy.flowing.clear()
        time.sleep(for_s)
        rig.proxy.flowing.set()
    else:
        rig.broker.freeze()
        time.sleep(for_s)
        rig.broker.thaw()
    return time.monotonic()


def flood(rig: Rig, chance: random.Random) -> float:
    """All boards send at 20 times their rate."""
    usual, rig.boards.rate = rig.boards.rate, rig.boards.rate * 20
    time.sleep(chance.uniform(1.0, 3.0))
    rig.boards.rate = usual
    return time.monotonic()


def anything(rig: Rig, chance: random.Random) -> float:
    """One of those above, so that they also come upon each other."""
    ours = (kill_agent, kill_agent_after_commit, kill_broker, kill_both, cut_connection, drop_acknowledgements, flood)
    return chance.choice(ours)(rig, chance)


def _kill_broker(rig: Rig) -> None:
    rig.broker_kills += 1
    rig.broker.kill()


def _start_agent(rig: Rig) -> float:
    rig.commit_log.read()
    rig.agent.start()
    return time.monotonic()


def _start_broker(rig: Rig, chance: random.Random) -> float:
    time.sleep(chance.uniform(0.0, 2.0))
    rig.broker.start()
    return time.monotonic()
