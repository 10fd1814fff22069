"""SIGHUP: a changed config is applied while the agent runs, and what did not change is not disturbed."""

import json
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.wire.readings import encode_readings
from tests.helpers.agent import (
    EPISODE,
    MQTT,
    PUMP,
    Agent,
    assert_whole_episode,
    board,
    config,
    events,
    first_episode,
    folder,
    health,
    run,
)
from tests.helpers.mosquitto import wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

__all__ = ["folder", "run"]  # fixtures
SECOND = 'id = "pump2"\nbundle = "tiny"\nsource = "field"\n'


def reload(agent: Agent, text: str, until: str = "reload: ") -> None:
    (agent.folder / "agent.toml").write_text(text)
    times = agent.log.read_text().count(until)
    agent.process.send_signal(signal.SIGHUP)
    wait_for(lambda: agent.log.read_text().count(until) > times, f"'{until}' in the log")


def states(listener, stream: str = "pump1") -> list[dict]:
    return [json.loads(payload) for payload in listener.on(f"offbeat/gw-1/{stream}/state")]


def send(publish: Callable[[str, bytes], None], rows, *streams: str) -> None:
    for row in rows:
        for stream in streams:
            publish(f"sensors/{stream}/readings", encode_readings(row))


def test_a_new_stream_is_served_and_the_old_ones_keep_their_windows(run, broker, listener):
    agent = run(config(broker.port, MQTT, PUMP))
    wait_for(lambda: agent.said("source field: up"), "the subscription")
    with board(broker) as publish:
        send(publish, EPISODE[:50], "pump1")
        wait_for(lambda: health(listener)["streams"]["pump1"]["rows"] >= 49, "the rows")

        reload(agent, config(broker.port, MQTT, PUMP + "[stream.rules.flow]\nmax = 100\n", SECOND))
        send(publish, EPISODE[50:51], "pump1")

        first = wait_for(
            lambda: next((state for state in states(listener) if state["time"] in (1049.0, 1050.0)), None), "a state"
        )
        assert first["score"] is not None, "the window went on"
        send(publish, EPISODE[51:], "pump1", "pump2")

    assert_whole_episode(first_episode(listener))
    wait_for(lambda: events(listener, "pump2"), "an event of the new stream")
    wait_for(lambda: health(listener)["streams"]["pump1"]["readings"] == len(EPISODE), "the count of both configs")
    assert agent.said("reload: 2 streams, 1 sources")
    assert agent.stop() == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("bundle =", "bundel ="), "did you mean 'bundle'"),
        (lambda text: text.replace('"tiny"', '"nowhere"'), "cannot read the manifest"),
        (lambda text: text + "[stream.rules.flwo]\nmax = 1\n", "did you mean 'flow'"),
        (lambda text: text + '[[source]]\nname = "tape"\ntype = "file"\npath = "gone.csv"\n', "there is no file"),
    ],
)
def test_a_config_that_cannot_be_used_is_reported_and_the_old_one_stays(run, broker, listener, change, said):
    text = config(broker.port, MQTT, PUMP)
    agent = run(text)
    wait_for(lambda: agent.said("source field: up"), "the subscription")

    reload(agent, change(text), until="reload: the old config stays: ")

    assert said in agent.log.read_text()
    with board(broker) as publish:
        send(publish, EPISODE, "pump1")
    assert_whole_episode(first_episode(listener))
    assert agent.stop() == 0


def test_a_stream_that_is_taken_out_ends_its_episode_and_goes_offline(run, broker, listener):
    agent = run(config(broker.port, MQTT, PUMP, SECOND))
    wait_for(lambda: agent.said("source field: up"), "the subscription")
    with board(broker) as publish:
        send(publish, EPISODE[:115], "pump1", "pump2")
        wait_for(lambda: events(listener, "pump1") and events(listener, "pump2"), "the episodes")

        reload(agent, config(broker.port, MQTT, SECOND))
        assert_whole_episode(first_episode(listener))
        wait_for(lambda: listener.on("offbeat/gw-1/pump1/availability")[-1] == b"offline", "offline")
        told = "offbeat/gw-1/pump1/state"  # the very last may be empty: taken back
        wait_for(
            lambda: any(b'"anomaly":"unknown"' in one for one in listener.on(told)[-2:]), "no alarm, and no calm either"
        )
        send(publish, EPISODE[115:], "pump1", "pump2")

    found = wait_for(lambda: (seen := events(listener, "pump2"))[-1]["event_type"] == "end" and seen, "its own end")
    assert_whole_episode(found)
    assert agent.stop() == 0


def test_a_bundle_that_was_replaced_is_taken_up_and_its_streams_begin_anew(run, folder, broker, listener):
    text = config(broker.port, MQTT, PUMP)
    agent = run(text)
    wait_for(lambda: agent.said("source field: up"), "the subscription")
    write_tiny_bundle(folder / "tiny")
    manifest = folder / "tiny" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"tiny"', '"tinier"'))

    reload(agent, text)

    info = "offbeat/gw-1/info"
    wait_for(lambda: json.loads(listener.on(info)[-1])["bundles"][0]["name"] == "tinier", "the new bundle's name")
    assert agent.stop() == 0


def test_what_needs_a_restart_is_named(run, broker):
    text = config(broker.port, MQTT, PUMP)
    agent = run(text)
    agent.wait_ready()

    reload(agent, text.replace("gw-1", "gw-2").replace("[broker]", "[broker]\nkeepalive_s = 20"))

    assert "these take effect at the next start: [broker], [device] id" in agent.log.read_text()
    assert agent.stop() == 0


def test_a_source_that_cannot_be_started_costs_the_others_nothing(run, folder, broker, listener):
    agent = run(config(broker.port, MQTT, PUMP))
    wait_for(lambda: agent.said("source field: up"), "the subscription")
    (folder / "text.pem").write_text("no certificate")
    other = '[[source]]\nname = "other"\ntype = "mqtt"\n[source.broker]\nport = 1\nca = "text.pem"\n'

    reload(agent, config(broker.port, MQTT + other, PUMP))

    named = "source other: down: source other: certificates of localhost:1: "
    wait_for(lambda: agent.said(named), "the certificate by name")
    with board(broker) as publish:
        send(publish, EPISODE, "pump1")
    assert_whole_episode(first_episode(listener))
    assert agent.stop() == 0


def test_systemd_is_told_of_a_reload_and_of_its_end(run, folder: Path, broker):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(folder / "notify"))
        systemd.settimeout(20)
        agent = run(config(broker.port, MQTT, PUMP), NOTIFY_SOCKET=str(folder / "notify"))
        assert systemd.recv(100) == b"READY=1"

        agent.process.send_signal(signal.SIGHUP)

        word, since = systemd.recv(100).split(b"\n")
        assert (word, systemd.recv(100)) == (b"RELOADING=1", b"READY=1")
        assert since.startswith(b"MONOTONIC_USEC=")
    assert agent.stop() == 0


@pytest.mark.parametrize("while_off", [True, False])
def test_a_stream_that_is_no_longer_served_leaves_no_retained_topic(run, broker, listener, while_off):
    agent = run(config(broker.port, MQTT, PUMP, SECOND))
    wait_for(lambda: listener.on("offbeat/gw-1/pump2/availability"), "the second stream")
    if while_off:
        assert agent.stop() == 0
        agent = run(config(broker.port, MQTT, PUMP))
    else:
        reload(agent, config(broker.port, MQTT, PUMP))

    wait_for(lambda: listener.on("offbeat/gw-1/pump2/availability")[-1] == b"", "the topic to be cleared", 25.0)

    late = broker.listen("offbeat/gw-1/#")
    wait_for(lambda: late.on("offbeat/gw-1/pump1/availability"), "what is retained")
    assert late.on("offbeat/gw-1/pump2/availability") == late.on("offbeat/gw-1/pump2/state") == []
    late.close()
    assert agent.stop() == 0
