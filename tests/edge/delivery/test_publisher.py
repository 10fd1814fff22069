"""The publisher against a real Mosquitto that is killed, frozen, late and strict."""

import itertools
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from attrs import evolve
from mqtt_proxy import MqttProxy
from test_outbox import full_disk

from edge.delivery.outbox import Outbox
from edge.delivery.publisher import Publisher
from edge.delivery.requests import Requests
from edge.delivery.settings import DeliverySettings
from edge.wire.broker import BrokerSettings
from edge.wire.events import EventMessage, decode_message
from edge.wire.payload import encode_payload
from edge.wire.state import OpenEpisode, StreamState, state_to_dict
from edge.wire.topics import DeviceTopics
from tests.helpers.alerts import alert
from tests.helpers.mosquitto import PERSISTENT, Broker, Listener, wait_for

TOPICS = DeviceTopics("gw-1")
EVENTS = "offbeat/+/+/event"
QUICK = DeliverySettings(
    ack_timeout_s=0.5, retry_first_s=0.05, retry_longest_s=0.2, drain_per_s=2000, confirm_after_s=0.0
)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox.db")


@contextmanager
def publishing(
    broker: BrokerSettings, outbox: Outbox, settings: DeliverySettings = QUICK, requests: Requests | None = None
) -> Iterator[Publisher]:
    publisher = Publisher(broker, TOPICS, outbox, settings, requests)
    publisher.start()
    try:
        yield publisher
    finally:
        publisher.stop(flush_s=0.0)


def connected(publisher: Publisher) -> Publisher:
    wait_for(lambda: publisher.connected, "a connection")
    return publisher


def alerts_at(listener: Listener, count: int, timeout_s: float = 15.0) -> list[EventMessage]:
    wait_for(lambda: len(listener.on(EVENTS)) >= count, f"{count} alerts", timeout_s)
    return [decode_message(payload) for payload in listener.on(EVENTS)]


def once(messages: list[EventMessage]) -> list[EventMessage]:
    """First copies only: the broker, too, may send a subscriber a second one after its own restart."""
    first: dict[tuple[str, int], EventMessage] = {}
    for message in messages:
        first.setdefault((message.log, message.seq), message)
    return list(first.values())


def drained(outbox: Outbox) -> bool:
    return outbox.counts().pending == 0


def test_an_event_reaches_a_subscriber_and_leaves_the_outbox_on_its_puback(
    broker: Broker, listener: Listener, outbox: Outbox
) -> None:
    with publishing(broker.settings, outbox) as publisher:
        connected(publisher)
        entry = outbox.put(alert(1))

        [message] = alerts_at(listener, 1)

        assert message == EventMessage(alert(1), "gw-1", str(outbox.log), entry.seq, replayed=False, durable=True)
        wait_for(lambda: drained(outbox), "the outbox to empty")
        assert outbox.counts().history == 1
        assert publisher.counts().acknowledged == 1


def test_an_envelope_is_put_around_events_where_it_is_asked_for(
    broker: Broker, listener: Listener, outbox: Outbox
) -> None:
    with publishing(broker.settings, outbox, evolve(QUICK, cloudevents=True)) as publisher:
        connected(publisher)
        entry = outbox.put(alert(1))

        [message] = alerts_at(listener, 1)

        assert message.seq == entry.seq
        [payload] = listener.on(EVENTS)
        assert json.loads(payload)["type"] == "offbeat.anomaly.new"


@pytest.mark.parametrize(
    ("cloudevents", "told"), [(True, "application/cloudevents+json; charset=utf-8"), (False, None)]
)
def test_with_mqtt_5_an_envelope_says_what_it_is(broker: Broker, outbox: Outbox, cloudevents, told) -> None:
    heard: list[str | None] = []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_message = lambda *given: heard.append(getattr(given[2].properties, "ContentType", None))
    client.on_subscribe = lambda *_: outbox.put(alert(1))
    client.connect("127.0.0.1", broker.port)
    client.subscribe(EVENTS, 1)
    client.loop_start()
    with publishing(broker.settings, outbox, evolve(QUICK, cloudevents=cloudevents)):
        wait_for(lambda: heard, "the event")
    client.loop_stop()

    assert heard == [told]


def test_what_was_pending_when_the_connection_came_up_is_marked_replayed(
    broker: Broker, listener: Listener, outbox: Outbox
) -> None:
    outbox.put(alert(1))
    with publishing(broker.settings, outbox) as publisher:
        connected(publisher)
        alerts_at(listener, 1)
        outbox.put(alert(2))

        assert [message.replayed for message in alerts_at(listener, 2)] == [True, False]


def test_a_broker_that_is_absent_at_start_is_waited_for_and_told_of_once(
    make_broker: Callable[..., Broker], outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "edge.delivery")
    broker = make_broker(("allow_anonymous true", *PERSISTENT))
    with publishing(broker.settings, outbox) as publisher:
        outbox.put(alert(1))
        wait_for(lambda: "refused" in caplog.text, "the first refusal")
        broker.start()
        listener = broker.listen(EVENTS)
        connected(publisher)
        wait_for(lambda: drained(outbox), "the outbox to empty")
        listener.close()

    states = [record.message for record in caplog.records if record.name == "edge.delivery.link"]
    assert len(states) == 2, states
    assert f"127.0.0.1:{broker.port}" in states[0]


def test_events_put_while_the_broker_is_dead_arrive_once_in_order_and_replayed(
    broker: Broker, listener: Listener, outbox: Outbox
) -> None:
    with publishing(broker.settings, outbox) as publisher:
        connected(publisher)
        outbox.put(alert(0))
        alerts_at(listener, 1)
        wait_for(lambda: drained(outbox), "the first PUBACK")
        broker.kill()
        for number in range(1, 51):
            outbox.put(alert(number))
        wait_for(lambda: not publisher.connected, "the loss")
        broker.start()

        wait_for(lambda: drained(outbox), "the outbox to empty")
        messages = once(alerts_at(listener, 51))

        assert [message.event.id for message in messages] == [f"episode-{number}" for number in range(51)]
        assert [message.replayed for message in messages] == [False] + [True] * 50


def test_recovery_takes_under_ten_seconds_with_the_default_settings(
    broker: Broker, listener: Listener, outbox: Outbox
) -> None:
    with publishing(broker.settings, outbox, DeliverySettings()) as publisher:
        connected(publisher)
        broker.kill()
        outbox.put(alert(1))
        wait_for(lambda: not publisher.connected, "the loss")
        time.sleep(4.0)  # until the back-off is at its longest
        broker.start()

        alerts_at(listener, 1, timeout_s=10.0)


def test_a_hanging_broker_is_noticed_and_nothing_is_lost(broker: Broker, listener: Listener, outbox: Outbox) -> None:
    with publishing(broker.settings, outbox) as publisher:
        connected(publisher)
        broker.freeze()
        for number in range(30):
            outbox.put(alert(number))
        wait_for(lambda: not publisher.connected, "the time-out of the acknowledgement")
        broker.thaw()
        wait_for(lambda: drained(outbox), "the outbox to empty")

        messages = alerts_at(listener, 30)

        assert {message.seq for message in messages} == set(range(1, 31))


def test_second_copies_are_marked_replayed_when_acknowledgements_are_lost(
    broker: Broker, listener: Listener, outbox: Outbox
) -> None:
    proxy = MqttProxy(broker.port)
    with publishing(replace(broker.settings, port=proxy.port), outbox) as publisher:
        connected(publisher)
        proxy.lose_acknowledgements = True
        for number in range(5):
            outbox.put(alert(number))
        wait_for(lambda: publisher.counts().connections >= 3, "two reconnects")
        proxy.lose_acknowledgements = False
        wait_for(lambda: drained(outbox), "the outbox to empty")

    copies = [decode_message(payload) for topic, payload in proxy.published if topic.endswith("/event")]
    first_copies = {message.seq: index for index, message in reversed(list(enumerate(copies)))}
    assert len(copies) > 10
    assert all(message.replayed for index, message in enumerate(copies) if first_copies[message.seq] != index)
    assert {message.seq for message in alerts_at(listener, 5)} == {1, 2, 3, 4, 5}
    proxy.close()


def test_an_acknowledgement_that_later_ones_overtake_counts_as_lost(broker: Broker, outbox: Outbox) -> None:
    proxy = MqttProxy(broker.port)
    settings = replace(broker.settings, port=proxy.port)
    with publishing(settings, outbox, DeliverySettings(ack_timeout_s=3.0, retry_first_s=0.05)) as publisher:
        connected(publisher)
        proxy.lose_acknowledgements = True
        outbox.put(alert(1))
        wait_for(lambda: any(topic.endswith("/event") for topic, _ in proxy.published), "the event")
        wait_for(lambda: broker.log().count("Sending PUBACK") >= 2, "its acknowledgement")
        proxy.lose_acknowledgements = False
        numbers = itertools.count()

        def drained_beside_other_traffic() -> bool:
            publisher.retain(f"offbeat/gw-1/{next(numbers) % 50}/state", str(time.monotonic()).encode())
            return drained(outbox)

        wait_for(drained_beside_other_traffic, "the event to be sent again")
    proxy.close()


def test_a_restarted_process_marks_what_an_earlier_one_may_have_sent(
    broker: Broker, listener: Listener, tmp_path: Path
) -> None:
    proxy = MqttProxy(broker.port)
    proxy.lose_acknowledgements = True
    outbox = Outbox(tmp_path / "a.db")
    with publishing(replace(broker.settings, port=proxy.port), outbox, DeliverySettings()) as publisher:
        connected(publisher)
        outbox.put(alert(1))
        alerts_at(listener, 1)
    outbox.close()
    proxy.close()

    with publishing(broker.settings, Outbox(tmp_path / "a.db")):
        messages = alerts_at(listener, 2)

    assert [(message.seq, message.replayed) for message in messages] == [(1, False), (1, True)]
    assert messages[0].log == messages[1].log


def test_what_was_acknowledged_just_before_the_connection_broke_is_sent_again(broker: Broker, outbox: Outbox) -> None:
    proxy = MqttProxy(broker.port)
    settings = evolve(QUICK, confirm_after_s=60.0)
    with publishing(replace(broker.settings, port=proxy.port), outbox, settings) as publisher:
        connected(publisher)
        outbox.put(alert(1))
        wait_for(lambda: publisher.counts().acknowledged == 1, "the acknowledgement")
        assert outbox.counts().pending == 1, "a broker that dies now may not have written it"
        proxy.cut()
        wait_for(lambda: publisher.counts().acknowledged == 2, "the second acknowledgement")
        assert publisher.stop(), "a connection that ends as it should confirms what it has acknowledged"

    copies = [decode_message(payload) for topic, payload in proxy.published if topic.endswith("/event")]
    assert [(copy.seq, copy.replayed) for copy in copies] == [(1, False), (1, True)]
    assert outbox.counts().pending == 0


def test_an_acknowledgement_that_the_connection_outlives_is_final(broker: Broker, outbox: Outbox) -> None:
    with publishing(broker.settings, outbox, evolve(QUICK, confirm_after_s=0.3)) as publisher:
        connected(publisher)
        outbox.put(alert(1))

        wait_for(lambda: drained(outbox), "the confirmation")


def test_a_cut_connection_brings_no_flood_and_no_unmarked_copy(
    broker: Broker, listener: Listener, outbox: Outbox
) -> None:
    proxy = MqttProxy(broker.port)
    with publishing(replace(broker.settings, port=proxy.port), outbox) as publisher:
        connected(publisher)
        for number in range(200):
            outbox.put(alert(number))
            if number % 40 == 20:
                proxy.cut()
                wait_for(lambda: publisher.connected, "the next connection")
        wait_for(lambda: drained(outbox), "the outbox to empty")

    copies = [decode_message(payload) for topic, payload in proxy.published if topic.endswith("/event")]
    fresh = [message.seq for message in copies if not message.replayed]
    assert len(fresh) == len(set(fresh))
    assert {message.seq for message in alerts_at(listener, 200)} == set(range(1, 201))
    assert len(copies) <= 200 + 5 * QUICK.max_inflight, "only what was in flight is sent twice"
    proxy.close()


def test_no_more_than_the_limit_is_in_flight(broker: Broker, outbox: Outbox) -> None:
    proxy = MqttProxy(broker.port)
    settings = DeliverySettings(max_inflight=3, drain_per_s=2000, ack_timeout_s=60)
    with publishing(replace(broker.settings, port=proxy.port), outbox, settings) as publisher:
        connected(publisher)
        wait_for(lambda: publisher.counts().connected and len(proxy.published) == 1, "online")
        proxy.lose_acknowledgements = True
        for number in range(20):
            outbox.put(alert(number))
        sent = wait_for(lambda: len(proxy.published) == 4 and list(proxy.published), "the three in flight")
        time.sleep(0.2)  # nothing is to come

        assert proxy.published == sent
    proxy.close()


def test_a_backlog_drains_no_faster_than_allowed(broker: Broker, listener: Listener, outbox: Outbox) -> None:
    for number in range(40):
        outbox.put(alert(number))
    started = time.monotonic()
    with publishing(broker.settings, outbox, DeliverySettings(drain_per_s=50)):
        alerts_at(listener, 40)

    assert 39 / 50 <= time.monotonic() - started < 5


IN_ALARM = StreamState("ON", None, 2.0, (OpenEpisode("e1", "rule", "warning", 1.0, None, "flow", "max"),))


def test_retained_topics_are_current_again_after_the_broker_lost_them(
    make_broker: Callable[..., Broker], outbox: Outbox
) -> None:
    forgetful = make_broker().start()
    with publishing(forgetful.settings, outbox) as publisher:
        connected(publisher)
        publisher.info({"version": "1"})
        publisher.availability("pump1", True)
        publisher.state("pump1", StreamState("OFF", 0.1, 1.0))
        publisher.availability("pump1", False)
        forgetful.kill()
        publisher.state("pump1", IN_ALARM)
        wait_for(lambda: not publisher.connected, "the loss")
        forgetful.start()
        connected(publisher)

        wait_for(lambda: len(retained(forgetful)) == 4, "four retained topics")
        assert retained(forgetful) == {
            "offbeat/gw-1/status": b"online",
            "offbeat/gw-1/info": b'{"version":"1"}',
            "offbeat/gw-1/pump1/availability": b"offline",
            "offbeat/gw-1/pump1/state": encode_payload(state_to_dict(IN_ALARM)),
        }


def retained(broker: Broker) -> dict[str, bytes]:
    listener = broker.listen("offbeat/#")
    deadline = time.monotonic() + 0.3
    while time.monotonic() < deadline and len(listener.heard) < 4:
        time.sleep(0.01)
    listener.close()
    return {heard.topic: heard.payload for heard in listener.heard if heard.retained}


def test_state_goes_out_at_once_when_the_alarm_changes_and_else_at_most_once_a_period(
    broker: Broker, listener: Listener, outbox: Outbox
) -> None:
    def state(publisher: Publisher, anomaly: str, number: int) -> None:
        publisher.state("pump1", StreamState(anomaly, number, number))

    settings = DeliverySettings(state_every_s=0.5)
    with publishing(broker.settings, outbox, settings) as publisher:
        connected(publisher)
        for number in range(100):
            state(publisher, "OFF", number)
        state(publisher, "ON", 100)
        heard = wait_for(lambda: has(listener, b'"ON"') and listener.on(TOPICS.state("pump1")), "the alarm")
        assert len(heard) <= 4
        state(publisher, "ON", 101)
        wait_for(lambda: has(listener, b'"score":101'), "the last value, later")
        assert len(listener.on(TOPICS.state("pump1"))) <= 6


def has(listener: Listener, text: bytes) -> bool:
    return any(text in payload for payload in listener.on(TOPICS.state("pump1")))


def test_health_is_neither_retained_nor_queued_while_there_is_no_broker(
    make_broker: Callable[..., Broker], outbox: Outbox
) -> None:
    broker = make_broker()
    with publishing(broker.settings, outbox, QUICK) as publisher:
        for number in range(100):
            publisher.health({"number": number})
        broker.start()
        listener = broker.listen("#")
        connected(publisher)
        publisher.health({"number": 100})
        wait_for(lambda: b'{"number":100}' in listener.on(TOPICS.health), "health")

        assert len(listener.on(TOPICS.health)) <= 2
        assert not any(heard.retained for heard in listener.heard if heard.topic == TOPICS.health)
        listener.close()


def test_stop_sends_what_waits_then_says_offline_and_leaves(broker: Broker, listener: Listener, outbox: Outbox) -> None:
    publisher = Publisher(broker.settings, TOPICS, outbox, QUICK)
    for number in range(20):
        outbox.put(alert(number))
    publisher.start()

    assert publisher.stop(flush_s=5.0) is True

    wait_for(lambda: listener.heard[-1].payload == b"offline", "offline")
    assert len(listener.on(EVENTS)) == 20
    assert listener.on(TOPICS.status) == [b"online", b"offline"], "no last will after a goodbye"
    assert "delivery" not in [thread.name for thread in threading.enumerate()]


def test_stop_waits_no_longer_than_told_and_keeps_the_events(
    make_broker: Callable[..., Broker], tmp_path: Path
) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    publisher = Publisher(make_broker().settings, TOPICS, outbox, QUICK)
    publisher.start()
    outbox.put(alert(1))
    started = time.monotonic()

    assert publisher.stop(flush_s=0.3) is False

    assert time.monotonic() - started < 2
    assert len(outbox.pending(limit=10)) == 1


def test_stop_with_nothing_to_send_and_no_broker_is_immediate(
    make_broker: Callable[..., Broker], outbox: Outbox
) -> None:
    publisher = Publisher(make_broker().settings, TOPICS, outbox)
    publisher.start()
    started = time.monotonic()

    assert publisher.stop() is True

    assert time.monotonic() - started < 2


def test_the_last_will_says_offline_when_the_connection_breaks(
    broker: Broker, listener: Listener, outbox: Outbox
) -> None:
    proxy = MqttProxy(broker.port)
    settings = DeliverySettings(retry_first_s=60, retry_longest_s=60)
    with publishing(replace(broker.settings, port=proxy.port), outbox, settings) as publisher:
        connected(publisher)
        proxy.cut()
        wait_for(lambda: listener.on(TOPICS.status)[-1:] == [b"offline"], "the last will")
    proxy.close()


def test_a_crash_leaves_online_as_the_last_word_after_the_restart(
    broker: Broker, listener: Listener, outbox: Outbox
) -> None:
    proxy = MqttProxy(broker.port)
    with publishing(replace(broker.settings, port=proxy.port), outbox) as crashed:
        connected(crashed)
        wait_for(lambda: listener.on(TOPICS.status) == [b"online"], "its online")
        proxy.flowing.clear()  # half open: the broker does not know that nobody is there
        with publishing(broker.settings, outbox) as publisher:
            connected(publisher)
            wait_for(lambda: listener.on(TOPICS.status) == [b"online", b"offline", b"online"], "the will, then online")
    proxy.close()


def test_a_full_disk_delivers_with_durable_false(broker: Broker, listener: Listener, outbox: Outbox) -> None:
    with publishing(replace(broker.settings), outbox) as publisher:
        connected(publisher)
        outbox.put(alert(1))
        wait_for(lambda: drained(outbox), "the first PUBACK")
        with full_disk():
            outbox.put(alert(2))
            outbox.put(alert(3))
            wait_for(lambda: publisher.counts().acknowledged == 3, "both PUBACKs")
        outbox.put(alert(4))

        messages = alerts_at(listener, 4)

        assert [message.event.id for message in messages] == [f"episode-{number}" for number in range(1, 5)]
        assert [message.durable for message in messages] == [True, False, False, True]
        assert not any(message.replayed for message in messages)


def test_a_stream_whose_name_is_no_topic_blocks_nobody(broker: Broker, listener: Listener, outbox: Outbox) -> None:
    with publishing(broker.settings, outbox) as publisher:
        connected(publisher)
        outbox.put(alert(1, stream="a/#"))
        outbox.put(alert(2))

        assert [message.event.id for message in alerts_at(listener, 1)] == ["episode-2"]
        assert publisher.counts().unsendable == 1


def test_many_failed_attempts_leave_no_open_files(make_broker: Callable[..., Broker], outbox: Outbox) -> None:
    broker = make_broker()
    settings = DeliverySettings(retry_first_s=0.001, retry_longest_s=0.001)
    with publishing(broker.settings, outbox, settings):
        outbox.put(alert(1))
        before = len(os.listdir("/proc/self/fd"))
        time.sleep(0.5)

        assert len(os.listdir("/proc/self/fd")) <= before + 4


def ask(broker: Broker, command: str, body: Any, retain: bool = False) -> None:
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect(broker.settings.host, broker.port)
    client.loop_start()
    payload = body if isinstance(body, bytes) else json.dumps(body)
    client.publish(TOPICS.request(command), payload, qos=1, retain=retain).wait_for_publish(5)
    client.disconnect()
    client.loop_stop()


def answers(listener: Listener, command: str, count: int) -> list[dict[str, Any]]:
    wait_for(lambda: len(listener.on(TOPICS.response(command))) >= count, f"{count} answers to {command}")
    return [json.loads(payload) for payload in listener.on(TOPICS.response(command))]


def test_an_allowed_command_is_answered_with_its_transaction(
    broker: Broker, listener: Listener, outbox: Outbox
) -> None:
    requests = Requests(TOPICS, allow=["ping", "fail"])
    requests.register("ping", lambda fields: {"heard": fields["text"]})
    requests.register("fail", lambda _: 1 / 0)
    with publishing(broker.settings, outbox, requests=requests) as publisher:
        connected(publisher)
        wait_for(lambda: "request/+" in broker.log(), "the subscription")
        ask(broker, "ping", {"text": "hallo", "transaction": "t1"})
        ask(broker, "fail", {"transaction": [2]})

        assert answers(listener, "ping", 1) == [{"status": "ok", "data": {"heard": "hallo"}, "transaction": "t1"}]
        [failure] = answers(listener, "fail", 1)
        assert (failure["status"], failure["transaction"]) == ("error", [2])
        assert "ZeroDivisionError" in failure["message"]
        assert publisher.connected


def test_a_command_that_is_not_allowed_or_none_is_answered_so_and_not_carried_out(
    broker: Broker, listener: Listener, outbox: Outbox
) -> None:
    requests = Requests(TOPICS, allow=["ping"])
    requests.register("ping", lambda _: "pong")
    requests.register("restart", lambda _: pytest.fail("called"))
    with publishing(broker.settings, outbox, requests=requests) as publisher:
        connected(publisher)
        wait_for(lambda: "request/+" in broker.log(), "the subscription")
        ask(broker, "restart", {})
        ask(broker, "replay", {"since_seq": 0})
        ask(broker, "nonsense", {})
        ask(broker, "ping", b"")

        assert answers(listener, "ping", 1) == [{"status": "ok", "data": "pong", "transaction": None}]
        for command in ("restart", "replay", "nonsense"):
            [refusal] = answers(listener, command, 1)
            assert refusal["status"] == "error"
            assert "allowed: ['ping']" in refusal["message"]


def test_a_retained_request_is_not_carried_out_at_every_connection(
    broker: Broker, listener: Listener, outbox: Outbox
) -> None:
    ask(broker, "ping", {"transaction": "old"}, retain=True)
    requests = Requests(TOPICS, allow=["ping"])
    requests.register("ping", lambda _: "pong")
    with publishing(broker.settings, outbox, requests=requests) as publisher:
        connected(publisher)
        wait_for(lambda: "request/+" in broker.log(), "the subscription")
        ask(broker, "ping", {"transaction": "new"})

        assert [answer["transaction"] for answer in answers(listener, "ping", 1)] == ["new"]


def test_replay_sends_history_again_in_order_and_marked(broker: Broker, listener: Listener, outbox: Outbox) -> None:
    with publishing(broker.settings, outbox, requests=Requests(TOPICS, allow=["replay"])) as publisher:
        connected(publisher)
        for number in range(1, 6):
            outbox.put(alert(number))
        wait_for(lambda: drained(outbox), "five PUBACKs")
        ask(broker, "replay", {"since_seq": 3, "transaction": 1})
        wait_for(lambda: len(listener.on(EVENTS)) == 8, "three more")
        outbox.put(alert(6))

        messages = alerts_at(listener, 9)

        assert [message.seq for message in messages] == [1, 2, 3, 4, 5, 3, 4, 5, 6]
        assert [message.replayed for message in messages] == [False] * 5 + [True] * 3 + [False]
        [answer] = answers(listener, "replay", 1)
        assert answer == {"status": "ok", "data": {"log": outbox.log, "events": 3}, "transaction": 1}


@pytest.mark.parametrize("body", [b"[1]", b"nonsense", b"{}", b'{"since_seq":"x"}', b'{"since_seq":-1}'])
def test_a_replay_request_that_makes_no_sense_is_refused_with_the_remedy(
    broker: Broker, listener: Listener, outbox: Outbox, body: bytes
) -> None:
    with publishing(broker.settings, outbox, requests=Requests(TOPICS, allow=["replay"])) as publisher:
        connected(publisher)
        wait_for(lambda: "request/+" in broker.log(), "the subscription")
        ask(broker, "replay", body)

        assert [answer["status"] for answer in answers(listener, "replay", 1)] == ["error"]
        assert publisher.connected


def test_two_of_one_client_id_are_named_as_the_cause(
    broker: Broker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        publishing(broker.settings, Outbox(tmp_path / "a.db")),
        publishing(broker.settings, Outbox(tmp_path / "b.db")),
    ):
        wait_for(lambda: "does another client use the client id offbeat-gw-1?" in caplog.text, "the cause", 30.0)


def test_a_transaction_nested_deep_is_refused_and_breaks_nothing(
    broker: Broker, listener: Listener, outbox: Outbox
) -> None:
    requests = Requests(TOPICS, allow=["ping"])
    requests.register("ping", lambda _: "pong")
    with publishing(broker.settings, outbox, requests=requests) as publisher:
        connected(publisher)
        wait_for(lambda: "request/+" in broker.log(), "the subscription")
        for depth in (300, 600, 5_000, 30_000):
            ask(broker, "ping", b'{"transaction":' + b"[" * depth + b"]" * depth + b"}")
        ask(broker, "ping", {"transaction": 1})

        found = answers(listener, "ping", 5)
        assert [answer["status"] for answer in found] == ["error"] * 4 + ["ok"]
        assert publisher.counts().connections == 1


def test_a_flood_of_requests_is_answered_and_carried_out_at_a_bounded_rate(
    broker: Broker, listener: Listener, outbox: Outbox
) -> None:
    done: list[float] = []
    requests = Requests(TOPICS, allow=["ping"])
    requests.register("ping", lambda _: done.append(time.monotonic()))
    with publishing(broker.settings, outbox, requests=requests) as publisher:
        connected(publisher)
        wait_for(lambda: "request/+" in broker.log(), "the subscription")
        for number in range(60):
            ask(broker, "ping", {"transaction": number})

        found = answers(listener, "ping", 60)
        assert len(done) < 60
        assert {answer["status"] for answer in found} == {"ok", "error"}


def test_what_takes_longer_is_accepted_first_and_holds_up_no_alert(
    broker: Broker, listener: Listener, outbox: Outbox
) -> None:
    class Work:
        data: dict[str, Any] | None = None

        def result(self) -> dict[str, Any] | None:
            return self.data

    work, requests = Work(), Requests(TOPICS, allow=["long"])
    requests.register("long", lambda _: work)
    with publishing(broker.settings, outbox, requests=requests) as publisher:
        connected(publisher)
        wait_for(lambda: "request/+" in broker.log(), "the subscription")
        ask(broker, "long", {"transaction": 7})
        assert answers(listener, "long", 1) == [{"status": "accepted", "transaction": 7}]
        outbox.put(alert(1))
        wait_for(lambda: listener.on(TOPICS.event("pump1")), "the alert")

        work.data = {"n": 1}

        assert answers(listener, "long", 2)[1] == {"status": "ok", "data": {"n": 1}, "transaction": 7}


def test_a_live_alert_overtakes_a_replay(broker: Broker, listener: Listener, outbox: Outbox) -> None:
    requests, slow = Requests(TOPICS, allow=["replay"]), evolve(QUICK, drain_per_s=20.0)
    with publishing(broker.settings, outbox, slow, requests=requests) as publisher:
        connected(publisher)
        for number in range(30):
            outbox.put(alert(number))
        wait_for(lambda: outbox.counts().pending == 0, "thirty delivered")
        heard = len(listener.on(TOPICS.event("pump1")))
        ask(broker, "replay", {"since_seq": 1})
        wait_for(lambda: len(listener.on(TOPICS.event("pump1"))) > heard, "the replay")

        outbox.put(alert(99))

        wait_for(lambda: b"episode-99" in listener.on(TOPICS.event("pump1"))[-1], "the alert, among the replay", 0.5)
