"""What is known of all devices, from the messages that they publish."""

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from edge.wire.events import Severity
from edge.wire.payload import jsonable
from edge.wire.state import StateError, StreamState, state_from_dict, state_to_dict
from edge.wire.topics import DeviceTopics, valid_id

MOST_DEVICES, MOST_STREAMS = 500, 5000
"""Known at a time; what a broker has beyond them is counted and not shown, first of all what is offline."""
_SCORES = 240
_RANKS: dict[Severity, int] = {"info": 1, "warning": 2, "critical": 3}
_UNKNOWN, _COMMISSIONING, _CALM = 0.75, 0.25, 0.0


@dataclass
class StreamView:
    """One stream as its retained topics show it."""

    available: bool | None = None
    state: StreamState | None = None
    readable: bool = True
    """Whether the last state could be read."""
    scores: deque[tuple[float, float | None]] = field(default_factory=lambda: deque(maxlen=_SCORES))

    def worst(self, device_there: bool) -> float:
        """By which streams are ordered: 3 for a critical episode that nobody has seen, down to 0 for calm."""
        state = self.state
        if state is not None and state.open:
            seen = all(one.acknowledged or one.snoozed_until is not None for one in state.open)
            return max(_RANKS[one.severity] for one in state.open) - (0.5 if seen else 0.0)
        if not device_there or not self.available or state is None or state.anomaly == "unknown":
            return _UNKNOWN
        return _COMMISSIONING if state.anomaly == "commissioning" else _CALM

    def body(self, device_there: bool) -> dict[str, Any]:
        """As the page gets it."""
        there = device_there and bool(self.available)
        return {
            "available": there,
            "standing": "unknown" if self.state is None or not there else self.state.anomaly,
            "worst": self.worst(device_there),
            "state": None if self.state is None else state_to_dict(self.state),
            "readable": self.readable,
        }


@dataclass
class DeviceView:
    """One device."""

    there: bool | None = None
    info: dict[str, Any] = field(default_factory=dict)
    health: dict[str, Any] = field(default_factory=dict)
    group: dict[str, Any] | None = None
    streams: dict[str, StreamView] = field(default_factory=dict)


class Picture:
    """Follows messages; not locked, one thread at a time.

    >>> picture = Picture()
    >>> picture.heard("offbeat/gw-1/status", b"online")
    ('gw-1', None)
    >>> picture.heard("elsewhere/gw-1/status", b"online") is None
    True
    """

    def __init__(self, root: str = "offbeat") -> None:
        self._root = root
        self._devices: dict[str, DeviceView] = {}
        self.passed_over = 0
        """Messages that could not be read, or were of too many devices or streams."""

    def heard(self, topic: str, payload: bytes) -> tuple[str, str | None] | None:
        """Device and stream that a message changed (None for the device itself); None where it changed nothing."""
        prefix = f"{self._root}/"
        if not payload and topic.removeprefix(prefix).split("/")[0] not in self._devices:
            return None  # a leftover of nobody known is cleared
        levels = topic.removeprefix(prefix).split("/") if topic.startswith(prefix) else []
        try:
            match levels:
                case [device, "status" | "info" | "health" | "group" as what] if valid_id(device):
                    return self._of_device(device, what, payload)
                case [device, stream, "state" | "availability" as what] if valid_id(device) and valid_id(stream):
                    return self._of_stream(device, stream, what, payload)
        except (ValueError, RecursionError):
            self.passed_over += 1
        return None

    def lost(self) -> None:
        """The broker is not there any more: who is online, and what is judged, is not known until it is heard again."""
        for view in self._devices.values():
            view.there = None
            for one in view.streams.values():
                one.available = None

    def devices(self, scores: int = 0) -> list[dict[str, Any]]:
        """All of them, the worst first, each with its streams, the worst first, and so many latest scores of each."""
        known = [{"id": name, **self._device_body(view, scores)} for name, view in self._devices.items()]
        return sorted(known, key=lambda one: (-one["worst"], one["id"]))

    def stream(self, device: str, stream: str) -> dict[str, Any] | None:
        """One stream with its latest scores; None where it is not known."""
        view = self._devices.get(device, DeviceView())
        if (one := view.streams.get(stream)) is None:
            return None
        return {"device": device, "stream": stream, **one.body(bool(view.there)), "scores": list(one.scores)}

    def trouble(self, device: str, stream: str) -> str | None:
        """Why a stream is not judged, from the device's health."""
        parts = self._devices.get(device, DeviceView()).health.get("streams")
        part = parts.get(stream) if isinstance(parts, dict) else None
        trouble = part.get("trouble") if isinstance(part, dict) else None
        return trouble if isinstance(trouble, str) else None

    def allowed(self, device: str) -> list[str]:
        """Requests that a device takes, where it says so."""
        found = self._devices.get(device, DeviceView()).info.get("requests")
        return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []

    def _device_body(self, view: DeviceView, scores: int) -> dict[str, Any]:
        there = bool(view.there)
        streams = [{"id": name, **one.body(there), **_latest(one, scores)} for name, one in view.streams.items()]
        streams.sort(key=lambda one: (-one["worst"], one["id"]))
        worst = max([one["worst"] for one in streams], default=_CALM if there else _UNKNOWN)
        version = view.info.get("version")
        return {
            "there": there,
            "worst": worst,
            "version": version if isinstance(version, str) else None,
            "health": view.health,
            "group": view.group,
            "streams": streams,
        }

    def _of_device(self, device: str, what: str, payload: bytes) -> tuple[str, str | None] | None:
        if not payload and what == "status":  # taken back
            return (device, None) if self._devices.pop(device, None) is not None else None
        view = self._device(device)
        if view is None:
            return None
        if what == "status":
            view.there = payload == b"online"
        elif what == "group":
            view.group = _group(payload) if payload else None
        else:
            setattr(view, what, _object(payload) if payload else {})
        return device, None

    def _of_stream(self, device: str, stream: str, what: str, payload: bytes) -> tuple[str, str | None] | None:
        view = self._device(device)
        if view is None:
            return None
        if not payload:
            return (device, None) if view.streams.pop(stream, None) is not None else None
        one = view.streams.get(stream)
        if one is None:
            if sum(len(known.streams) for known in self._devices.values()) >= MOST_STREAMS and not (
                view.there and self._makes_room()
            ):
                self.passed_over += 1
                return None
            one = view.streams[stream] = StreamView()
        if what == "availability":
            one.available = payload == b"online"
        else:
            self._take_state(one, payload)
        return device, stream

    def _take_state(self, one: StreamView, payload: bytes) -> None:
        try:
            one.state, one.readable = state_from_dict(_object(payload)), True
        except StateError:  # of a later version, or another program's: what was known is known no longer
            one.state, one.readable = None, False
            self.passed_over += 1
            return
        if not one.scores or one.state.time > one.scores[-1][0]:
            one.scores.append((one.state.time, one.state.score))

    def _device(self, name: str) -> DeviceView | None:
        if name not in self._devices and len(self._devices) >= MOST_DEVICES and not self._makes_room():
            self.passed_over += 1
            return None
        return self._devices.setdefault(name, DeviceView())

    def _makes_room(self) -> bool:
        """Leave out a device that is offline, else one of which that is not known: what is left behind at a broker
        keeps out nobody who is there."""
        for there in (False, None):
            for name, view in self._devices.items():
                if view.there is there:
                    del self._devices[name]
                    self.passed_over += 1
                    return True
        return False


def _latest(view: StreamView, scores: int) -> dict[str, Any]:
    return {"scores": list(view.scores)[-scores:]} if scores else {}


def subscriptions(root: str, device: str) -> list[str]:
    """Topics that the page wants to hear; `device` may be `+`."""
    topics = DeviceTopics(device, root)
    whole = [topics.status, topics.info, topics.health, f"{root}/{device}/group", topics.response("+")]
    return [*whole, topics.availability("+"), topics.state("+"), topics.event("+")]


def _object(payload: bytes) -> dict[str, Any]:
    """What goes on to browsers as it is, so without numbers that are none and without depths."""
    body = jsonable(json.loads(payload))
    if not isinstance(body, dict):
        raise ValueError("no JSON object")
    return body


def _group(payload: bytes) -> dict[str, Any]:
    body = _object(payload)
    members = body.get("members")
    if not isinstance(members, list) or not all(isinstance(one, str) for one in members):
        raise ValueError("no members")
    return body
