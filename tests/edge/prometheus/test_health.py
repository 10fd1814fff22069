"""The health check of a container: an agent that judges is healthy, one that hangs or judges nothing is not."""

import socket
import subprocess
import sys

import pytest

from edge.prometheus.health import STALE_S, main, problems
from edge.wire.readings import encode_readings
from tests.helpers.agent import MQTT, PUMP, board, config, folder, rows, run
from tests.helpers.mosquitto import wait_for

__all__ = ["folder", "run"]  # fixtures
NOW = 1_763_772_000.0


def metrics(age_s: float = 1.0, accepting: int = 1, **unknown: int) -> str:
    states = "".join(
        f'offbeat_stream_state{{stream="{stream}",state="unknown"}} {value}\n'
        f'offbeat_stream_state{{stream="{stream}",state="ON"}} {1 - value}\n'
        for stream, value in unknown.items()
    )
    return f"offbeat_health_timestamp_seconds {NOW - age_s}\noffbeat_outbox_accepting {accepting}\n{states}"


def test_an_agent_that_judges_all_its_streams_is_healthy():
    assert problems(metrics(pump1=0, pump2=0), NOW) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (metrics(pump1=0, pump2=1), "stream pump2 is not judged"),
        (metrics(age_s=STALE_S + 1, pump1=0), "the last health message is 121 s old"),
        (metrics(accepting=0, pump1=0), "the disk takes no events"),
        (metrics(), "no stream is served yet"),
    ],
)
def test_what_keeps_it_from_serving_is_named(text, wanted):
    assert problems(text, NOW) == [wanted]


def test_an_agent_that_is_still_starting_is_not_healthy():
    assert problems("", NOW) == ["no health message yet", "no stream is served yet"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/metrics", "nonsense"])
def test_an_agent_that_serves_no_metrics_is_not_healthy_and_the_line_says_what_to_do(url, capsys):
    assert main(url) == 1
    assert "[prometheus]" in capsys.readouterr().out


def test_a_running_agent_is_healthy_once_it_judges(run, broker):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    agent = run(config(broker.port, MQTT, PUMP) + f"[prometheus]\nport = {port}\n")

    def checked() -> tuple[int, str]:
        line = [sys.executable, "-m", "edge.prometheus.health", f"http://127.0.0.1:{port}/metrics"]
        done = subprocess.run(line, capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout.strip()

    wait_for(lambda: agent.said("source field: up"), "the subscription")
    wait_for(lambda: checked() == (1, "stream pump1 is not judged"), "a stream that nobody feeds")
    with board(broker) as publish:
        for row in rows(1000, 120):
            publish("sensors/pump1/readings", encode_readings(row))
        wait_for(lambda: checked() == (0, "serving"), "a stream that is judged")
