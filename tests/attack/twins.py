"""Two of one: a cloned card, a second start."""

import shutil
import time

from tests.attack.registry import attack
from tests.attack.stand import Stand
from tests.edge.agent.test_passing_states import write_tiny_bundle
from tests.helpers.agent import Agent
from tests.helpers.mosquitto import wait_for


@attack("two agents with one state folder", quick=True)
def _one_folder(stand: Stand) -> None:
    first = stand.start()
    second = Agent(stand.folder, stand.config())
    assert second.process.wait(20) == 1
    assert f"is in use by another agent, process {first.process.pid}" in stand.log()


def _named(agent: Agent) -> bool:
    """With 5 some brokers tell of a takeover; else short lives do."""
    log = agent.log.read_text()
    return "is a second agent running?" in log or "does another client use the client id" in log


def _twins(stand: Stand, protocol: str) -> None:
    broker = f'protocol = "{protocol}"\n'
    first = stand.start(stand.config(broker=broker))
    clone = stand.folder / "clone"
    write_tiny_bundle(clone / "tiny")
    second = Agent(clone, stand.config(broker=broker))
    try:
        wait_for(lambda: _named(first) and _named(second), "the cause by name, in both logs", 60.0)
        assert first.process.poll() is None
        assert second.process.poll() is None
        lines = len(stand.log().splitlines())
        time.sleep(5.0)
        assert len(stand.log().splitlines()) - lines < 40, "a flapping link fills the log"
    finally:
        second.process.kill()
        second.process.wait()
    stand.over()
    said = stand.log()
    wait_for(lambda: stand.log() != said or stand.health(), "the first alone", 30.0)


@attack("two agents with one id, MQTT 5")
def _one_id(stand: Stand) -> None:
    _twins(stand, "5")


@attack("two agents with one id, MQTT 3.1.1")
def _one_id_311(stand: Stand) -> None:
    _twins(stand, "3.1.1")


@attack("a clone that goes on with a copy of the state")
def _cloned_state(stand: Stand) -> None:
    stand.start()
    stand.serves()
    clone = stand.folder / "clone"
    write_tiny_bundle(clone / "tiny")
    # Not the socket of `status`: copies of a card have none.
    shutil.copytree(stand.folder / "state", clone / "state", ignore=shutil.ignore_patterns("*.sock"))
    other = Agent(clone, stand.config().replace('id = "gw-1"', 'id = "gw-2"'))
    try:
        wait_for(lambda: other.said("source field: up"), "the clone under its own id")
    finally:
        other.process.kill()
        other.process.wait()
