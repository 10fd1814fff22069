"""Who asks in a storm of requests, a process of its own: whoever times others must not share an interpreter with it.

`python -m tests.attack.asker PORT COMMAND SECONDS A_SECOND` sends a request so often, each with a transaction of its
own (its fields are JSON, or any text that is sent as it is, from standard input), and prints how many were sent, and
after how long each was answered.
"""

import json
import sys
import threading
import time
from typing import Any

import paho.mqtt.client as paho

_AFTER_S = 3.0
"""Answers are waited for so long after the last request."""


class Asker:
    """Sends, and notes when what it sent is answered."""

    def __init__(self, port: int, command: str) -> None:
        self._topic = f"offbeat/gw-1/request/{command}"
        self.sent: dict[int, float] = {}
        """By transaction, monotonic."""
        self.answered: dict[int, float] = {}
        """The first answer to each."""
        self.anyhow = 0
        """Answers without a transaction, as those to what cannot be read."""
        self._client, ready = paho.Client(paho.CallbackAPIVersion.VERSION2), threading.Event()
        self._client.max_inflight_messages_set(0)
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe(f"offbeat/gw-1/response/{command}", 1)
        ready.wait(10)

    def ask(self, number: int, fields: dict[str, Any] | str) -> None:
        """One request."""
        payload = fields if isinstance(fields, str) else json.dumps({**fields, "transaction": number})
        self.sent[number] = time.monotonic()
        self._client.publish(self._topic, payload.encode(), qos=1)

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        now, body = time.monotonic(), json.loads(message.payload)
        number = body.get("transaction")
        if number is None:
            self.anyhow += 1
        else:
            self.answered.setdefault(number, now)


def main() -> int:
    """Ask, and print figures as JSON."""
    port, command, seconds, a_second = sys.argv[1:]
    fields = sys.stdin.read()
    try:
        body = json.loads(fields)
    except (ValueError, RecursionError):
        body = fields
    asker, began, number = Asker(int(port), command), time.monotonic(), 0
    what = body if isinstance(body, dict) else fields
    while (passed_s := time.monotonic() - began) < float(seconds):
        if number > passed_s * float(a_second):
            time.sleep(0.001)
            continue
        asker.ask(number, what)
        number += 1
    time.sleep(_AFTER_S)
    delays = sorted(asker.answered[one] - at for one, at in asker.sent.items() if one in asker.answered)
    print(json.dumps({"sent": number, "anyhow": asker.anyhow, "delays_s": delays}))
    asker.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
