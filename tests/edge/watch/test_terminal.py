"""`watch` in a real process: on a pipe, on a pseudo-terminal, and when nobody reads any more."""

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest
from test_alert_reader import message, on_its_topic, send

from edge.watch.display import use_colour
from edge.watch.lines import escaped
from edge.wire.events import EventMessage, decode_message, encode_message
from tests.helpers.alerts import alert
from tests.helpers.mosquitto import Broker, wait_for

PROGRAM = """
import signal, sys, threading
sys.path[:0] = {paths!r}
from edge.watch.terminal import watch
from edge.wire.broker import BrokerSettings
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
watch(BrokerSettings(host="127.0.0.1", port={port}), "offbeat", "+", {as_json}, stop)
"""


@contextmanager
def watching(
    broker: Broker, out: int, as_json: bool = False, **environment: str
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """The process and its standard error, once it has subscribed."""
    program = PROGRAM.format(paths=sys.path, port=broker.port, as_json=as_json)
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=out, stderr=subprocess.PIPE, env={**kept, "TZ": "UTC", **environment}
    )
    assert process.stderr is not None
    try:
        wait_for(lambda: "offbeat/+/status (QoS 0)" in broker.log(), "the subscription")
        yield process, process.stderr
    finally:
        process.terminate()
        process.wait(10)
        process.stderr.close()


def test_json_lines_are_the_payloads_once_each(broker: Broker) -> None:
    payload = encode_message(message(1))[:-1] + b',\n "newer_key": 1}'
    with watching(broker, subprocess.PIPE, as_json=True) as (process, _):
        assert process.stdout is not None
        send(broker, [("offbeat/gw-1/pump1/event", payload)] * 2 + [on_its_topic(message(2))])

        lines = [process.stdout.readline() for _ in range(2)]

    assert json.loads(lines[0])["newer_key"] == 1
    assert [decode_message(each).seq for each in lines] == [1, 2]
    assert process.returncode == 0, "SIGTERM ends it tidily"


def test_lines_on_a_pipe_have_no_colour_and_notes_go_to_standard_error(broker: Broker) -> None:
    with watching(broker, subprocess.PIPE) as (process, notes):
        assert process.stdout is not None
        send(broker, [("offbeat/gw-1/status", b"online"), on_its_topic(message(1))])

        line = process.stdout.readline()
        said = [notes.readline() for _ in range(2)]

    assert b"gw-1/pump1        NEW     warning   score 1.50" in line
    assert said == [b"watching 127.0.0.1:%d\n" % broker.port, b"gw-1 is online\n"]


def on_a_terminal(broker: Broker, **environment: str) -> bytes:
    master, slave = pty.openpty()
    with watching(broker, slave, **environment):
        send(broker, [on_its_topic(message(1))])
        shown = b""
        while not shown.endswith(b"\n"):
            shown += os.read(master, 4096)
    os.close(master)
    os.close(slave)
    return shown


def test_a_terminal_gets_colour(broker: Broker) -> None:
    assert b"\x1b[31mNEW   \x1b[0m" in on_a_terminal(broker, TERM="xterm")


def test_no_color_is_honoured(broker: Broker) -> None:
    assert b"\x1b" not in on_a_terminal(broker, TERM="xterm", NO_COLOR="1")


def test_a_dumb_terminal_and_an_empty_no_color_are_told_apart() -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    assert use_colour(Terminal(), {"TERM": "xterm", "NO_COLOR": ""})  # type: ignore[arg-type]
    assert not use_colour(Terminal(), {"TERM": "dumb"})  # type: ignore[arg-type]


def test_a_terminal_that_cannot_show_a_unit_gets_a_question_mark(broker: Broker) -> None:
    hot = EventMessage(alert(1), "gw-1", "log", 1)
    payload = encode_message(hot).replace(b"mm/s", "°C".encode())
    with watching(broker, subprocess.PIPE, PYTHONIOENCODING="ascii") as (process, _):
        assert process.stdout is not None
        send(broker, [("offbeat/gw-1/pump1/event", payload)])

        assert b"vibration 4.9 ?C" in process.stdout.readline()


def test_it_ends_quietly_when_nobody_reads_its_output(broker: Broker) -> None:
    with watching(broker, subprocess.PIPE) as (process, notes):
        assert process.stdout is not None
        process.stdout.close()
        deadline = time.monotonic() + 10
        while process.poll() is None and time.monotonic() < deadline:
            send(broker, [on_its_topic(message(1 + int(time.monotonic() * 1000)))])
        assert process.returncode == 0
        assert b"Error" not in notes.read()


@pytest.mark.parametrize("mark", ["\x07", "\x1b", "\x7f", "\x9b", "\u202e", "\u2066", "\u2028"])
def test_nothing_that_steers_a_terminal_leaves_json_and_it_stays_the_same_json(mark):
    payload = json.dumps({"channel": f"a{mark}b"}, ensure_ascii=False).encode()

    shown = escaped(payload)

    assert shown.isprintable()
    assert json.loads(shown) == json.loads(payload)


@pytest.mark.parametrize(
    ("options", "status", "shown"),
    [
        (["--until-event"], 0, ["one"]),
        (["--until-event", "--stream", "two"], 0, ["two"]),
        (["--until-event", "--severity", "critical", "--timeout", "2"], 1, []),
        (["--timeout", "2"], 0, ["one", "two"]),
    ],
)
def test_watch_ends_and_shows_as_it_is_asked(broker: Broker, options, status, shown) -> None:
    line = [sys.executable, "-m", "edge", "watch", "--json", "--host", "127.0.0.1", "--port", str(broker.port)]
    watching = subprocess.Popen(line + options, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: "offbeat/+/+/event" in broker.log(), "the subscription")
    both = enumerate(("one", "two"), start=1)
    messages = [EventMessage(alert(1, stream=name), "gw-1", "log", number) for number, name in both]

    send(broker, [on_its_topic(each) for each in messages])

    out, _ = watching.communicate(timeout=20)
    assert [json.loads(each)["stream"] for each in out.splitlines()] == shown
    assert watching.returncode == status
