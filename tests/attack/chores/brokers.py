"""A broker over the years: up- and downgraded, full, slow, replaced by something else, leftovers on our topics."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import paho.mqtt.client as paho

from tests.attack.registry import attack
from tests.attack.stand import ALLOW, Stand
from tests.edge.delivery.mqtt_proxy import MqttProxy
from tests.helpers.agent import MQTT, PUMP, config, reload_signal
from tests.helpers.mosquitto import wait_for

OWN = ("status", "health", "pump1/event", "pump1/state", "pump1/availability", "pump1/snapshot", "request/replay",
       "response/replay", "group/pump1")  # fmt: skip
JUNK = {
    "noise": b"\xff\x00\x80",
    "nothing a decoder likes": b"[" * 50_000,
    "what is a lie": b"offline",
    "what another version wrote": b'{"schema":99,"anomaly":"ON","open":[{"id":"ghost"}],"event_type":"new"}',
}


def _retain(stand: Stand, payloads: dict[str, bytes]) -> None:
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", stand.broker.port)
    client.loop_start()
    for name, payload in payloads.items():
        client.publish(f"offbeat/gw-1/{name}", payload, qos=1, retain=True).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


def _newest(stand: Stand, name: str) -> bytes:
    return (stand.listener.on(f"offbeat/gw-1/{name}") or [b""])[-1]


def _right(stand: Stand) -> None:
    """The retained topics say what is."""
    wait_for(lambda: _newest(stand, "status") == b"online", "status online", 20.0)
    wait_for(lambda: _newest(stand, "pump1/availability") == b"online", "availability online", 20.0)
    wait_for(lambda: b'"anomaly"' in _newest(stand, "pump1/state") and b"ghost" not in _newest(stand, "pump1/state"),
             "a state of ours", 20.0)  # fmt: skip


def _junk_before(junk: bytes, stand: Stand) -> None:
    assert stand.broker
    _retain(stand, dict.fromkeys(OWN, junk))
    stand.start()
    stand.serves()
    _right(stand)


def _refreshing(stand: Stand) -> None:
    """An agent that says again every 5 seconds what is retained, in place of every 5 minutes."""
    stand.start(stand.config(broker=ALLOW + "[delivery]\nretained_every_s = 5.0\n"))


def _junk_in_use(junk: bytes, stand: Stand) -> None:
    _refreshing(stand)
    stand.serves()
    _retain(stand, dict.fromkeys(OWN, junk))
    stand.over()
    stand.serves()
    _right(stand)


for _what, _junk in JUNK.items():
    attack(f"every topic of ours holds {_what} at the start")(partial(_junk_before, _junk))
    attack(f"somebody retains {_what} on every topic of ours in use", quick=_what == "what is a lie")(
        partial(_junk_in_use, _junk)
    )


@attack("another client with a will on our status dies", quick=True)
def _will(stand: Stand) -> None:
    _refreshing(stand)
    stand.serves()
    twin = paho.Client(paho.CallbackAPIVersion.VERSION2, "twin")
    twin.will_set("offbeat/gw-1/status", b"offline", qos=1, retain=True)
    twin.connect("127.0.0.1", stand.broker.port)
    twin.loop_start()
    wait_for(twin.is_connected, "the twin")
    twin.loop_stop()
    twin.socket().close()  # type: ignore[union-attr]
    wait_for(lambda: b"offline" in stand.listener.on("offbeat/gw-1/status"), "the will", 15.0)
    wait_for(lambda: _newest(stand, "status") == b"online", "status online again", 20.0)


@contextmanager
def _proxied(stand: Stand, protocol: str = "") -> Iterator[MqttProxy]:
    """An agent behind a proxy."""
    assert stand.listener
    proxy = MqttProxy(stand.broker.port)
    try:
        stand.start(config(proxy.port, MQTT, PUMP, broker=protocol + ALLOW))
        yield proxy
        stand.end()
        stand.to_serve = False
    finally:
        proxy.close()


@attack("the broker is upgraded from MQTT 3.1.1 to 5 and back")
def _versions(stand: Stand) -> None:
    with _proxied(stand) as proxy:
        for old in (True, False, True):
            proxy.refuses_5 = old
            proxy.cut()
            stand.wait_health(lambda body: body["link"]["mqtt"] == ("3.1.1" if old else "5"), "the version")  # noqa: B023
            stand.passed_at = None
            stand.serves()


@attack("a link on which nothing passes for 20 seconds, without a word")
def _black_hole(stand: Stand) -> None:
    with _proxied(stand, "keepalive_s = 5\n") as proxy:
        stand.serves()
        proxy.flowing.clear()
        time.sleep(20.0)
        proxy.flowing.set()
        stand.over()
        stand.serves()


@attack("acknowledgements are lost for ten seconds")
def _no_acknowledgements(stand: Stand) -> None:
    with _proxied(stand) as proxy:
        stand.serves()
        proxy.lose_acknowledgements = True
        stand.normal(25)
        stand._rows(30, 6.0)
        stand.normal(25)  # an episode that is open across a silence of ten minutes is known to come and go
        time.sleep(10.0)
        proxy.lose_acknowledgements = False
        stand.over()
        stand.serves()


@attack("the broker is away and its port is a web server's")
def _web_server(stand: Stand) -> None:
    stand.start()
    stand.serves()
    stand.broker.kill()
    with _answering(stand.broker.port, b"HTTP/1.1 302 Found\r\nLocation: http://login/\r\n\r\n"):
        time.sleep(8.0)
    stand.broker.start()
    stand.over()


@attack("the broker is away and its port accepts and says nothing")
def _mute(stand: Stand) -> None:
    stand.start()
    stand.serves()
    stand.broker.kill()
    with _answering(stand.broker.port, b""):
        time.sleep(8.0)
    stand.broker.start()
    stand.over()


@contextmanager
def _answering(port: int, answer: bytes) -> Iterator[None]:
    listening = socket.create_server(("127.0.0.1", port), reuse_port=False)
    kept: list[socket.socket] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                client = listening.accept()[0]
                kept.append(client)
                if answer:
                    client.sendall(answer)
                    client.close()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield
    finally:
        for end in (*kept, listening):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def _broker_of(lines: tuple[str, ...], stand: Stand) -> None:
    stand.made_broker("allow_anonymous true", *lines)
    stand.start()


LINES = {
    "takes one message in flight": ("max_inflight_messages 1",),
    "queues one message": ("max_queued_messages 1", "max_inflight_messages 1"),
    "wants to hear of us every 10 seconds": ("max_keepalive 10",),
    "takes packets of 2,000 bytes at most": ("max_packet_size 2000",),
    "keeps no retained values": ("retain_available false",),
}
for _what, _lines in LINES.items():
    attack(f"a broker that {_what}", quick=_what.startswith("keeps"))(partial(_broker_of, _lines))


@attack("a broker that grants QoS 0 alone, which no alert can be trusted to, is named")
def _qos_0(stand: Stand) -> None:
    stand.made_broker("allow_anonymous true", "max_qos 0")
    stand.start(up=False)
    stand.wait_said("QoS not supported")
    stand.to_serve = False


@attack("a broker that has no place left when the agent comes back")
def _full(stand: Stand) -> None:
    stand.made_broker("allow_anonymous true", "max_connections 5")
    stand.start()
    stand.serves()
    stand.broker.kill()
    stand.broker.start()
    crowd = []
    for number in range(12):
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, f"crowd-{number}")
        with suppress(OSError):
            client.connect("127.0.0.1", stand.broker.port)
        client.loop_start()
        crowd.append(client)
    time.sleep(8.0)
    for client in crowd:
        client.disconnect()
        client.loop_stop()
    stand.over()


@attack("a plain client takes the agent's client id again and again")
def _thief(stand: Stand) -> None:
    stand.start()
    stand.serves()
    lines = len(stand.log().splitlines())
    for _ in range(20):
        thief = paho.Client(paho.CallbackAPIVersion.VERSION2, "offbeat-gw-1")
        thief.connect("127.0.0.1", stand.broker.port)
        thief.loop_start()
        time.sleep(0.5)
        thief.disconnect()
        thief.loop_stop()
    stand.over()
    stand.serves()
    wait_for(lambda: _newest(stand, "status") == b"online", "status online again", 20.0)
    assert len(stand.log().splitlines()) - lines < 60, stand.log()[-2000:]


@attack("a broker's address that changes on SIGHUP to one where nobody is")
def _nowhere(stand: Stand) -> None:
    agent = stand.start()
    stand.serves()
    text = stand.config()
    (stand.folder / "agent.toml").write_text(text.replace(str(stand.broker.port), "1"))
    reload_signal(agent)
    wait_for(lambda: stand.log().count("reload: ") >= 1, "what becomes of it", 15.0)
    stand.passed_at = None
    (stand.folder / "agent.toml").write_text(text)
    reload_signal(agent)
    time.sleep(1.0)
    stand.over()
    assert json.loads(stand.listener.on("offbeat/gw-1/health")[-1])
