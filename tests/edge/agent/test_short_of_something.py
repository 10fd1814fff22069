"""A full disk, closed standard streams, no thread to be had: the agent serves meanwhile, and afterwards as before."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from edge.wire.readings import encode_readings
from tests.helpers.agent import (
    EPISODE,
    MQTT,
    NO_THREADS,
    PUMP,
    ROOT,
    Agent,
    assert_whole_episode,
    board,
    config,
    first_episode,
    folder,
    health,
    reload_signal,
    run,
)
from tests.helpers.mosquitto import Broker, wait_for

__all__ = ["folder", "run"]  # fixtures


@pytest.fixture
def started(folder: Path, broker: Broker):
    """Starts an agent behind these words of a shell; it is killed in the end."""
    processes = []

    def start(before: str, **streams) -> subprocess.Popen[bytes]:
        (folder / "agent.toml").write_text(config(broker.port, MQTT, PUMP))
        line = ["sh", "-c", f'{before} exec "$0" -m edge run --config "$1"', sys.executable, str(folder / "agent.toml")]
        processes.append(subprocess.Popen(line, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT, **streams))
        wait_for(lambda: "sensors/" in broker.log(), f"the subscription; {processes[-1].poll()}")
        return processes[-1]

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.wait()


def episode(broker: Broker) -> None:
    with board(broker) as publish:
        for row in EPISODE:
            publish("sensors/pump1/readings", encode_readings(row))


def test_a_state_disk_that_is_full_at_the_start_is_served_beside_and_taken_up_when_it_is_freed(
    started, broker, listener, folder
):
    process = started("ulimit -S -f 0;")  # no file may grow: what a full disk comes to, without root

    episode(broker)
    assert_whole_episode(first_episode(listener))
    assert health(listener)["outbox"]["accepting"] is False

    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    wait_for(lambda: health(listener)["outbox"]["accepting"] is True, "a disk that takes events again")
    process.terminate()
    assert process.wait(15) == 0
    assert (folder / "state/outbox.db").stat().st_size > 0


@pytest.mark.parametrize("before", ["exec 2>&-;", "exec 0<&-;", "exec 0<&- 1>&- 2>&-;"])
def test_standard_streams_that_are_closed_at_the_start_end_nothing(started, broker, listener, before):
    process = started(before)

    episode(broker)

    assert_whole_episode(first_episode(listener))
    process.terminate()
    assert process.wait(15) == 0


def test_a_source_that_no_thread_can_be_had_for_on_a_reload_comes_up_when_there_is_one(run, broker, listener, folder):
    inject, mark = folder / "inject", folder / "no-threads"
    inject.mkdir()
    (inject / "sitecustomize.py").write_text(NO_THREADS)
    text = config(broker.port, MQTT, PUMP)
    agent: Agent = run(text, PYTHONPATH=f"{inject}:{ROOT}", OFFBEAT_NO_THREADS=str(mark))
    wait_for(lambda: agent.said("source field: up"), "the subscription")

    mark.touch()
    (folder / "agent.toml").write_text(text.replace('"field"', '"yard"'))
    reload_signal(agent)
    wait_for(lambda: "can't start new thread" in str(health(listener)["sources"].get("yard")), "what ails it")
    trouble = wait_for(lambda: health(listener)["streams"]["pump1"]["trouble"], "trouble")
    assert "yard" in trouble
    mark.unlink()

    wait_for(lambda: agent.said("source yard: up"), "the source")
    episode(broker)
    assert_whole_episode(first_episode(listener))
    assert agent.stop() == 0
