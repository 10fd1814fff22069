"""Metrics: what the agent publishes, under names and in units that Prometheus expects."""

import json
import socket
import urllib.request

import pytest

from edge.prometheus.exporter import Exporter, Server
from edge.prometheus.settings import PrometheusSettings
from edge.wire.readings import encode_readings
from edge.wire.topics import DeviceTopics
from tests.helpers.agent import MQTT, PUMP, board, config, folder, rows, run
from tests.helpers.mosquitto import wait_for

__all__ = ["folder", "run"]  # fixtures
TOPICS = DeviceTopics("gw-1")
EPISODE = {"id": "1", "kind": "rule"}


def text(exporter: Exporter) -> str:
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(exporter)
    return generate_latest(registry).decode()


def state(exporter: Exporter, *episodes: dict, anomaly: str = "ON", score: float | None = 1.5) -> None:
    body = {"anomaly": anomaly, "score": score, "open": list(episodes)}
    exporter.heard(TOPICS.state("pump1"), json.dumps(body).encode())


def scraped(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return answer.read().decode()


def test_states_are_one_for_the_state_that_holds():
    exporter = Exporter(TOPICS, "1.2.3")
    state(exporter, anomaly="unknown", score=None)

    found = text(exporter)

    assert 'offbeat_stream_state{state="unknown",stream="pump1"} 1.0' in found
    assert 'offbeat_stream_state{state="OFF",stream="pump1"} 0.0' in found
    assert "offbeat_score{" not in found, "what is not judged has no score"
    assert 'offbeat_build_info{version="1.2.3"} 1.0' in found


def test_quantiles_are_of_summaries_as_promtool_wants_it():
    exporter = Exporter(TOPICS, "1")
    exporter.heard(TOPICS.health, b'{"inference_ms": {"p50": 2.0, "p99": 5.0}}')

    found = text(exporter)

    assert "# TYPE offbeat_inference_seconds summary" in found
    assert 'offbeat_inference_seconds{quantile="0.99"} 0.005' in found


def test_an_episode_is_counted_once_however_often_its_state_comes():
    exporter = Exporter(TOPICS, "1")
    for _ in range(3):
        state(exporter, EPISODE)
    assert 'offbeat_open_episodes{kind="rule",stream="pump1"} 1.0' in text(exporter)

    state(exporter, anomaly="OFF")
    state(exporter, {**EPISODE, "id": "2"})

    assert 'offbeat_episodes_total{kind="rule",stream="pump1"} 2.0' in text(exporter)


def test_a_figure_that_is_missing_or_null_is_left_out():
    exporter = Exporter(TOPICS, "1")
    exporter.heard(TOPICS.health, json.dumps({"rss_bytes": None, "uptime_s": 3.5, "streams": {"a": {}}}).encode())

    found = text(exporter)

    assert "offbeat_uptime_seconds 3.5" in found
    assert "offbeat_resident_memory_bytes " not in found.replace("# HELP offbeat_resident_memory_bytes ", "").replace(
        "# TYPE offbeat_resident_memory_bytes ", ""
    )


def test_a_stream_that_is_removed_is_gone():
    exporter = Exporter(TOPICS, "1")
    state(exporter, EPISODE)

    exporter.heard(TOPICS.state("pump1"), b"")

    assert "offbeat_score{" not in text(exporter)


def test_a_port_that_is_taken_is_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = Server(Exporter(TOPICS, "1"), PrometheusSettings(port=taken.getsockname()[1]))
        server.start()
        assert server.port is None
    wait_for(lambda: server.port, "the metrics once the port is free")
    assert "offbeat_build_info" in scraped(server.port)
    server.stop()


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(ValueError, match="port"):
        PrometheusSettings(port=port)


def test_an_agent_serves_what_it_publishes(run, broker):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    agent = run(config(broker.port, MQTT, PUMP) + f"[prometheus]\nport = {port}\n")
    wait_for(lambda: agent.said("source field: up"), "the subscription")
    with board(broker) as publish:
        for row in rows(1000, 50):
            publish("sensors/pump1/readings", encode_readings(row))

    wait_for(lambda: 'offbeat_stream_readings_total{stream="pump1"} 50.0' in scraped(port), "the count")
    off = 'offbeat_stream_state{state="OFF",stream="pump1"} 1.0'
    found = wait_for(lambda: off in (text := scraped(port)) and text, "the state, which comes at a pace of its own")
    assert 'offbeat_source_up{source="field"} 1.0' in found
    assert "offbeat_broker_connected 1.0" in found
    assert agent.stop() == 0
