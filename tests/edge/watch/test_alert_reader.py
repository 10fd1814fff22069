"""The reader against a real Mosquitto: garbage, second copies, restarts."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import paho.mqtt.client as paho
import pytest

from edge.watch.reader import AlertReader
from edge.wire.broker import BrokerSettings
from edge.wire.events import EventMessage, encode_message
from edge.wire.topics import DeviceTopics
from tests.helpers.alerts import alert
from tests.helpers.mosquitto import Broker, wait_for


class Reading:
    """A reader in a thread, and what it said."""

    def __init__(self, broker: BrokerSettings, **options: Any) -> None:
        self.events: list[EventMessage] = []
        self.states: list[tuple[str, str, dict[str, Any]]] = []
        self.statuses: list[tuple[str, bool]] = []
        self.links: list[tuple[bool, str]] = []
        self.reader = AlertReader(
            broker,
            lambda message, _: self.events.append(message),
            on_state=lambda *state: self.states.append(state),
            on_status=lambda *status: self.statuses.append(status),
            on_link=lambda *link: self.links.append(link),
            **options,
        )

    @property
    def ids(self) -> list[str]:
        return [message.event.id for message in self.events]


@contextmanager
def reading(broker: BrokerSettings, **options: Any) -> Iterator[Reading]:
    stop, what = threading.Event(), Reading(broker, **options)
    thread = threading.Thread(target=what.reader.run, args=(stop,), daemon=True)
    thread.start()
    try:
        yield what
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive(), "stop ends the reader"


def message(seq: int, device: str = "gw-1", **fields: Any) -> EventMessage:
    return EventMessage(alert(seq, **fields), device, "log", seq)


def send(broker: Broker, messages: Sequence[tuple[str, bytes]], retain: bool = False) -> None:
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect(broker.settings.host, broker.port)
    client.loop_start()
    for topic, payload in messages:
        client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)
    client.disconnect()
    client.loop_stop()


def on_its_topic(sent: EventMessage) -> tuple[str, bytes]:
    return DeviceTopics(sent.device).event(sent.event.stream), encode_message(sent)


def subscribed(broker: Broker, reader: Reading) -> None:
    wait_for(lambda: reader.reader.connected and "offbeat/+/status (QoS 0)" in broker.log(), "the subscription")


def test_alerts_come_once_and_in_order(broker: Broker) -> None:
    with reading(broker.settings, hold_s=30.0) as reader:
        subscribed(broker, reader)
        send(broker, [on_its_topic(message(seq)) for seq in (1, 2, 2, 4, 1, 3, 5)])

        wait_for(lambda: len(reader.events) >= 5, "five alerts")
        assert [each.seq for each in reader.events] == [1, 2, 3, 4, 5]
        assert reader.reader.counts["duplicates"] == 2


def test_a_number_that_never_comes_holds_nothing_up_for_long(broker: Broker) -> None:
    with reading(broker.settings, hold_s=0.1) as reader:
        subscribed(broker, reader)
        send(broker, [on_its_topic(message(seq)) for seq in (1, 3)])

        wait_for(lambda: len(reader.events) == 2, "both alerts")
        assert reader.reader.counts["missing"] == 1


def test_garbage_is_counted_and_passed_over(broker: Broker) -> None:
    topic, payload = on_its_topic(message(1))
    garbage = [
        (topic, b""),
        (topic, b"\xff\xfe"),
        (topic, b'{"schema":1}'),
        ("offbeat/gw-2/pump1/event", payload),
        ("offbeat/gw-1/pump2/event", payload),
        ("offbeat/gw-1/pump1/state", b"ON"),
    ]
    with reading(broker.settings) as reader:
        subscribed(broker, reader)
        send(broker, [*garbage, (topic, payload)])

        wait_for(lambda: reader.events, "the alert")
        assert reader.ids == ["episode-1"]
        assert reader.reader.counts["bad"] == len(garbage)


def test_a_retained_alert_is_of_another_day_and_passed_over(broker: Broker) -> None:
    send(broker, [on_its_topic(message(1))], retain=True)
    with reading(broker.settings) as reader:
        wait_for(lambda: reader.reader.counts["retained"], "the retained one")
        send(broker, [on_its_topic(message(2))])

        wait_for(lambda: reader.events, "the fresh one")
        assert reader.ids == ["episode-2"]


def test_state_and_status_are_told(broker: Broker) -> None:
    send(broker, [("offbeat/gw-1/status", b"online"), ("offbeat/gw-1/pump1/state", b'{"anomaly":"ON"}')], retain=True)
    with reading(broker.settings) as reader:
        wait_for(lambda: reader.states and reader.statuses, "both")
        send(broker, [("offbeat/gw-1/status", b"offline")])

        wait_for(lambda: len(reader.statuses) == 2, "offline")
        assert reader.states == [("gw-1", "pump1", {"anomaly": "ON"})]
        assert reader.statuses == [("gw-1", True), ("gw-1", False)]


def test_one_device_of_another_root_is_read_alone(broker: Broker) -> None:
    with reading(broker.settings, root="plant/7", device="gw-1") as reader:
        wait_for(lambda: "plant/7/gw-1/status (QoS 0)" in broker.log(), "the subscription")
        for root in ("offbeat", "plant/7"):
            for device in ("gw-2", "gw-1"):
                sent = message(1, device)
                send(broker, [(DeviceTopics(device, root).event("pump1"), encode_message(sent))])

        wait_for(lambda: reader.events, "the alert")
        assert [each.device for each in reader.events] == ["gw-1"]


def test_open_episodes_are_followed(broker: Broker) -> None:
    with reading(broker.settings) as reader:
        subscribed(broker, reader)
        send(broker, [on_its_topic(message(1, episode="e1")), on_its_topic(message(2, episode="e2"))])
        send(broker, [on_its_topic(message(3, event_type="end", episode="e1"))])

        wait_for(lambda: len(reader.events) == 3, "three alerts")
        assert [each.event.id for each in reader.reader.open_episodes] == ["e2"]


def test_a_reader_with_a_client_id_misses_nothing_while_the_broker_restarts(broker: Broker) -> None:
    with reading(replace(broker.settings, client_id="logbook")) as reader:
        subscribed(broker, reader)
        send(broker, [on_its_topic(message(1))])
        wait_for(lambda: reader.events, "the first")
        broker.kill()
        wait_for(lambda: not reader.reader.connected, "the loss")
        broker.start()
        send(broker, [on_its_topic(message(seq)) for seq in (2, 3)])

        wait_for(lambda: len(reader.events) == 3, "all three")
        assert [each.seq for each in reader.events] == [1, 2, 3]
        assert reader.links[0][0] is reader.links[-1][0] is True
        assert len(reader.links) >= 3, "there, gone, there again"


def test_what_came_while_the_reader_was_away_is_given_to_its_next_run(broker: Broker) -> None:
    settings = replace(broker.settings, client_id="logbook")
    with reading(settings) as reader:
        subscribed(broker, reader)
    send(broker, [on_its_topic(message(1))])

    with reading(settings) as reader:
        wait_for(lambda: reader.ids == ["episode-1"], "what the broker kept")


def test_an_absent_broker_is_waited_for_and_told_of_once(make_broker: Callable[..., Broker]) -> None:
    broker = make_broker()
    with reading(broker.settings) as reader:
        wait_for(lambda: reader.links, "the refusal")
        broker.start()
        wait_for(lambda: reader.reader.connected, "the connection")
        send(broker, [on_its_topic(message(1))])
        wait_for(lambda: reader.events, "the alert")

    assert [there for there, _ in reader.links] == [False, True]
    assert "refused" in reader.links[0][1]


def test_a_wrong_password_is_told(make_broker: Callable[..., Broker]) -> None:
    broker = make_broker(("allow_anonymous false",)).start()
    with reading(broker.settings) as reader:
        wait_for(lambda: reader.links, "the refusal")

    assert "ot authori" in reader.links[0][1]


def test_an_exception_of_a_callback_reaches_the_caller(broker: Broker) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("full")

    send_soon = threading.Timer(0.5, send, (broker, [on_its_topic(message(1))]))
    send_soon.start()
    with pytest.raises(RuntimeError, match="full"):
        AlertReader(broker.settings, fail).run(threading.Event())
    send_soon.join()
