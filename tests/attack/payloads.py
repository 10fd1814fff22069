"""What a board, or whoever may publish below its topic, can send: counted, bounded, and the next rows are judged."""

import json
from functools import partial

from tests.attack.registry import attack
from tests.attack.stand import Stand

MOST_MB = 10.0


def _named(names: int) -> bytes:
    return json.dumps({"values": {f"channel-{number}": number for number in range(names)}}).encode()


def _values(**more: object) -> bytes:
    return json.dumps({"time": 1e9, "values": {"flow": 2.0, "pressure": 5.0}, **more}).encode()


BAD = {
    "no JSON": lambda: b"\xff" * 100,
    "nothing": lambda: b"",
    "one byte": lambda: b"{",
    "JSON nested 30,000 deep": lambda: b"[" * 30_000,
    "objects nested 7,000 deep": lambda: b'{"values":' * 7_000,
    "a number of 60,000 digits": lambda: b'{"values":{"flow":' + b"9" * 60_000 + b"}}",
    "Infinity and NaN": lambda: b'{"values":{"flow":Infinity,"pressure":NaN}}',
    "half a surrogate in a name": lambda: b'{"values":{"\\ud800":1,"\\u0000":2}}',
    "a name of 60,000 letters": lambda: json.dumps({"values": {"x" * 60_000: 1.0}}).encode(),
    "one name 5,000 times": lambda: b'{"values":{' + b",".join(b'"flow":1' for _ in range(5000)) + b"}}",
    "5,000 names that nobody knows": lambda: _named(3000),
    "a time of 1e308": lambda: _values(time=1e308),
    "a time below nothing": lambda: _values(time=-1e308),
    "a seq of 10^300": lambda: _values(seq=10**300),
    "a seq that is text": lambda: _values(seq="\x1b[2J"),
    "values that are a list": lambda: b'{"values":[1,2,3]}',
    "names that steer a terminal and forge lines": lambda: json.dumps(
        {"values": {"a\n<3>ERROR forged": 1.0, "\x1b[2J": 2.0, "\u202e": 3.0}}
    ).encode(),
    "1 byte above the bound": lambda: b" " * 65_537,
    "50 MB of names": lambda: _named(2_000_000),
    "100 MB of blanks": lambda: b" " * 100_000_000,
}
_QUICK = ("JSON nested 30,000 deep", "1 byte above the bound", "a time of 1e308", "50 MB of names")
_ONLY_ONCE = 1_000_000


def _sent(make: object, stand: Stand) -> None:
    before, payload = stand.health()["rss_bytes"], make()  # type: ignore[operator]
    log = len(stand.log())
    times = 1 if len(payload) > _ONLY_ONCE else 20
    for name in ("pump1", "nobody"):
        stand.send(f"sensors/{name}/readings", *[payload] * times)
    stand.over()
    grown = (stand.health()["rss_bytes"] - before) / 1e6
    said = stand.log()[log:]
    assert grown <= MOST_MB, f"{grown:.1f} MB more resident"
    assert "\x1b" not in said
    assert not [line for line in said.splitlines() if line.startswith("<3>")]
    assert len(said) < 20_000, f"{len(said)} letters of log"


for _name, _make in BAD.items():
    attack(f"a payload: {_name}", shared=True, quick=_name in _QUICK)(partial(_sent, _make))


@attack("20,000 boards that nobody configured", shared=True)
def _strangers(stand: Stand) -> None:
    from tests.helpers.agent import board

    before = stand.health()["rss_bytes"]
    with board(stand.broker) as publish:
        for number in range(20_000):
            publish(f"sensors/stranger-{number}/readings", b'{"values":{"flow":1.0}}')
    stand.over()
    grown = (stand.health()["rss_bytes"] - before) / 1e6
    assert grown <= MOST_MB, f"{grown:.1f} MB more resident"


@attack("a board's topic with levels, blanks and controls", shared=True)
def _topics(stand: Stand) -> None:
    for name in ("a b", "\u0001", "..", "a\u202eb", "$SYS", "x" * 5000, "ü"):
        try:
            stand.send(f"sensors/{name}/readings", b'{"values":{"flow":1.0}}')
        except (ValueError, RuntimeError, OSError):  # the client's or the broker's own refusal
            continue
    stand.over()


@attack("readings that the broker kept from before", shared=True)
def _retained(stand: Stand) -> None:
    import paho.mqtt.publish as once

    once.single("sensors/pump1/readings", _values(time=5.0), 1, True, "127.0.0.1", stand.broker.port)
    stand.broker.kill()
    stand.broker.start()
    stand.over()
    stand.wait_said("source field: up")
    once.single("sensors/pump1/readings", b"", 1, True, "127.0.0.1", stand.broker.port)
