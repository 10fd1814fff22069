"""Each alert is given out until its callback has returned once, whatever it raises and whatever the broker does."""

import threading
from dataclasses import replace

import pytest
from test_alert_reader import message, on_its_topic, send

from edge.watch.reader import AlertReader
from tests.helpers.failing_reader import ERRORS, read_through_failures
from tests.helpers.mosquitto import Broker, executable, missing, wait_for


def test_no_alert_is_lost_by_a_callback_that_fails_and_a_broker_that_is_killed(tmp_path) -> None:
    """The whole, 1,000 alerts and 20 kills: `python -m tests.attack --only reader`."""
    if executable() is None:
        missing("mosquitto (Debian: apt-get install mosquitto)")

    outcome = read_through_failures(tmp_path, alerts=150, kills=5, timeout_s=60.0)

    assert outcome.lost == []
    assert outcome.raised
    assert outcome.surfaced == outcome.raised, "each comes out of run once, as it is"
    assert not any("on purpose" in text for text in outcome.blamed), "none is taken for the broker's"


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_what_a_callback_raises_is_the_callers_and_the_alert_comes_again(broker: Broker, kind) -> None:
    raised, seen, links, stop = [], [], [], threading.Event()

    def callback(received, _payload) -> None:
        if not raised:
            raised.append(kind("on purpose"))
            raise raised[0]
        seen.append(received.seq)
        stop.set()

    reader = AlertReader(broker.settings, callback, on_link=lambda *link: links.append(link), hold_s=0.1)
    caught: list[BaseException] = []

    def read() -> None:
        for _ in range(2):
            try:
                reader.run(stop)
            except BaseException as error:
                caught.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    wait_for(lambda: reader.connected and "offbeat/+/+/event" in broker.log(), "the subscription")
    send(broker, [on_its_topic(message(1))])
    thread.join(15)

    assert caught == raised
    assert seen == [1]
    assert all(there for there, _ in links)


def test_a_callback_of_states_that_fails_loses_no_alert(broker: Broker) -> None:
    seen, failures, stop = [], [], threading.Event()

    def fail(*_) -> None:
        raise OSError("on purpose")

    settings = replace(broker.settings, client_id="logbook")
    reader = AlertReader(settings, lambda received, _: seen.append(received.seq), on_state=fail)

    def read() -> None:
        while not stop.is_set():
            try:
                reader.run(stop)
            except OSError as error:
                failures.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    wait_for(lambda: reader.connected and "offbeat/+/+/event" in broker.log(), "the subscription")
    send(broker, [("offbeat/gw-1/pump1/state", b"{}")])
    wait_for(lambda: failures, "the failure")
    wait_for(lambda: reader.connected, "the next connection")
    send(broker, [on_its_topic(message(1))])

    wait_for(lambda: seen == [1], "the alert")
    stop.set()
    thread.join(10)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_without_a_client_id_too_what_comes_while_the_callback_fails_is_not_lost(broker: Broker, protocol) -> None:
    seen, failed, go_on, stop = [], threading.Event(), threading.Event(), threading.Event()

    def callback(received, _payload) -> None:
        if not failed.is_set():
            failed.set()
            raise MemoryError("on purpose")
        seen.append(received.seq)

    reader = AlertReader(replace(broker.settings, protocol=protocol), callback)

    def read() -> None:
        while not stop.is_set():
            try:
                reader.run(stop)
            except MemoryError:
                go_on.wait(20)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    wait_for(lambda: reader.connected and "offbeat/+/+/event" in broker.log(), "the subscription")
    send(broker, [on_its_topic(message(1))])
    assert failed.wait(10)
    send(broker, [on_its_topic(message(number)) for number in (2, 3, 4)])
    go_on.set()

    wait_for(lambda: seen == [1, 2, 3, 4], "the alerts")
    stop.set()
    thread.join(10)
