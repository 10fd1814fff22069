"""Two agents with one id and a state folder each, as a cloned card makes them: both say what is wrong."""

from pathlib import Path

import pytest

from tests.helpers.agent import MQTT, PUMP, Agent, config
from tests.helpers.mosquitto import wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

TOLD = "another client took over the client id 'offbeat-gw-1'"
"""By a broker that says so with MQTT 5; Mosquitto 2.0.11 just hangs up."""
GUESSED = "does another client use the client id offbeat-gw-1?"


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_both_of_two_agents_with_one_id_name_the_cause(tmp_path: Path, broker, protocol) -> None:
    agents = []
    try:
        for name in ("card", "clone"):
            folder = tmp_path / name
            write_tiny_bundle(folder / "tiny")
            agents.append(Agent(folder, config(broker.port, MQTT, PUMP, broker=f'protocol = "{protocol}"\n')))

        for agent in agents:
            wait_for(lambda agent=agent: agent.said(TOLD) or agent.said(GUESSED), "the cause", 60.0)

        field = "client id offbeat-gw-1-field"  # the sources' connections are taken over as well
        wait_for(lambda: any(field in agent.log.read_text() for agent in agents), "the source's cause", 60.0)
        lines = [len(agent.log.read_text().splitlines()) for agent in agents]
        assert max(lines) < 60, "a line for each is enough"
    finally:
        for agent in agents:
            agent.process.kill()
            agent.process.wait(10)
            agent.process.stdin.close()
