"""Against Prometheus' own tools: metrics that promtool finds nothing in, rules that fire when they should, a scrape."""

import json
import shutil
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest

from edge.wire.readings import encode_readings
from tests.helpers.agent import MQTT, PUMP, board, config, folder, rows, run
from tests.helpers.mosquitto import missing, wait_for

__all__ = ["folder", "run"]  # fixtures
pytestmark = pytest.mark.integration
HERE = Path(__file__).parent
RULES = HERE.parents[2] / "edge/prometheus/rules/offbeat.yml"


def tool(name: str, *arguments: str, given: str | None = None) -> str:
    found = shutil.which(name)
    if found is None:
        missing(f"{name} (Debian: apt-get install prometheus)")
    done = subprocess.run([found, *arguments], input=given, text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.fixture
def metrics(run, broker) -> int:
    """The port of an agent that has scored some rows."""
    port = free_port()
    agent = run(config(broker.port, MQTT, PUMP) + f"[prometheus]\nport = {port}\n")
    wait_for(lambda: agent.said("source field: up"), "the subscription")
    with board(broker) as publish:
        for row in rows(1000, 120, fault=range(1100, 2000)):
            publish("sensors/pump1/readings", encode_readings(row))
    wait_for(lambda: "offbeat_score{" in scraped(port), "a score")
    return port


def scraped(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return answer.read().decode()


def test_promtool_finds_nothing_in_the_metrics(metrics):
    assert tool("promtool", "check", "metrics", given=scraped(metrics)) == ""


def test_the_rules_fire_when_they_should(tmp_path):
    tool("promtool", "check", "rules", str(RULES))
    tests = (HERE / "offbeat_test.yml").read_text()
    (tmp_path / "offbeat_test.yml").write_text(f"rule_files: ['{RULES}']\n{tests}")

    assert "SUCCESS" in tool("promtool", "test", "rules", str(tmp_path / "offbeat_test.yml"))


def test_prometheus_scrapes_an_agent(metrics, tmp_path):
    port = free_port()
    scrape = {"job_name": "offbeat", "static_configs": [{"targets": [f"127.0.0.1:{metrics}"]}]}
    settings = {"global": {"scrape_interval": "1s"}, "rule_files": [str(RULES)], "scrape_configs": [scrape]}
    (tmp_path / "prometheus.yml").write_text(json.dumps(settings))
    tool("promtool", "check", "config", str(tmp_path / "prometheus.yml"))
    line = ["prometheus", f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'data'}"]
    server = subprocess.Popen(
        [*line, f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:

        def counted() -> str:  # not the score: that is gone once the board has been silent for a while
            try:
                return tool("promtool", "query", "instant", f"http://127.0.0.1:{port}", "offbeat_stream_rows_total")
            except AssertionError:  # not yet listening
                return ""

        wait_for(lambda: 'stream="pump1"' in counted(), "the rows in Prometheus", 60)
    finally:
        server.terminate()
        server.wait(10)
