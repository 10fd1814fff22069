"""Alerts to a webhook, a file and people: real servers, which fail at first, and a broker that is killed meanwhile."""

import hashlib
import hmac
import json
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from edge import AlertReader
from edge.examples.log_to_sqlite import Table
from edge.examples.send_webhook import Webhook
from edge.wire.events import EventMessage, encode_message
from edge.wire.topics import DeviceTopics
from tests.helpers.alerts import alert
from tests.helpers.documents import ROOT
from tests.helpers.mosquitto import PERSISTENT, Broker, executable, missing, wait_for
from tests.helpers.page import Device

SECRET = b"a secret"


class Server(ThreadingHTTPServer):
    """Answers 503 so often, then 200; keeps what was posted."""

    def __init__(self, failures: int = 0, code: int = 503) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.failures, self.code = failures, code
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.tried = 0


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.tried += 1
        fails = self.server.tried <= self.server.failures
        if not fails:
            self.server.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
        if fails and self.server.code == 0:
            return self.wfile.write(b"no HTTP\r\n\r\n")
        self.send_response(self.server.code if fails else 200)
        self.send_header("content-type", "application/json")
        if fails and self.server.code // 100 == 3:
            self.send_header("location", "/elsewhere")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_) -> None:
        pass


@contextmanager
def serving(server: Server) -> Iterator[str]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def lasting(tmp_path) -> Iterator[Broker]:
    if executable() is None:
        missing("mosquitto (Debian: apt-get install mosquitto)")
    broker = Broker(tmp_path, ("allow_anonymous true", *PERSISTENT)).start()
    yield broker
    broker.kill()


def message(seq: int) -> EventMessage:
    return EventMessage(alert(seq), "gw-1", "log", seq)


def publish(broker: Broker, *numbers: int) -> None:
    device = Device(broker)
    for seq in numbers:
        device.says(DeviceTopics("gw-1").event("pump1"), encode_message(message(seq)), retain=False, root="")
    device.close()


@contextmanager
def reading(broker: Broker, callback, stop: threading.Event) -> Iterator[AlertReader]:
    reader = AlertReader(replace(broker.settings, client_id="program"), callback, hold_s=0.2)
    thread = threading.Thread(target=reader.run, args=(stop,), daemon=True)
    thread.start()
    wait_for(lambda: reader.connected and "offbeat/+/+/event" in broker.log(), "the subscription")
    yield reader
    stop.set()
    thread.join(10)


def test_a_webhook_gets_every_alert_signed_through_failures_and_a_killed_broker(lasting):
    server, stop = Server(failures=3), threading.Event()
    with serving(server) as at, reading(lasting, Webhook(f"http://{at}/alerts", SECRET, stop, 0.05), stop) as reader:
        publish(lasting, 1, 2)
        wait_for(lambda: len(server.taken) == 2, "two alerts")
        lasting.kill()
        lasting.start()
        wait_for(lambda: reader.connected, "the next connection")
        publish(lasting, 3)
        wait_for(lambda: len({headers["idempotency-key"] for headers, _ in server.taken}) == 3, "three alerts")

    assert server.tried >= 6
    for headers, body in server.taken:
        wanted = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
        assert headers["x-offbeat-signature"] == f"sha256={wanted}"
        assert headers["idempotency-key"] == f"gw-1-log-{json.loads(body)['seq']}"


def test_a_webhook_that_refuses_an_alert_does_not_hold_up_the_next():
    server, stop = Server(failures=1, code=400), threading.Event()
    with serving(server) as at:
        webhook = Webhook(f"http://{at}/", SECRET, stop, 0.05)
        for seq in (1, 2):
            webhook(message(seq), encode_message(message(seq)))

    assert [json.loads(body)["seq"] for _, body in server.taken] == [2]


@pytest.mark.parametrize("code", [0, 301, 302, 308, 401, 403, 404, 410, 429, 500])
def test_whatever_a_webhook_s_receiver_answers_for_a_while_loses_no_alert(code):
    server, stop = Server(failures=2, code=code), threading.Event()
    with serving(server) as at:
        Webhook(f"http://{at}/", SECRET, stop, 0.02)(message(1), encode_message(message(1)))

    assert [json.loads(body)["seq"] for _, body in server.taken] == [1]


def test_a_log_of_any_name_makes_a_header():
    server, stop = Server(), threading.Event()
    with serving(server) as at:
        one = replace(message(1), log="l\r\nX-Other: 1 m\u00fc\u65e5")
        Webhook(f"http://{at}/", SECRET, stop, 0.02)(one, encode_message(one))

    ((headers, _),) = server.taken
    assert "x-other" not in headers
    assert headers["idempotency-key"].startswith("gw-1-l%0D%0A")


def test_a_webhook_that_is_stopped_meanwhile_leaves_the_alert_unread():
    stop = threading.Event()
    stop.set()

    with pytest.raises(InterruptedError):
        Webhook("http://127.0.0.1:9/", SECRET, stop)(message(1), b"{}")


def test_a_file_has_every_alert_once(tmp_path):
    for _ in range(2):  # a restart, and all of it sent once more
        database = sqlite3.connect(tmp_path / "alerts.db")
        table = Table(database)
        for seq in (1, 2, 2):
            table(message(seq), encode_message(message(seq)))
        database.close()

    rows = sqlite3.connect(tmp_path / "alerts.db").execute("SELECT seq, payload FROM alerts ORDER BY seq").fetchall()
    assert [seq for seq, _ in rows] == [1, 2]
    assert json.loads(rows[0][1])["device"] == "gw-1"


@pytest.mark.parametrize("payload", [b"\xff\xfe{", "{}".encode("utf-16"), b'{"id":"\xed\xa0\x80"}'])
def test_a_file_takes_what_is_no_utf_8(tmp_path, payload):
    with sqlite3.connect(tmp_path / "alerts.db") as database:
        Table(database)(message(1), payload)

        assert database.execute("SELECT seq FROM alerts").fetchall() == [(1,)]


def grouped(number: int) -> EventMessage:
    one = replace(alert(number), id=f"e{number}", stream=f"pump{number}", event_type="new", group="g", end_time=None)
    return EventMessage(one, "gw-1", "log", number)


_PROGRAM = """
import sys, threading, time
from edge.examples.notify_people import People
from tests.edge.examples.test_to_people_and_programs import grouped
people = People(sys.argv[2:], threading.Event(), first_wait_s=0.05)
for number in range(int(sys.argv[1])):
    people.alert(grouped(number + 1), b"")
until = time.monotonic() + 0.5
while time.monotonic() < until:
    people.turn()
    time.sleep(0.02)
"""


def tell(address: str, alerts: int, *others: str) -> None:
    """As the program does, in a process of its own: Apprise keeps what it loads for a whole process."""
    line = [sys.executable, "-c", _PROGRAM, str(alerts), address, *others]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_people_are_told_once_of_twenty_streams_by_a_service_that_fails_at_first():
    pytest.importorskip("apprise")

    server = Server(failures=2)
    with serving(server) as at:
        tell(f"json://{at}/", 20)

    assert len(server.taken) == 1
    assert server.tried == 3
    assert "pump1" in json.loads(server.taken[0][1])["title"]


def test_an_address_that_fails_holds_up_no_other_and_gets_what_it_is_owed():
    pytest.importorskip("apprise")

    good, bad, dead = Server(), Server(failures=3), Server(failures=10_000)
    with serving(good) as at, serving(bad) as bad_at, serving(dead) as dead_at:
        tell(f"json://{bad_at}/", 20, f"json://{dead_at}/", f"json://{at}/")

    assert [len(server.taken) for server in (good, bad, dead)] == [1, 1, 0], "each once, not again with each try"
    assert bad.tried == 4


def test_people_are_told_once_by_ntfy_with_title_and_priority():
    pytest.importorskip("apprise")

    server = Server(failures=1)
    with serving(server) as at:
        tell(f"ntfy://{at}/pumps?priority=high", 20)

    ((headers, body),) = server.taken
    said = json.loads(body)
    assert (said["topic"], said["title"], headers["x-priority"]) == ("pumps", "gw-1/pump1: warning", "high")
    assert server.tried == 2, "it was tried again"


def test_people_are_told_by_mail():
    pytest.importorskip("apprise")
    controllers = pytest.importorskip("aiosmtpd.controller")

    got: list[bytes] = []

    class Post:
        async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
            got.append(envelope.content)
            return "250 OK"

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = controllers.Controller(Post(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        address = f"mailto://127.0.0.1:{port}/?from=offbeat@example.org&to=ada@example.org&smtp=127.0.0.1"
        tell(address, 1)
    finally:
        controller.stop()

    (mail,) = got
    assert b"ada@example.org" in mail
    assert b"pump1" in mail


def test_an_address_that_no_service_knows_is_refused():
    pytest.importorskip("apprise")
    from edge.examples.notify_people import People

    with pytest.raises(ValueError, match="pigeon"):
        People(["pigeon://roof"], threading.Event())
