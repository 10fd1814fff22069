"""Without a client id too nothing is lost while a reader is there, and once it has gone nothing is left behind."""

import gc
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from test_alert_reader import message, on_its_topic, send

from edge.mqtt.connection import Connection
from edge.mqtt.wishes import Wishes
from edge.watch.reader import AlertReader
from edge.wire.broker import BrokerSettings
from tests.helpers.agent import MQTT, PUMP, ROOT, config
from tests.helpers.from_a_terminal import from_a_terminal
from tests.helpers.mosquitto import Broker, wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

_SCRIPT = """
import sys, threading
from edge import AlertReader
from edge.wire.broker import BrokerSettings
broker = BrokerSettings(host="127.0.0.1", port=int(sys.argv[1]), protocol=sys.argv[2])
AlertReader(broker, lambda message, payload: print(message.seq, flush=True)).run(threading.Event())
"""
"""As somebody writes it who ends it with Ctrl-C."""


@pytest.fixture(params=["5", "3.1.1"])
def settings(request, broker: Broker) -> BrokerSettings:
    return replace(broker.settings, protocol=request.param)


@contextmanager
def reading(broker: Broker, settings: BrokerSettings) -> Iterator[tuple[AlertReader, list[int]]]:
    seen, stop = [], threading.Event()
    reader = AlertReader(settings, lambda received, _: seen.append(received.seq), hold_s=0.2)
    thread = threading.Thread(target=reader.run, args=(stop,), daemon=True)
    thread.start()
    try:
        wait_for(lambda: reader.connected and "offbeat/+/+/event" in broker.log(), "the subscription")
        yield reader, seen
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def cut(reader: AlertReader) -> None:
    """The link is lost, without a word."""
    connection = reader._connection
    assert connection is not None
    connection._socket().shutdown(socket.SHUT_RDWR)
    wait_for(lambda: not reader.connected, "the loss")


def kept_sessions(broker: Broker) -> list[str]:
    """Client ids of readers whose sessions the broker keeps, as it counts them."""
    named = set(re.findall(r"as (offbeat-reader-\w+)", broker.log()))
    assert named
    kept = []
    for name in named:
        connection = Connection(broker.settings, name, wishes=Wishes(session_s=1))
        connection.open(5.0)
        kept += [name] if connection.session_present else []
        connection.close(goodbye=True)
    return kept


def test_what_comes_while_the_link_is_lost_is_given_out(broker: Broker, settings: BrokerSettings) -> None:
    with reading(broker, settings) as (reader, seen):
        for lost in (1, 2, 3):
            cut(reader)
            send(broker, [on_its_topic(message(lost))])
            wait_for(lambda: len(seen) == lost, "the alert")  # noqa: B023
            wait_for(lambda: reader.connected, "the link")

    assert seen == [1, 2, 3]
    assert kept_sessions(broker) == []


def test_what_comes_before_a_killed_broker_is_found_again_is_given_out(
    broker: Broker, settings: BrokerSettings
) -> None:
    kept = broker.folder / "mosquitto.db"
    with reading(broker, settings) as (reader, seen):
        wait_for(lambda: kept.exists() and b"offbeat/+/+/event" in kept.read_bytes(), "a broker that would remember")
        for number in (1, 2, 3):
            broker.kill()
            wait_for(lambda: not reader.connected, "the loss")
            broker.start()
            send(broker, [on_its_topic(message(number))])
            wait_for(lambda: len(seen) == number, "the alert")  # noqa: B023
            wait_for(lambda: reader.connected, "the link")

    assert seen == [1, 2, 3]
    assert kept_sessions(broker) == []


def test_payloads_longer_than_any_of_an_agent_are_passed_over_and_hold_up_no_alert(
    broker: Broker, settings: BrokerSettings
) -> None:
    topic, _ = on_its_topic(message(1))
    with reading(broker, settings) as (reader, seen):
        send(broker, [(topic, b" " * 300_000)] * 25)  # more than are in flight at once
        send(broker, [(topic, b" " * 3_000_000), on_its_topic(message(1))])
        wait_for(lambda: seen == [1], "the alert")

    assert reader.counts["bad"] == 25 + (settings.protocol == "3.1.1"), "with 5 the broker is told to send none so long"
    assert kept_sessions(broker) == []


def test_a_reader_that_is_closed_while_its_link_is_lost_leaves_nothing(
    broker: Broker, settings: BrokerSettings
) -> None:
    raised, reader = [], None

    def lost(there: bool, _text: str) -> None:
        if not there:
            raised.append(OSError("on purpose"))
            raise raised[0]

    reader = AlertReader(settings, lambda *_: None, on_link=lost)

    def read() -> None:
        with pytest.raises(OSError, match="on purpose"):
            reader.run(threading.Event())

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    wait_for(lambda: reader.connected and "offbeat/+/+/event" in broker.log(), "the subscription")
    cut(reader)
    thread.join(10)
    assert raised
    assert len(kept_sessions(broker)) == 1, "it is run again, perhaps"

    reader.close()

    assert kept_sessions(broker) == []


def test_a_reader_that_raised_and_is_not_run_again_leaves_with_close(broker: Broker, settings: BrokerSettings) -> None:
    reader = raising(broker, settings)

    reader.close()

    assert kept_sessions(broker) == []


def test_a_reader_that_raised_and_that_nobody_has_any_more_leaves_nothing(
    broker: Broker, settings: BrokerSettings
) -> None:
    reader = raising(broker, settings)

    del reader
    gc.collect()

    assert kept_sessions(broker) == []


def raising(broker: Broker, settings: BrokerSettings) -> AlertReader:
    """One whose callback has raised."""

    def fail(*_) -> None:
        raise OSError("on purpose")

    reader = AlertReader(settings, fail)
    send_soon = threading.Timer(0.5, send, (broker, [on_its_topic(message(1))]))
    send_soon.start()
    with pytest.raises(OSError, match="on purpose"):
        reader.run(threading.Event())
    send_soon.join()
    return reader


def test_a_script_that_is_ended_by_ctrl_c_leaves_nothing(broker: Broker, settings: BrokerSettings) -> None:
    line = [sys.executable, "-c", _SCRIPT, str(broker.port), settings.protocol]
    with from_a_terminal(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT) as script:
        wait_for(lambda: "offbeat/+/+/event" in broker.log(), "the subscription")
        send(broker, [on_its_topic(message(1))])
        assert script.stdout is not None
        assert script.stdout.readline() == b"1\n"
        script.send_signal(signal.SIGINT)
        assert script.wait(10)

    assert kept_sessions(broker) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_watch_without_a_session_leaves_nothing_however_it_is_ended(broker: Broker, tmp_path, number) -> None:
    with _watching(broker, tmp_path) as watching:
        watching.send_signal(number)
        assert watching.wait(10) == 0

    assert kept_sessions(broker) == []


def test_watch_goes_on_without_its_terminal_where_it_was_started_so(broker: Broker, tmp_path) -> None:
    with _watching(broker, tmp_path, ignored=[signal.SIGHUP]) as watching:
        watching.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            watching.wait(1)
        watching.terminate()
        assert watching.wait(10) == 0


@contextmanager
def _watching(broker: Broker, folder: Path, ignored: Sequence[signal.Signals] = ()) -> Iterator[subprocess.Popen]:
    (folder / "agent.toml").write_text(config(broker.port, MQTT, PUMP, broker='protocol = "3.1.1"'))
    write_tiny_bundle(folder / "tiny")
    line = [sys.executable, "-m", "edge", "watch", "--no-session", "--config", str(folder / "agent.toml")]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with from_a_terminal(line, ignored, **quiet, cwd=ROOT) as watching:
        wait_for(lambda: "offbeat/gw-1/+/event" in broker.log(), "the subscription")
        yield watching
