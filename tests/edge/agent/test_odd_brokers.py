"""A broker that keeps nothing, and others who write on our topics: what is true is said all the same."""

import json

import paho.mqtt.client as paho
import pytest

from edge.mqtt.connection import Connection
from edge.mqtt.wishes import Wishes
from edge.wire.readings import encode_readings
from tests.helpers.agent import (
    EPISODE,
    MQTT,
    PUMP,
    assert_whole_episode,
    board,
    config,
    first_episode,
    folder,
    health,
    run,
)
from tests.helpers.mosquitto import Broker, Listener, wait_for

__all__ = ["folder", "run"]  # fixtures
SOON = "[delivery]\nretained_every_s = 1.0\n"


@pytest.fixture
def forgetful(make_broker) -> Broker:
    """With MQTT 5 it says in its greeting that it retains nothing, and refuses a will that is to be retained."""
    return make_broker(("allow_anonymous true", "retain_available false")).start()


def test_a_broker_that_retains_nothing_is_connected_to_with_a_will(forgetful):
    listener = forgetful.listen("will")
    connection = Connection(forgetful.settings, "us", wishes=Wishes(will_topic="will"))
    connection.open(5.0)
    mid = connection.publish("a", b"1", retain=True)

    while not connection.acknowledged:
        connection.step(1.0)
    connection.close(goodbye=False)

    assert (connection.version, connection.granted.retains, connection.acknowledged) == ("5", False, [mid])
    wait_for(lambda: listener.on("will") == [b"offline"], "the will")
    listener.close()


def test_a_broker_that_retains_nothing_is_served_with_alerts_status_and_availability(run, forgetful):
    listener = forgetful.listen("offbeat/#")
    agent = run(config(forgetful.port, MQTT, PUMP, broker=SOON))
    wait_for(lambda: agent.said("source field: up"), "the subscription")

    with board(forgetful) as publish:
        for row in EPISODE:
            publish("sensors/pump1/readings", encode_readings(row))

    assert_whole_episode(first_episode(listener))
    late = forgetful.listen("offbeat/#")  # who comes later hears it the next time it is said
    for topic in ("status", "pump1/availability"):
        assert listener.on(f"offbeat/gw-1/{topic}")
        wait_for(lambda: b"online" in late.on(f"offbeat/gw-1/{topic}"), f"{topic} again")  # noqa: B023
    wait_for(lambda: late.on("offbeat/gw-1/pump1/state"), "the state again")
    assert health(listener)["link"]["refused"] == {}
    listener.close()
    late.close()
    assert agent.stop() == 0


def test_another_client_s_will_on_our_status_does_not_stand(run, broker, listener):
    agent = run(config(broker.port, MQTT, PUMP, broker=SOON))
    wait_for(lambda: listener.on("offbeat/gw-1/status") == [b"online"], "the status")
    died(broker, "offbeat/gw-1/status")

    wait_for(lambda: b"offline" in listener.on("offbeat/gw-1/status"), "its will")
    wait_for(lambda: retained(broker, "offbeat/gw-1/status") == b"online", "what is true")
    assert agent.stop() == 0


@pytest.mark.parametrize(
    ("topic", "wanted"), [("pump1/availability", b"online"), ("pump1/state", None)], ids=["availability", "state"]
)
def test_what_somebody_retains_on_a_topic_of_ours_does_not_stand(run, broker, listener, topic, wanted):
    agent = run(config(broker.port, MQTT, PUMP, broker=SOON))
    wait_for(lambda: agent.said("source field: up"), "the subscription")
    with board(broker) as publish:
        for row in EPISODE[:50]:
            publish("sensors/pump1/readings", encode_readings(row))
    wait_for(lambda: states(listener), "a state")
    died(broker, f"offbeat/gw-1/{topic}", b"a lie")

    if wanted is not None:
        wait_for(lambda: retained(broker, f"offbeat/gw-1/{topic}") == wanted, "what is true")
    else:
        wait_for(lambda: b'"anomaly":"OFF"' in retained(broker, f"offbeat/gw-1/{topic}"), "a state of ours")
    assert agent.stop() == 0


def states(listener: Listener) -> list[dict]:
    bodies = [json.loads(payload) for payload in listener.on("offbeat/gw-1/pump1/state") if payload.startswith(b"{")]
    return [body for body in bodies if body.get("anomaly") == "OFF"]


def died(broker: Broker, topic: str, payload: bytes = b"offline") -> None:
    """A client with a will, whose connection breaks."""
    twin = paho.Client(paho.CallbackAPIVersion.VERSION2, "twin")
    twin.will_set(topic, payload, qos=1, retain=True)
    twin.connect("127.0.0.1", broker.port)
    twin.loop_start()
    wait_for(twin.is_connected, "the twin")
    twin.loop_stop()
    twin.socket().close()


def retained(broker: Broker, topic: str) -> bytes:
    """What somebody who comes now is given."""
    listener = broker.listen(topic)
    try:
        return wait_for(lambda: listener.on(topic), "what is retained")[0]
    finally:
        listener.close()
