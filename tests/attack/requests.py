"""Requests that harm: each is answered within a second, and none delays a live event."""

import json
import threading
import time
from functools import partial

from tests.attack.registry import attack
from tests.attack.stand import Stand
from tests.helpers.agent import board, events
from tests.helpers.mosquitto import wait_for

WITHIN_S = 1.0


def _answered(command: str, payload: bytes, stand: Stand) -> None:
    topic = f"offbeat/gw-1/response/{command}"
    before, log = len(stand.listener.on(topic)), len(stand.log())
    with board(stand.broker) as publish:
        began = time.monotonic()
        publish(f"offbeat/gw-1/request/{command}", payload)
        wait_for(lambda: len(stand.listener.on(topic)) > before, "an answer", 10.0)
        took = time.monotonic() - began
    assert took < WITHIN_S, f"answered after {took:.1f} s"
    answer = json.loads(stand.listener.on(topic)[-1])
    assert answer["status"] in ("ok", "accepted", "error"), answer
    assert len(stand.log()) - log < 5_000


REQUESTS = {
    "of no known command": ("explode", b"{}"),
    "that is not allowed": ("snapshot", b"{}"),
    "nested 600 deep": ("replay", b'{"transaction":' + b'{"a":' * 600 + b"1" + b"}" * 600 + b"}"),
    "nested 30,000 deep": ("replay", b"[" * 30_000),
    "with a transaction of 60,000 letters": ("replay", json.dumps({"transaction": "x" * 60_000}).encode()),
    "of 200 KB": ("replay", b" " * 200_000),
    "that is no JSON": ("normal", b"\xff\xfe"),
    "that is a list": ("normal", b"[1]"),
    "to replay since 10^400": ("replay", b'{"since_seq":1' + b"0" * 400 + b"}"),
    "to replay since below nothing": ("replay", b'{"since_seq":-1}'),
    "to replay since true": ("replay", b'{"since_seq":true}'),
    "to call an episode normal that never was": ("normal", b'{"id":"nobody"}'),
    "to call a list of lists normal": ("normal", b'{"id":[[[]]],"by":{"a":1}}'),
    "with half a surrogate": ("normal", b'{"id":"\\ud800","transaction":"\\ud800"}'),
    "with NaN": ("replay", b'{"since_seq":NaN,"transaction":NaN}'),
}
_QUICK = ("nested 600 deep", "of no known command")
for _name, (_command, _payload) in REQUESTS.items():
    attack(f"a request {_name}", shared=True, quick=_name in _QUICK)(partial(_answered, _command, _payload))


@attack("1,000 requests in a second do not delay a live event", shared=True)
def _thousand(stand: Stand) -> None:
    quiet = stand.serves()
    stop = threading.Event()

    def ask() -> None:
        with board(stand.broker) as publish:
            for number in range(3000):
                publish("offbeat/gw-1/request/" + ("replay", "explode", "normal")[number % 3], b'{"since_seq":1}')
                if stop.wait(0.0005):
                    return

    asking = threading.Thread(target=ask)
    asking.start()
    busy = stand.serves()
    stop.set()
    asking.join()
    assert busy < quiet + 2.0, f"{busy:.1f} s beside {quiet:.1f} s"


@attack("a request that the broker kept is not carried out anew", shared=True)
def _kept(stand: Stand) -> None:
    import paho.mqtt.publish as once

    stand.serves()
    before = len(stand.listener.on("offbeat/gw-1/response/replay"))
    once.single("offbeat/gw-1/request/replay", b'{"since_seq":0}', 1, True, "127.0.0.1", stand.broker.port)
    wait_for(lambda: len(stand.listener.on("offbeat/gw-1/response/replay")) > before, "the first answer")
    stand.broker.kill()
    stand.broker.start()
    count = stand.log().count("connected to")
    wait_for(lambda: stand.log().count("connected to") >= count, "the connection")
    stand.over()
    stand.wait_said("source field: up")
    once.single("offbeat/gw-1/request/replay", b"", 1, True, "127.0.0.1", stand.broker.port)
    assert events(stand.listener)
