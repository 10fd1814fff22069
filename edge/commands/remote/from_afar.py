"""How a device elsewhere stands: what it retains at the broker, and its answer to `status` where that is allowed."""

import json
import os
import time
from typing import Any

from edge.mqtt.connection import Connection
from edge.wire.broker import BrokerSettings
from edge.wire.payload import encode_payload
from edge.wire.topics import DeviceTopics

_WORDS = {"ON": "judging", "OFF": "judging", "commissioning": "commissioning"}
_SETTLED_S = 0.5
"""Retained messages come at once; so long without another, and all have come."""


def status_of(broker: BrokerSettings, root: str, device: str, timeout_s: float) -> dict[str, Any]:
    """As `status` of a running agent; `running` is None where the broker knows no such device.

    Raises:
        ConnectError: the broker cannot be reached.
    """
    topics = DeviceTopics(device, root)
    retained, connection = {}, Connection(broker, f"offbeat-status-{os.getpid()}")  # type: dict[str, bytes], Connection
    transaction = f"{os.getpid()}-{time.monotonic_ns()}"
    try:
        connection.open(min(timeout_s, 4.0))
        wanted = (topics.status, topics.info, topics.state("+"), topics.availability("+"), topics.response("status"))
        connection.subscribe(wanted)
        until = time.monotonic() + timeout_s
        settled = min(until, time.monotonic() + 3 * _SETTLED_S)
        asked = False
        while (now := time.monotonic()) < until and connection.connected:
            connection.step(min(until, settled) - now if now < settled else until - now)
            while connection.messages:
                message = connection.messages.popleft()
                if message.topic != topics.response("status"):
                    retained[message.topic] = message.payload
                    settled = min(until, time.monotonic() + _SETTLED_S)
                elif (answer := _answer(message.payload, transaction)) is not None:
                    return {"running": True, **answer}
            if not asked and time.monotonic() >= settled:
                asked = True
                if retained.get(topics.status) != b"online" or "status" not in _info(retained, topics)["requests"]:
                    break
                connection.publish(topics.request("status"), encode_payload({"transaction": transaction}))
    finally:
        connection.close(goodbye=True)
    return _from_retained(retained, topics)


def _answer(payload: bytes, transaction: str) -> dict[str, Any] | None:
    try:
        body = json.loads(payload)
        mine = body["transaction"] == transaction and body["status"] == "ok"
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    return body["data"] if mine else None


def _info(retained: dict[str, bytes], topics: DeviceTopics) -> dict[str, Any]:
    info = _decoded(retained.get(topics.info, b"{}"))
    return {**info, "requests": info.get("requests") or []}


def _from_retained(retained: dict[str, bytes], topics: DeviceTopics) -> dict[str, Any]:
    """What can be told without asking: nothing of outbox, times and reasons."""
    said = retained.get(topics.status, b"").decode("utf-8", "replace")
    info = _info(retained, topics)
    streams = {}
    for topic, payload in sorted(retained.items()):
        stream = topic.split("/")[-2]
        if topic == topics.state(stream):
            online = retained.get(topics.availability(stream)) == b"online"
            streams[stream] = _stream(_decoded(payload), online and said == "online")
    troubles = [] if said == "online" else [f"the device is {said or 'unknown at this broker'}"]
    troubles += [f"stream {name} is {one['status']}" for name, one in streams.items() if one["status"] != "judging"]
    if said == "online":
        how = "did not answer" if "status" in info["requests"] else 'does not allow the request "status"'
        troubles.append(f"the device {how}: this is what the broker retains")
    return {
        "running": {"online": True, "offline": False}.get(said),
        "device": topics.device,
        "version": info.get("version"),
        "bundles": info.get("bundles", []),
        "streams": streams,
        "troubles": troubles,
    }


def _stream(state: dict[str, Any], online: bool) -> dict[str, Any]:
    word = _WORDS.get(str(state.get("anomaly")), "out of order")
    return {"status": word if online else "offline", "since": None, "why": None, "open": state.get("open", [])}


def _decoded(payload: bytes) -> dict[str, Any]:
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
