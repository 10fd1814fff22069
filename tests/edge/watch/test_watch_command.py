"""`offbeat-edge watch` as a command: what it says at start and meanwhile, what it goes on with, how it ends."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread

import pytest
from test_alert_reader import message, on_its_topic, send

from edge.commands.watch_options import since_time
from edge.config.errors import ConfigError
from edge.delivery.outbox import Outbox
from edge.delivery.publisher import Publisher
from edge.delivery.requests import Requests
from edge.watch.lines import cells, wrapped
from edge.watch.session import WatchSession
from edge.wire.events import EventMessage, encode_message
from edge.wire.topics import DeviceTopics
from tests.helpers.alerts import alert
from tests.helpers.mosquitto import Broker, wait_for


@dataclass
class Watch:
    """The process and what it has printed so far."""

    process: subprocess.Popen[str]
    out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def noted(self, *words: str) -> str:
        """The first note with all of these words."""
        found = wait_for(
            lambda: [line for line in self.notes if all(word in line for word in words)], f"{words} in {self.notes}"
        )
        return found[0]


@contextmanager
def watch(broker: Broker, *options: str, out: int = subprocess.PIPE) -> Iterator[Watch]:
    """`watch --json`, once it has subscribed."""
    line = [sys.executable, "-m", "edge", "watch", "--host", "127.0.0.1", "--port", str(broker.port), *options]
    before = broker.log().count("offbeat/+/status (QoS 0)")
    with subprocess.Popen(line, stdout=out, stderr=subprocess.PIPE, text=True) as process:
        watching = Watch(process)
        kept = [(process.stdout, watching.out), (process.stderr, watching.notes)]
        threads = [Thread(target=_collect, args=pair, daemon=True) for pair in kept if pair[0] is not None]
        for thread in threads:
            thread.start()
        try:
            wait_for(lambda: broker.log().count("offbeat/+/status (QoS 0)") > before, f"{watching.notes}")
            yield watching
        finally:
            process.terminate()
            process.wait(10)
            for thread in threads:
                thread.join(5)


def _collect(stream, to: list[str]) -> None:
    with suppress(ValueError):
        for line in stream:
            to.append(line.rstrip("\n"))


def seqs(watching: Watch) -> list[int]:
    return [json.loads(line)["seq"] for line in watching.out]


@pytest.fixture
def gateway(broker: Broker, tmp_path) -> Iterator[Callable[..., Outbox]]:
    """Makes a device that publishes its outbox and answers the requests that it is given."""
    made: list[tuple[Publisher, Outbox]] = []

    def make(allow: tuple[str, ...] = ("replay",)) -> Outbox:
        topics, outbox = DeviceTopics("gw-1"), Outbox(tmp_path / "outbox.db")
        publisher = Publisher(broker.settings, topics, outbox, requests=Requests(topics, allow))
        publisher.start()
        made.append((publisher, outbox))
        wait_for(lambda: publisher.connected, "the device")
        return outbox

    yield make
    for publisher, outbox in made:
        publisher.stop()
        outbox.close()


def test_watch_piped_to_head_ends_with_the_line_and_not_with_the_next_alert(broker: Broker) -> None:
    line = f"{sys.executable} -m edge watch --host 127.0.0.1 --port {broker.port}"
    process = subprocess.Popen(["bash", "-c", f"{line} | head -1; exit ${{PIPESTATUS[0]}}"], stdout=subprocess.PIPE)
    wait_for(lambda: "offbeat/+/status (QoS 0)" in broker.log(), "the subscription")
    send(broker, [on_its_topic(message(1))])

    out, _ = process.communicate(timeout=10)

    assert out.count(b"\n") == 1
    assert process.returncode == 0


def test_what_came_while_watch_was_away_is_shown_when_it_is_back(broker: Broker) -> None:
    with watch(broker, "--json") as first:
        send(broker, [on_its_topic(message(1))])
        wait_for(lambda: first.out, "the first alert")
    send(broker, [on_its_topic(message(seq)) for seq in (2, 3)])

    with watch(broker, "--json") as second:
        wait_for(lambda: len(second.out) == 2, "what the broker kept")
        assert seqs(second) == [2, 3]


def test_without_a_session_only_what_comes_meanwhile_is_shown(broker: Broker) -> None:
    with watch(broker, "--json", "--no-session"):
        pass
    send(broker, [on_its_topic(message(1))])

    with watch(broker, "--json", "--no-session") as second:
        send(broker, [on_its_topic(message(2))])
        wait_for(lambda: second.out, "the second alert")
        assert seqs(second) == [2]


def test_until_event_leaves_the_next_alert_to_the_next_watch(broker: Broker) -> None:
    with watch(broker, "--json"):
        pass
    send(broker, [on_its_topic(message(seq)) for seq in (1, 2, 3)])

    shown = []
    for _ in range(3):
        with watch(broker, "--json", "--until-event") as watching:
            assert watching.process.wait(10) == 0
        shown += seqs(watching)

    assert shown == [1, 2, 3]


def test_two_of_the_same_watch_do_not_throw_each_other_off(broker: Broker) -> None:
    with watch(broker, "--json") as first, watch(broker, "--json") as second:
        send(broker, [on_its_topic(message(1))])
        wait_for(lambda: first.out and second.out, "the alert at both")
        assert "already connected" not in broker.log()
        assert len(first.notes + second.notes) == 2, "each is connected once"


def test_a_session_knows_what_was_shown_and_is_its_holders_alone(tmp_path) -> None:
    first, second = (WatchSession(tmp_path, ["broker", "+"]) for _ in range(2))
    first.take()
    second.take()
    assert first.client_id != second.client_id
    first.note("gw-1", "log", 7)
    first.release()

    third = WatchSession(tmp_path, ["broker", "+"])
    third.take()

    assert (third.client_id, third.shown) == (first.client_id, {"gw-1": ("log", 7)})
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"gw-1": 3}', b"\xff", b'{"gw-1": ["log", "x"]}'])
def test_a_session_file_that_is_none_is_begun_anew(tmp_path, content) -> None:
    first = WatchSession(tmp_path, ["broker"])
    first.take()
    first.release()
    next(tmp_path.iterdir()).write_bytes(content)

    first.take()

    assert first.shown == {}


def test_what_is_open_and_who_is_offline_is_said_at_start(broker: Broker) -> None:
    episode = {
        "id": "e7",
        "kind": "anomaly",
        "severity": "critical",
        "start_time": 0,
        "top_score": 3.25,
        "channel": "flow",
    }
    send(
        broker,
        [
            ("offbeat/gw-1/status", b"online"),
            ("offbeat/gw-2/status", b"offline"),
            ("offbeat/gw-1/pump1/state", json.dumps({"anomaly": "ON", "open": [episode]}).encode()),
            ("offbeat/gw-1/pump2/state", b'{"anomaly":"OFF","open":[]}'),
            ("offbeat/gw-1/pump3/state", b'{"anomaly":"ON","score":1.5,"event_id":"e9"}'),
            ("offbeat/gw-1/pump2/availability", b"offline"),
            ("offbeat/gw-1/pump1/availability", b"online"),
        ],
        retain=True,
    )
    with watch(broker) as watching:
        said = watching.noted("gw-1/pump1 open", "critical", "anomaly", "top score 3.25", "by flow", "e7")
        assert "acknowledged" not in said
        watching.noted("gw-1/pump3 open", "score 1.50", "episode e9")
        watching.noted("gw-2 is offline")
        watching.noted("gw-1/pump2 is offline")
        send(broker, [("offbeat/gw-1/pump1/availability", b"offline")], retain=True)
        watching.noted("gw-1/pump1 is offline")
        send(broker, [("offbeat/gw-1/pump1/availability", b"online")], retain=True)
        watching.noted("gw-1/pump1 is heard again")

    assert not [line for line in watching.notes if "pump2 open" in line]
    assert len([line for line in watching.notes if "pump1 open" in line]) == 1


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"[]",
        b"{",
        b'{"open":7}',
        b'{"open":[7,null,{}]}',
        rb'{"anomaly":"ON","open":[{"id":"\u009b2J\u202e","top_score":"x","start_time":1e300,"severity":"\n<3>forged",'
        rb'"kind":[],"channel":{},"snoozed_until":true}]}',
    ],
)
def test_a_state_of_any_form_ends_nothing_and_forges_nothing(broker: Broker, state) -> None:
    send(broker, [("offbeat/gw-1/pump1/state", state), ("offbeat/gw-9/status", b"online")], retain=True)
    with watch(broker, "--json") as watching:
        send(broker, [on_its_topic(message(1))])
        wait_for(lambda: watching.out, "the alert")
        watching.noted("gw-9 is online")

    assert all(line.isprintable() and not line.startswith("<3>") for line in watching.notes)


def test_an_event_of_a_newer_schema_or_none_at_all_is_named_once_a_minute(broker: Broker) -> None:
    topic, payload = on_its_topic(message(1))
    newer = json.dumps({**json.loads(payload), "schema": 2}).encode()
    with watch(broker, "--json") as watching:
        send(broker, [(topic, newer)] * 5 + [("offbeat/gw-1/pump2/event", b"\xff"), on_its_topic(message(2))])
        watching.noted("gw-1/pump1", "cannot read", "schema '2'")
        watching.noted("gw-1/pump2", "cannot read", "JSON")
        wait_for(lambda: watching.out, "the alert behind them")

    assert len([line for line in watching.notes if "cannot read" in line]) == 2


def test_thousands_of_retained_leftovers_hold_no_alert_up(broker: Broker) -> None:
    topics = ["state", "availability", "event"]
    left = [(f"offbeat/old-{number // 3}/pump{number}/{topics[number % 3]}", b"{}") for number in range(3000)]
    send(broker, [(topic, payload) for topic, payload in left], retain=True)

    with watch(broker, "--all") as watching:
        send(broker, [on_its_topic(message(1))])
        wait_for(lambda: watching.out, "the alert", 30)

    assert [line for line in watching.out if "NEW" in line] == watching.out


def test_a_gap_is_named_and_asked_for_again(broker: Broker, gateway) -> None:
    outbox = gateway()
    for number in (1, 2, 3, 4):
        outbox.put(alert(number))
    log = outbox.log
    wait_for(lambda: outbox.counts().pending == 0, "all at the broker")
    with watch(broker, "--json") as watching:
        for seq in (1, 4):
            send(broker, [on_its_topic(EventMessage(alert(seq), "gw-1", str(log), seq))])
        watching.noted("gw-1: alerts 2 to 3 did not come")
        wait_for(lambda: set(seqs(watching)) == {1, 2, 3, 4}, "the missing ones")


def test_a_gap_between_two_runs_is_noticed_as_well(broker: Broker) -> None:
    with watch(broker, "--json") as first:
        send(broker, [on_its_topic(message(1))])
        wait_for(lambda: first.out, "the first alert")
    with watch(broker, "--json") as second:
        send(broker, [on_its_topic(message(5))])
        second.noted("gw-1: alerts 2 to 4 did not come")


def test_a_new_log_is_named(broker: Broker) -> None:
    with watch(broker, "--json") as watching:
        send(broker, [on_its_topic(message(1))])
        send(broker, [on_its_topic(EventMessage(alert(1), "gw-1", "another", 1))])
        watching.noted("gw-1 begins a new log", "lost")


def test_since_asks_for_what_was_before(broker: Broker, gateway) -> None:
    outbox = gateway()
    for number in (1, 2, 3):
        outbox.put(alert(number))
    wait_for(lambda: outbox.counts().pending == 0, "all at the broker")
    since = "2025-11-22T00:41:02Z"  # alert 2 is of that second
    with watch(broker, "--json", "--since", since) as watching:
        wait_for(lambda: len(watching.out) == 2, f"two alerts; {watching.notes}")
        assert seqs(watching) == [2, 3]
        assert all(json.loads(line)["replayed"] for line in watching.out)


def test_a_device_that_does_not_allow_replay_is_named(broker: Broker, gateway) -> None:
    gateway(allow=())
    with watch(broker, "--since", "1h") as watching:
        watching.noted("gw-1 does not send its alerts again", "allowed")


def test_since_takes_durations_and_dates() -> None:
    assert [since_time(text, 1e6) for text in ("90s", "30m", "2h", "1d", "1w")] == [
        1e6 - 90, 1e6 - 1800, 1e6 - 7200, 1e6 - 86400, 1e6 - 604800,
    ]  # fmt: skip
    for text in ("", "soon", "2", "1.2.3h", "h", "2025-13-01"):
        with pytest.raises(ConfigError, match="--since"):
            since_time(text, 1e6)
    assert since_time("9" * 400 + "d", 1e6) == 0.0


def test_a_long_line_is_wrapped_and_cut_to_the_terminal(broker: Broker) -> None:
    payload = encode_message(message(1)).replace(b'"vibration"', json.dumps("流量 " * 300, ensure_ascii=False).encode())
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    with watch(broker, "--no-session", out=slave):
        send(broker, [("offbeat/gw-1/pump1/event", payload), on_its_topic(message(2))])
        shown, deadline = b"", time.monotonic() + 10
        while b"lasted" not in shown and shown.count(b"since") < 2 and time.monotonic() < deadline:
            shown += os.read(master, 65536)
    os.close(master)
    os.close(slave)

    rows = shown.decode().replace("\r\n", "\n").split("\n")[:-1]
    assert max(cells(row) for row in rows) <= 60
    assert rows[3].endswith("…")
    assert rows[4].startswith("2025-11-22")


@pytest.mark.parametrize("width", [20, 37, 80])
def test_no_row_is_wider_than_the_terminal_and_no_word_is_lost(width) -> None:
    line = " ".join(f"{'流' * (n % 5)}word{n}" for n in range(40)) + " " + "x" * 200

    rows = wrapped(line, width, most=1000)

    assert max(cells(row) for row in rows) <= width
    assert "".join("".join(rows).split()) == "".join(line.split())


def test_a_pipe_gets_one_line_an_alert(broker: Broker) -> None:
    with watch(broker) as watching:
        payload = encode_message(message(1)).replace(b'"vibration"', json.dumps("flow " * 100).encode())
        send(broker, [("offbeat/gw-1/pump1/event", payload)])
        wait_for(lambda: watching.out, "the alert")

    assert len(watching.out) == 1


def test_an_access_list_that_lets_read_alerts_alone_still_shows_them(
    make_broker: Callable[..., Broker], tmp_path
) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic read offbeat/+/+/event\ntopic write offbeat/gw-1/pump1/event\n")
    broker = make_broker(("allow_anonymous true", f"acl_file {acl}")).start()
    with watch(broker, "--json") as watching:
        send(broker, [on_its_topic(message(1))])
        wait_for(lambda: watching.out, f"the alert; {watching.notes}")
