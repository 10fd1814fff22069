"""What a broker sends that no broker should: the source is up again and its next frames are scored."""

import time
from functools import partial

from edge.wire.readings import encode_readings
from tests.attack.registry import attack
from tests.attack.stand import Stand
from tests.edge.sources.test_sources_mqtt import STRANGE
from tests.helpers.agent import EPISODE, MQTT, events
from tests.helpers.mosquitto import wait_for
from tests.helpers.strange_broker import SUBACK_5, StrangeBroker

MORE = {
    "a SUBACK that refuses": b"\x90\x04\x00\x01\x00\x87",
    "a PUBACK for what was never sent": b"\x40\x02\xff\xff",
    "a second greeting": b"\x20\x03\x00\x00\x00",
    "a greeting of 4 bytes of nothing": b"\x20\x04\xff\xff\xff\xff",
    "256 MB announced and then silence": b"\x30\xff\xff\xff\x7f\x00",
}
_QUICK = ("a topic that is no UTF-8", "a SUBACK without codes")


def _frame(payload: bytes) -> bytes:
    topic = b"sensors/pump1/readings"
    body = len(topic).to_bytes(2, "big") + topic + b"\x00" + payload
    length = len(body)
    coded = b""
    while True:
        length, digit = divmod(length, 128)
        coded += bytes([digit | (0x80 if length else 0)])
        if not length:
            return b"\x30" + coded + body


def _strange(strange: bytes, stand: Stand) -> None:
    good = SUBACK_5 + b"".join(_frame(encode_readings(row)) for row in EPISODE)
    strange_broker = StrangeBroker([strange, good])
    try:
        source = MQTT + f"[source.broker]\nport = {strange_broker.settings.port}\nkeepalive_s = 5\n"
        stand.start(stand.config(source), up=False)
        wait_for(lambda: strange_broker.connections > 0, "the first connection")
        began = time.monotonic()
        wait_for(lambda: events(stand.listener), f"an alert; {stand.log()[-400:]}", 30.0)
        stand.served_s = time.monotonic() - began
    finally:
        strange_broker.close()


for _name, _bytes in {**STRANGE, **MORE}.items():
    attack(f"a broker sends {_name}", quick=_name in _QUICK)(partial(_strange, _bytes))
