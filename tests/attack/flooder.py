"""The publisher of the flood, a process of its own: whoever times others must not share an interpreter with it.

`python -m tests.attack.flooder PORT SECONDS` prints how many payloads of each kind the broker took, and on
how many it hung up.
"""

import contextlib
import itertools
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable

import paho.mqtt.client as paho

_A_MESSAGE = 4000
"""Names in one message that is below the bound: 58 kB."""
_NAMES = json.dumps({"values": {f"channel-{number}": number for number in range(1_000_000)}}).encode()


def _other_names(number: int) -> bytes:
    """Names that no message before had, less than 64 KB of them: after 250 messages a million."""
    first = number * _A_MESSAGE
    return json.dumps({"values": {f"c{first + one}": one for one in range(_A_MESSAGE)}}).encode()


PAYLOADS: dict[str, Callable[[int], bytes]] = {
    "100 MB": lambda _number: b" " * 100_000_000,
    "deep JSON": lambda _number: b"[" * 60_000,
    "deeper": lambda _number: b'{"values":' * 100_000,
    "a million names at once": lambda _number: _NAMES,
    "other names each time": _other_names,
}
"""By name, each of the number of its message."""


def publish(port: int, topic: str, payload: bytes) -> bool:
    """Hand it to the broker; whether it took it and did not hang up."""
    client, done, taken = (
        paho.Client(paho.CallbackAPIVersion.VERSION2, reconnect_on_failure=False),
        threading.Event(),
        [],
    )
    client.on_publish = lambda *_: (taken.append(True), done.set())
    client.on_disconnect = lambda *_: done.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish(topic, payload, qos=1)
    done.wait(10)
    client.disconnect()
    client.loop_stop()
    return bool(taken)


def main() -> int:
    """Send one after another, to the board that is served and to a stranger; a connection each: it may be ended."""
    port, until = int(sys.argv[1]), time.monotonic() + float(sys.argv[2])
    taken, refused = Counter[str](), Counter[str]()
    for number in itertools.count():
        if time.monotonic() > until:
            break
        name = list(PAYLOADS)[number % len(PAYLOADS)]
        topic = f"sensors/{('pump1', 'stranger')[number // len(PAYLOADS) % 2]}/readings"
        with contextlib.suppress(OSError):
            (taken if publish(port, topic, PAYLOADS[name](number // len(PAYLOADS))) else refused)[name] += 1
    print(json.dumps({"taken": taken, "refused": refused}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
