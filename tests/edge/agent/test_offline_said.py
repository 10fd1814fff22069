"""A board whose death is told, by its node or its broker, is offline at once and not only after a silence."""

import paho.mqtt.client as paho

from tests.helpers.agent import MQTT, PUMP, board, config, folder, run
from tests.helpers.mosquitto import wait_for
from tests.helpers.sparkplug import metric, payload

__all__ = ["folder", "run"]  # fixtures
AVAILABILITY = "offbeat/gw-1/pump1/availability"
STREAM = PUMP + 'board = "{board}"\noffline_after_s = 600.0\n'


def test_a_sparkplug_node_is_asked_for_its_births_and_its_death_is_that_of_its_devices(run, broker, listener):
    agent = run(config(broker.port, MQTT + 'format = "sparkplug"\n', STREAM.format(board="gw_pump1")))
    wait_for(lambda: agent.said("source field: up"), "the subscription")

    with board(broker) as publish:
        data = payload(1_709_539_200_000, [metric(alias=1, double=2.0), metric(alias=2, double=5.0)], seq=7)
        publish("spBv1.0/plant/DDATA/gw/pump1", data)
        wait_for(lambda: listener.on("spBv1.0/plant/NCMD/gw"), "the request for births")
        births = [metric("flow", 1, 10, double=2.0), metric("pressure", 2, 10, double=5.0)]
        publish("spBv1.0/plant/NBIRTH/gw", payload(1_709_539_200_000, [metric("bdSeq", number=3)], seq=0))
        publish("spBv1.0/plant/DBIRTH/gw/pump1", payload(1_709_539_201_000, births, seq=1))
        wait_for(lambda: b"online" in listener.on(AVAILABILITY), "online")
        publish("spBv1.0/plant/NDEATH/gw", payload(None, [metric("bdSeq", number=3)]))
        wait_for(lambda: listener.on(AVAILABILITY)[-1] == b"offline", "offline")
    assert agent.stop() == 0


def test_a_will_that_the_broker_sends_for_a_device_makes_its_board_offline(run, broker, listener):
    agent = run(config(broker.port, MQTT + 'format = "esphome"\n', STREAM.format(board="pump1")))
    wait_for(lambda: agent.said("source field: up"), "the subscription")

    device = paho.Client(paho.CallbackAPIVersion.VERSION2)
    device.will_set("pump1/status", "offline", qos=0, retain=True)
    device.connect("127.0.0.1", broker.port)
    device.loop_start()
    for channel, value in (("flow", b"2.00000"), ("pressure", b"5.00000")):
        device.publish(f"pump1/sensor/{channel}/state", value, qos=1).wait_for_publish(10)
    wait_for(lambda: b"online" in listener.on(AVAILABILITY), "online")
    device.socket().close()  # no goodbye: the broker sends the will

    wait_for(lambda: listener.on(AVAILABILITY)[-1] == b"offline", "offline")
    device.loop_stop()
    assert agent.stop() == 0
