"""A quiet board beside a flood: how long its alerts take, and a message that goes through the broker alone."""

import itertools
import json
import statistics
import threading
import time
from dataclasses import dataclass

import paho.mqtt.client as paho

from edge.detector.events.recurring import REMEMBERED_S
from tests.helpers.agent import board, rows
from tests.helpers.mosquitto import Broker

STREAM = 'id = "quiet"\nbundle = "tiny"\nsource = "field"\nmax_future_s = inf\n[stream.rules.flow]\nmax = 50.0\n'
_EVERY, _BEYOND, _PROBE_EVERY_S, _SWING, _FIRST = 12, 3, 0.1, 60.0, 1_000_000
"""A rule's episode is over once it was kept for some rows: one row of so many is beyond it, not the last of them."""
_APART_S = int(REMEMBERED_S) + 100
"""Between two rows beyond it, by their times: what comes back sooner is the same again, and told no more."""


@dataclass(frozen=True)
class Delays:
    """From the sending to the hearing, seconds; of what was sent in one span of time."""

    alerts_s: list[float]
    through_broker_s: list[float]
    """Of messages that no agent sees, sent in the same moments: what the broker and the machine take of it."""
    missing: int

    def __str__(self) -> str:
        ways = (("alerts", self.alerts_s), ("through the broker alone", self.through_broker_s))
        return "; ".join(
            f"{name} p50 {statistics.median(times or [float('nan')]) * 1e3:.1f} ms, p99 {p99(times) * 1e3:.1f} ms"
            for name, times in ways
        )


def p99(values: list[float]) -> float:
    """Nearest rank, seconds; NaN without values."""
    return sorted(values)[min(len(values) - 1, int(0.99 * len(values)))] if values else float("nan")


class Quiet:
    """A board whose flow is now and then beyond a rule, and whoever hears the alerts of it."""

    def __init__(self, broker: Broker) -> None:
        self._broker, self._stop = broker, threading.Event()
        self._sent: dict[int, float] = {}
        self._echoed: dict[int, float] = {}
        self._alerts: dict[int, float] = {}
        self._echoes: dict[int, float] = {}
        self._listener = broker.listen("offbeat/gw-1/quiet/event", "echo")
        self._listener._client.on_message = self._take
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """Send no more; what is under way is still heard."""
        self._stop.set()
        self._thread.join()

    def close(self) -> None:
        """Leave."""
        self.stop()
        self._listener.close()

    def delays(self, since: float, until: float = float("inf")) -> Delays:
        """Of what was sent between two monotonic times."""
        alerts, echoes = (
            [heard.get(number, float("nan")) - at for number, at in sent.items() if since <= at < until]
            for sent, heard in ((self._sent, self._alerts), (self._echoed, self._echoes))
        )
        came = [delay for delay in alerts if delay == delay]
        return Delays(came, [delay for delay in echoes if delay == delay], len(alerts) - len(came))

    def _take(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        now = time.monotonic()
        if message.topic == "echo":
            self._echoes.setdefault(int(message.payload), now)
            return
        event = json.loads(message.payload)
        if event["event_type"] == "new" and event["kind"] == "rule":
            self._alerts.setdefault(round(event["time"]), now)

    def _run(self) -> None:
        with board(self._broker) as publish:
            for number in itertools.count():
                row = rows(_FIRST + number // _EVERY * _APART_S + number % _EVERY, 1)[0]
                values = dict(row.values)
                if beyond := number % _EVERY == _BEYOND:
                    values["flow"] += _SWING
                    self._sent[round(row.time)] = time.monotonic()
                publish("sensors/quiet/readings", json.dumps({"time": row.time, "values": values}).encode())
                if beyond:
                    self._echoed[number] = time.monotonic()
                    publish("echo", str(number).encode())
                if self._stop.wait(_PROBE_EVERY_S if beyond else _PROBE_EVERY_S / 5):
                    return
