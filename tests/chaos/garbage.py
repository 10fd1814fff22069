"""Garbage on every input: the readings' topics, the request topics and the serial line."""

import json
import random
import time

from edge.wire.frame import crc16
from tests.chaos.rig import WIRED, WIRELESS, Rig
from tests.chaos.stand import DEVICE

PIECES = (
    b"", b"{", b"null", b"[]", b"\xff\xfe\x00", b'{"values":7}', b'{"values":{}}', b'{"time":"noon","values":{}}',
    b'{"values":{"flow":1e300,"pressure":"NaN"}}', b'{"values":{"flow":NaN,"pressure":null}}',
    b'{"values":{"flow":1},"time":1e308}', b'{"values":{"flow":1},"time":-1e308}', b'{"values":{"flow":1},"time":-5}',
    b'{"values":{"nonsense":1.0}}', b'{"values":{"flow":Infinity},"seq":1e99}', b"[" * 100_000,
    b'{"values":{"flow":' + b"9" * 5000 + b"}}", b'{"time":4e9,"values":{"flow":2.0,"pressure":5.0}}',
)  # fmt: skip
_REQUESTS = (
    b"", b"null", b"{", b"\xff", b'{"since_seq":-1}', b'{"since_seq":true}', b'{"since_seq":1e400}',
    b'{"since_seq":9223372036854775808}', b'{"since_seq":"1","transaction":{"a":[]}}', b"[" * 70_000,
    b'{"transaction":null,"since_seq":[1]}', b"x" * 70_000,
)  # fmt: skip


def throw_garbage(rig: Rig, chance: random.Random) -> float:
    """A second or two of it, among the good readings; now and then a `replay` request that is in order."""
    until = time.monotonic() + chance.uniform(1.0, 2.0)
    while time.monotonic() < until:
        rig.boards.client.publish(f"sensors/{chance.choice([*WIRELESS, 'stranger'])}/readings", _payload(chance))
        rig.boards.client.publish(f"offbeat/{DEVICE}/request/{chance.choice(['replay', 'stop', ''])}/x", b"{}")
        rig.boards.client.publish(f"offbeat/{DEVICE}/request/replay", chance.choice(_REQUESTS))
        rig.boards.line.write(_line(chance))
        time.sleep(0.005)
    last = max((seq for _, seq in rig.commit_log.events), default=0)
    request = json.dumps({"since_seq": max(0, last - 20), "transaction": last})
    rig.boards.client.publish(f"offbeat/{DEVICE}/request/replay", request.encode())
    return time.monotonic()


def _payload(chance: random.Random) -> bytes:
    if chance.random() < 0.5:
        return chance.choice(PIECES)
    return chance.randbytes(chance.randrange(200))


def _line(chance: random.Random) -> bytes:
    """Noise, a frame with a wrong CRC, or one whose CRC is right and whose fields are not."""
    kind = chance.randrange(4)
    if kind == 0:
        return chance.randbytes(chance.randrange(300))
    if kind == 1:
        return b"$wire1,1,1,flow=2.0*0000\r\n"
    if kind == 2:
        return b"$" * chance.randrange(5000) + b"\n"
    fields = chance.choice([b"", b",,", b"a b,1,2,x=1", b"wire1,1,1e3,flow=1", b"wire1,1,,flow=1e999,=,x", b"9" * 4000])
    body = chance.choice([fields, WIRED[0].encode() + b",," + b"9" * 4400 + b",flow=1"])
    return b"$%s*%04X\r\n" % (body, crc16(body))
