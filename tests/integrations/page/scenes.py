"""Made-up machines for pictures of the page: four that are calm, one that alerts, twenty of which some fail."""

import json
import math
import random
import time
from typing import Any

import paho.mqtt.client as paho

from tests.helpers.mosquitto import Broker, wait_for
from tests.helpers.page import Page, event, open_episode, state

_ROWS, _PAST = 180, 110
_CHANNELS = (("speed", "rpm", 1480.0, 12.0), ("flow", "m3/h", 42.0, 0.8), ("pressure", "bar", 3.1, 0.06),
             ("motor_current", "A", 18.4, 0.3), ("vibration", "mm/s", 2.2, 0.12))  # fmt: skip
_FAULT_ROWS = 70
_GIVEN = ("ack", "snooze", "unsnooze", "normal")


def episode_id(number: int) -> str:
    """Of a made-up episode."""
    return f"01a21ab1-5130-77c8-912d-8ea1045938{number:02x}"


class Machines:
    """Publishes for several devices; answers `rows` for each of their streams."""

    def __init__(self, broker: Broker) -> None:
        self.paths = {"overview": "/"}
        self._failing: set[str] = set()
        self._failed_at = time.time() - _FAULT_ROWS
        self._seq = 0
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.max_inflight_messages_set(1000)
        self._client.on_message = self._request
        self._client.connect("127.0.0.1", broker.port)
        self._client.subscribe("offbeat/+/request/+", 1)
        self._client.loop_start()

    def device(self, name: str, online: bool = True, **health: str) -> None:
        """A gateway; `health` is the trouble of streams."""
        self._says(f"{name}/status", "online" if online else "offline")
        self._says(f"{name}/info", {"version": "1", "requests": [*_GIVEN, "rows"]})
        self._says(f"{name}/health", {"streams": {stream: {"trouble": text} for stream, text in health.items()}})

    def stream(self, device: str, name: str, *episodes: dict[str, Any], available: bool = True, **more: Any) -> None:
        """A stream with the scores of its last minutes, and its episodes."""
        self._says(f"{device}/{name}/availability", "online" if available else "offline")
        now, chance = time.time(), random.Random(name)
        for ago in range(_PAST, -1, -1):
            rising = 1.0 if episodes and ago < _FAULT_ROWS else 0.0
            score = abs(chance.gauss(0.3, 0.07)) + rising * 1.4 * (1 - math.exp(-(_FAULT_ROWS - ago) / 15))
            shown = episodes if ago == 0 else ()
            self._says(f"{device}/{name}/state", state(*shown, time_s=now - ago, **{"score": score, **more}))
        for one in episodes:
            self._failing.add(name)
            self._event(device, name, one, "new")

    def past(self, device: str, name: str, number: int, hours_ago: float, severity: str = "warning") -> None:
        """An episode that is over."""
        start = time.time() - hours_ago * 3600
        one = open_episode(id=episode_id(number), severity=severity, start_time=start, top_score=1.3)
        self._event(device, name, one, "end", end_time=start + 420, time=start + 420)

    def settle(self, page: Page) -> None:
        """Until the page has all of it."""
        self._says("last/status", "online")
        wait_for(lambda: "last" in [one["id"] for one in page.get("/api/overview")["devices"]], "the last device")
        self._says("last/status", "")
        wait_for(lambda: "last" not in [one["id"] for one in page.get("/api/overview")["devices"]], "it gone")

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _says(self, topic: str, body: Any, retain: bool = True) -> None:
        payload = body if isinstance(body, str) else json.dumps(body)
        self._client.publish(f"offbeat/{topic}", payload, qos=1, retain=retain).wait_for_publish(10)

    def _event(self, device: str, name: str, one: dict[str, Any], event_type: str, **more: Any) -> None:
        self._seq += 1
        shared = {key: one[key] for key in ("id", "kind", "severity", "start_time", "top_score")}
        group = {"group": one["group"]} if one.get("group") else {}
        body = event(self._seq, event_type, device=device, stream=name, contributors=_contributors(), **shared, **group)
        self._says(f"{device}/{name}/event", {**body, **more}, retain=False)

    def _request(self, client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        device = message.topic.split("/")[1]
        fields = json.loads(message.payload)
        stream = str(fields.get("stream", next(iter(self._failing), "")))
        since = self._failed_at if stream in self._failing else math.inf
        found = rows(stream, since, self._failed_at + _FAULT_ROWS)
        answer = {"status": "ok", "transaction": fields.get("transaction"), "data": found}
        client.publish(f"offbeat/{device}/response/rows", json.dumps(answer), qos=1)


def rows(stream: str, since: float, until: float) -> dict[str, Any]:
    """What a device answers to `rows`: five channels of a pump whose flow comes loose from its speed `since`."""
    now, chance = math.floor(until), random.Random(stream)  # the same however slow the browser is
    times = [float(now - _ROWS + number) for number in range(_ROWS)]
    values: dict[str, list[float]] = {}
    expected: dict[str, list[float]] = {}
    for name, _, middle, spread in _CHANNELS:
        swing = [middle + 3 * spread * math.sin(number / 17) for number in range(_ROWS)]
        off = 7.0 * spread if name == "flow" else 0.0
        faulty = [off * _risen(at - since, 12) for at in times]
        values[name] = [at - more + chance.gauss(0, spread / 3) for at, more in zip(swing, faulty, strict=True)]
        expected[name] = swing
    scores = [0.25 + 0.08 * chance.random() + 1.4 * _risen(at - since, 15) for at in times]
    body = {"stream": stream, "event_id": None, "kind": None, "start_time": None, "end_time": None, "rows": _ROWS}
    channels = [{"name": name, "unit": unit} for name, unit, *_ in _CHANNELS]
    tolerance = {name: [3 * spread] * _ROWS for name, _, _, spread in _CHANNELS}
    more = {"values": values, "expected": expected, "tolerance": tolerance}
    return {**body, "of": _ROWS, "channels": channels, "times": times, "scores": scores, **more}


def calm(machines: Machines, *episodes: dict[str, Any]) -> None:
    """A gateway with four machines, nothing open but the first one's `episodes`."""
    machines.device("pump-house")
    for name in ("pump1", "pump2", "compressor", "fan"):
        machines.stream("pump-house", name, *episodes)
        episodes = ()
    machines.past("pump-house", "pump2", 1, 30.0)
    machines.paths["stream"] = "/stream/pump-house/pump1"


def alert(machines: Machines) -> None:
    """The same, one of them off its rhythm."""
    calm(machines, _episode(9))
    machines.past("pump-house", "pump1", 2, 5.0)
    machines.paths["episode"] = f"/episode/{episode_id(9)}"


def twenty(machines: Machines) -> None:
    """Three gateways with twenty machines: a group, long names, what was seen, what is not judged, one offline."""
    machines.device("hall-a", mixer_north="its board sends nothing")
    group = [
        ("conveyor_between_filling_and_labelling_line_7", "critical"),
        ("filler", "warning"),
        ("labeller", "warning"),
    ]
    for number, (name, severity) in enumerate(group, 1):
        machines.stream("hall-a", name, _episode(number, severity=severity, group="g"))
    machines.stream("hall-a", "capper", _episode(4, acknowledged=True, acknowledged_by="Ada"))
    machines.stream("hall-a", "washer", _episode(5, snoozed_until=time.time() + 3600))
    machines.stream("hall-a", "mixer_north", available=False)
    machines.stream("hall-a", "mixer_south", anomaly="commissioning", score=None)
    machines.stream("hall-a", "oven", planned="weekly cleaning")
    members = [{"stream": name} for name, _ in group]
    machines._says("hall-a/group", {"group": "g", "members": [one["stream"] for one in members], "time": time.time()})
    machines.device("hall-b")
    for number in range(1, 9):
        machines.stream("hall-b", f"pump{number}")
    machines.device("water-works-outpost-behind-the-old-mill", online=False)
    for number in range(1, 5):
        machines.stream("water-works-outpost-behind-the-old-mill", f"well{number}")
    for number in range(6):
        machines.past(
            "hall-b", f"pump{number + 1}", 20 + number, 2.0 + 9 * number, "critical" if number == 2 else "warning"
        )


def _episode(number: int, **changes: Any) -> dict[str, Any]:
    return open_episode(id=episode_id(number), start_time=time.time() - _FAULT_ROWS, **changes)


def _risen(after_s: float, constant_s: float) -> float:
    return 1 - math.exp(-max(0.0, after_s) / constant_s)


def _contributors() -> list[dict[str, Any]]:
    parts = (
        ("flow", 36.6, 42.1, 2.4, "m3/h", 0.71, "relation"),
        ("motor_current", 18.9, 18.3, 0.9, "A", 0.17, "relation"),
        ("pressure", 3.05, 3.12, 0.18, "bar", 0.07, "relation"),
    )
    names = ("channel", "value", "expected", "tolerance", "unit", "share", "reason")
    return [dict(zip(names, one, strict=True)) for one in parts]
