"""`offbeat-edge broker-config`, tried against a real Mosquitto: everybody can do their work and nothing else."""

import shutil
import subprocess
from pathlib import Path

import pytest

from edge.__main__ import main
from edge.commands.upkeep.broker_config import access_list
from edge.config.settings import load_config
from edge.mqtt.connection import ConnectError, Connection
from edge.mqtt.probe import probe
from edge.web.picture import subscriptions
from edge.wire.broker import BrokerSettings
from tests.helpers.agent import MQTT, PUMP, config, folder
from tests.helpers.mosquitto import Broker, missing, wait_for

__all__ = ["folder"]
USERS = ("gw-1", "gw-2", "board-pump1", "viewer", "operator")


@pytest.fixture
def guarded(folder: Path, make_broker) -> Broker:
    if shutil.which("mosquitto_passwd") is None:
        missing("mosquitto_passwd")
    text = config(1883, MQTT, PUMP, broker="[requests]\nallow = ['ack']")
    (folder / "agent.toml").write_text(text)
    assert main(["broker-config", "--config", str(folder / "agent.toml"), "--out", str(folder / "broker")]) == 0
    passwords = folder / "broker" / "passwords"
    passwords.touch()
    for user in USERS:
        subprocess.run(["mosquitto_passwd", "-b", passwords, user, "geheim"], check=True, capture_output=True)
    written = (folder / "broker" / "mosquitto.conf").read_text().splitlines()
    kept = ("allow_anonymous", "password_file", "acl_file", "message_size_limit", "max_packet_size")
    return make_broker([line for line in written if line.startswith(kept)]).start()


def may_write(broker: Broker, user: str, topic: str) -> bool:
    sender = Connection(
        BrokerSettings(host="127.0.0.1", port=broker.port, username=user, password="geheim"), f"test-{user}"
    )
    try:
        sender.open(4.0)
        sender.publish(topic, b"x", qos=1)
        wait_for(lambda: sender.step(0.1) or sender.acknowledged or sender.refused, "the broker's answer")
        return not sender.refused
    finally:
        sender.close(goodbye=True)


@pytest.mark.parametrize(
    ("user", "topic"),
    [
        ("gw-1", "offbeat/gw-1/pump1/event"),
        ("gw-1", "offbeat/gw-1/status"),
        ("gw-1", "offbeat/gw-1/info"),
        ("gw-1", "offbeat/gw-1/health"),
        ("gw-1", "offbeat/gw-1/group"),
        ("gw-1", "offbeat/gw-1/pump1/state"),
        ("gw-1", "offbeat/gw-1/pump1/availability"),
        ("gw-1", "offbeat/gw-1/pump1/snapshot"),
        ("gw-1", "offbeat/gw-1/response/ack"),
        ("board-pump1", "sensors/pump1/readings"),
        ("operator", "offbeat/gw-1/request/ack"),
    ],
)
def test_everybody_can_do_their_work(guarded, user, topic):
    assert may_write(guarded, user, topic)


@pytest.mark.parametrize(
    ("user", "topic"),
    [
        ("gw-1", "offbeat/gw-2/pump1/event"),
        ("gw-2", "offbeat/gw-1/pump1/event"),
        ("gw-1", "sensors/pump1/readings"),
        ("gw-1", "offbeat/gw-1/request/ack"),
        ("gw-1", "offbeat/gw-1/pump1/elsewhere"),
        ("board-pump1", "sensors/pump2/readings"),
        ("board-pump1", "offbeat/gw-1/pump1/event"),
        ("board-pump1", "offbeat/gw-1/request/ack"),
        ("viewer", "offbeat/gw-1/request/ack"),
        ("viewer", "offbeat/gw-1/pump1/event"),
        ("viewer", "sensors/pump1/readings"),
        ("operator", "offbeat/gw-1/request/normal"),
        ("operator", "offbeat/gw-1/pump1/event"),
    ],
)
def test_writes_what_is_somebody_elses(guarded, user, topic):
    assert not may_write(guarded, user, topic)


def test_the_page_in_the_agent_may_hear_its_device_and_ask_it(folder):
    (folder / "agent.toml").write_text(
        config(1883, MQTT, PUMP, broker="[requests]\nallow = ['ack']\n[web]\nport = 8080")
    )

    access = access_list([load_config(folder / "agent.toml")], "viewer", "operator")
    device = access.partition("user board-pump1")[0].splitlines()

    for topic in subscriptions("offbeat", "gw-1"):
        assert f"topic read {topic}" in device
    assert "topic write offbeat/gw-1/request/ack" in device
    assert not any("request/normal" in line or line.endswith("#") for line in device)


def test_comes_without_a_password_or_with_a_wrong_one(guarded):
    for settings in ({}, {"username": "gw-1", "password": "falsch"}):
        with pytest.raises(ConnectError):
            probe(BrokerSettings(host="127.0.0.1", port=guarded.port, **settings), "test")


def test_the_agent_publishes_and_reads_back_with_these_rights(guarded):
    settings = BrokerSettings(host="127.0.0.1", port=guarded.port, username="gw-1", password="geheim")

    assert "back" in probe(settings, "test", topic="offbeat/gw-1/check")


def test_one_name_for_two_roles_is_refused(folder, capsys):
    (folder / "agent.toml").write_text(config(1883, MQTT, PUMP))
    line = ["broker-config", "--config", str(folder / "agent.toml"), "--out", str(folder / "b"), "--operator", "viewer"]

    assert main(line) == 2
    assert "would be two" in capsys.readouterr().err


def test_several_gateways_share_a_broker(folder):
    for name in ("gw-1", "gw-2"):
        text = config(1883, MQTT, PUMP, broker="[requests]\nallow = ['ack']").replace('id = "gw-1"', f'id = "{name}"')
        (folder / f"{name}.toml").write_text(text)

    line = ["broker-config", "--config", str(folder / "gw-1.toml"), "--also", str(folder / "gw-2.toml")]
    assert main([*line, "--out", str(folder / "b")]) == 0

    blocks = (folder / "b" / "offbeat.acl").read_text().split("\n\n")
    by_user = {block.splitlines()[0].removeprefix("user "): block for block in blocks if block.strip()}
    assert set(by_user) == {"gw-1", "gw-2", "board-pump1", "viewer", "operator"}
    assert "offbeat/gw-2/" not in by_user["gw-1"]
    assert "offbeat/gw-1/" not in by_user["gw-2"]
    assert all(f"topic write offbeat/{name}/request/ack" in by_user["operator"] for name in ("gw-1", "gw-2"))


def test_a_second_gateway_locks_out_no_first_one(folder, capsys):
    for name in ("gw-1", "gw-2"):
        text = config(1883, MQTT, PUMP).replace('id = "gw-1"', f'id = "{name}"')
        (folder / f"{name}.toml").write_text(text)
    out = ["--out", str(folder / "b")]
    assert main(["broker-config", "--config", str(folder / "gw-1.toml"), *out]) == 0
    before = (folder / "b" / "offbeat.acl").read_text()

    assert main(["broker-config", "--config", str(folder / "gw-2.toml"), *out]) == 2

    said = capsys.readouterr().err
    assert "gw-1" in said
    assert "--also" in said
    assert (folder / "b" / "offbeat.acl").read_text() == before
    assert main(["broker-config", "--config", str(folder / "gw-1.toml"), *out]) == 0
